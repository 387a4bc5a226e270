"""The server answers for its own names only, and every answer carries the headers that protect its reader."""

import re
import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
import streamlit as st
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests import ROOT
from tests.browser import serving
from tests.ui import stranger
from ui import http

MACHINE = "bench-7"
LOOPBACK = ("localhost", "LOCALHOST:8501", "127.0.0.1:8501", "[::1]:8501", "localhost.")
DIGITS = ("192.168.1.7:8501", "10.0.0.1", "[fd00::7]:8501")
FOREIGN = ("evil.example", "localhost.evil.example", "evil.example:8501", "127.0.0.1.nip.io", "notlocalhost")
MALFORMED = ("", ":", "localhost@evil.example", "evil.example/localhost", "localhost:port", "[::1", "localhost:99999")


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("not called")


def hosts(monkeypatch: pytest.MonkeyPatch, **options: Any) -> http.KnownHosts:
    """The door of a server that was started with these options."""
    state(monkeypatch, **options)
    monkeypatch.setattr(http.platform, "node", lambda: MACHINE)
    return http.KnownHosts(nothing)


def state(monkeypatch: pytest.MonkeyPatch, **options: Any) -> None:
    """Set the server's options."""
    every = {"address": "localhost", "allowedHosts": [], "serverAddress": "localhost", "corsAllowedOrigins": []}
    monkeypatch.setattr(st, "get_option", lambda name: (every | options)[name.split(".")[1]])


@pytest.mark.parametrize("address", ["localhost", "127.0.0.1", "::1"])
def test_on_loopback_only_loopback_is_known(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    door = hosts(monkeypatch, address=address)
    assert all(door.knows([host]) for host in LOOPBACK)
    assert not any(door.knows([host]) for host in (*DIGITS, *FOREIGN, *MALFORMED, MACHINE))


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "", None, "192.168.1.7"])
def test_elsewhere_addresses_and_the_machines_own_names_are_known(
    monkeypatch: pytest.MonkeyPatch, address: str | None
) -> None:
    door = hosts(monkeypatch, address=address)
    assert all(door.knows([host]) for host in (*LOOPBACK, *DIGITS, MACHINE, f"{MACHINE}:8501", f"{MACHINE}.local"))
    assert not any(door.knows([host]) for host in (*FOREIGN, *MALFORMED, f"{MACHINE}.evil.example"))


def test_the_name_under_which_browsers_find_it_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    assert hosts(monkeypatch, address="0.0.0.0", serverAddress="mlperf.lab").knows(["mlperf.lab"])
    assert hosts(monkeypatch, address="mlperf.lab").knows(["mlperf.lab:8501"])


def test_named_hosts_and_no_others_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    door = hosts(monkeypatch, address="0.0.0.0", allowedHosts=["Mlperf.lab", "*.team.lab"])
    assert all(door.knows([host]) for host in ("mlperf.lab", "mlperf.lab:443", "a.team.lab", "b.a.team.lab"))
    assert not any(door.knows([host]) for host in ("team.lab", "evil.lab", "xteam.lab", "localhost", *DIGITS))
    assert hosts(monkeypatch, allowedHosts=["*"]).knows(["anything.example"])
    assert not hosts(monkeypatch, allowedHosts=["*"]).knows([""])


def test_no_host_and_two_hosts_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    door = hosts(monkeypatch)
    assert not door.knows([])
    assert not door.knows(["localhost", "localhost"])


SAME = (  # Host, Origin
    ("localhost:8501", "http://localhost:8501"),
    ("LOCALHOST:8501", "http://localhost:8501"),
    ("mlperf.lab", "https://mlperf.lab"),
    ("mlperf.lab", "https://mlperf.lab:443"),
    ("mlperf.lab", "http://mlperf.lab"),
    ("mlperf.lab:443", "https://mlperf.lab"),
    ("[::1]:8501", "http://[::1]:8501"),
)
OTHER = (
    ("localhost:8501", "http://localhost:8502"),
    ("localhost:8501", "http://localhost"),
    ("localhost:8501", "https://localhost"),
    ("localhost:8501", "http://127.0.0.1:8501"),
    ("localhost:8501", "http://evil.example"),
    ("localhost:8501", "http://evil.example:8501"),
    ("localhost:8501", "http://localhost:8501.evil.example"),
    ("localhost:8501", "http://evil@localhost:8501"),
    ("localhost:8501", "null"),
    ("localhost:8501", ""),
    ("localhost:8501", "localhost:8501"),
    ("localhost:8501", "file://localhost:8501"),
    ("localhost:8501", "chrome-extension://localhost:8501"),
    ("mlperf.lab", "https://mlperf.lab:8443"),
    ("mlperf.lab", "https://other.lab"),
)


def test_only_pages_of_the_same_name_and_port_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    state(monkeypatch)
    door = http.SameOrigin(nothing)
    assert all(door.admits(Headers({"host": host, "origin": origin})) for host, origin in SAME)
    assert [pair for pair in OTHER if door.admits(Headers({"host": pair[0], "origin": pair[1]}))] == []
    assert door.admits(Headers({"host": "localhost:8501"})), "a client that is no page"
    twice = [(b"host", b"localhost"), (b"origin", b"http://localhost"), (b"origin", b"http://localhost")]
    assert not door.admits(Headers(raw=twice))


def test_an_origin_behind_a_proxy_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    state(monkeypatch, corsAllowedOrigins=["https://mlperf.lab:8443/", "no origin"])
    door = http.SameOrigin(nothing)
    assert door.admits(Headers({"host": "mlperf.lab", "origin": "https://mlperf.lab:8443"}))
    assert not door.admits(Headers({"host": "mlperf.lab", "origin": "https://mlperf.lab:8444"}))
    assert not door.admits(Headers({"host": "mlperf.lab", "origin": "http://mlperf.lab:8443"}))


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page with a download, behind the door of the dashboard."""
    folder = tmp_path_factory.mktemp("http")
    yield from served(folder, "localhost")


APP = """
import streamlit as st
from ui import http

app = st.App("script.py", middleware=http.MIDDLEWARE, routes=http.ROUTES)
"""
AUDIT = """
import sys

log = open({calls!r}, "a", encoding="utf-8", buffering=1)

def note(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        print(event, arguments, file=log)

sys.addaudithook(note)
"""
"""Writes down each time that the process turns to a host, from its start."""


def served(folder: Path, listens_on: str, **settings: str) -> Iterator[str]:
    """A small app with our middleware."""
    (folder / "script.py").write_text("import streamlit as st\nst.title('Here')\n", encoding="utf-8")
    (folder / "app.py").write_text(APP, encoding="utf-8")
    (folder / "sitecustomize.py").write_text(AUDIT.format(calls=str(folder / "calls")), encoding="utf-8")
    port = serving.free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(folder / "app.py"), "--server.port", str(port)]
    settings |= {"PYTHONPATH": f".:{folder}"}
    with serving.serving([*command, "--server.address", listens_on], port, **settings) as address:
        yield address


def socket_status(address: str, host: str, origin: str | None = None) -> int:
    """What a web socket for a host is answered with; 101 when it opens."""
    port = urlsplit(address).port
    url = f"ws://{host}:{port}/_stcore/stream"
    try:
        with connect(url, sock=stranger.dial(address), close_timeout=0.1, origin=cast(Origin | None, origin)):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


def test_a_foreign_host_gets_nothing_but_the_health(address: str) -> None:
    for path in ("/", "/compare", "/_stcore/health", "/_stcore/host-config", "/media/x", "/static/index.html"):
        refused = stranger.ask(address, "GET", path, headers={"Host": "evil.example"})
        assert refused.status == 403
        assert b"--server.allowedHosts" in refused.content
        assert b"evil" not in refused.content
        assert refused.headers["content-security-policy"]
    assert stranger.ask(address, "GET", "/healthz", headers={"Host": "evil.example"}).content == b"ok\n"
    assert socket_status(address, "evil.example") == 403
    assert socket_status(address, "localhost") == 101
    assert stranger.ask(address, "PUT", "/healthz/../_stcore/upload_file/a/b", headers={"Host": "evil"}).status == 403


FOREIGN_PAGES = ("http://evil.example", "http://localhost:1", "https://localhost", "null")


def test_a_page_of_another_origin_gets_nothing(address: str) -> None:
    assert socket_status(address, "localhost", address) == 101
    for origin in FOREIGN_PAGES:
        assert socket_status(address, "localhost", origin) == 403
        for path in ("/", "/_stcore/health", "/_stcore/host-config", "/media/x"):
            assert stranger.ask(address, "GET", path, headers={"Origin": origin}).status == 403
        assert stranger.ask(address, "PUT", "/_stcore/upload_file/a/b", headers={"Origin": origin}).status == 403
        assert stranger.ask(address, "GET", "/healthz", headers={"Origin": origin}).content == b"ok\n"


@pytest.mark.parametrize("listens_on", ["localhost", "0.0.0.0"])
def test_the_server_asks_no_other_host_for_anything(tmp_path: Path, listens_on: str) -> None:
    calls = tmp_path / "calls"
    for address in served(tmp_path, listens_on):
        assert [socket_status(address, "localhost", origin) for origin in FOREIGN_PAGES] == [403] * 4
        assert socket_status(address, "localhost", address) == 101
    assert calls.read_text(encoding="utf-8") == ""


def test_the_server_answers_on_all_addresses_when_told_to(tmp_path: Path) -> None:
    for address in served(tmp_path, "0.0.0.0"):
        for host in ("localhost", "192.168.7.7", "127.0.0.1:1"):
            assert stranger.ask(address, "GET", "/", headers={"Host": host}).status == 200
        assert stranger.ask(address, "GET", "/", headers={"Host": "evil.example"}).status == 403
        assert socket_status(address, "127.0.0.1") == 101


def test_a_snapshot_that_changes_under_the_server_makes_it_unready(tmp_path: Path) -> None:
    data = shutil.copytree(ROOT / "data", tmp_path / "data")
    for address in served(tmp_path, "localhost", ROUNDTABLE_DATA=str(data)):
        answer = stranger.ask(address, "GET", "/readyz", headers={"Host": "10.0.0.1"})
        assert (answer.status, answer.content) == (200, b"ok\n")
        content = bytearray((data / "results.parquet").read_bytes())
        content[len(content) // 2] ^= 1
        (data / "results.parquet").write_bytes(content)
        answer = stranger.ask(address, "GET", "/readyz")
        assert answer.status == 503
        assert b"results.parquet: is not the file that SHA256SUMS states" in answer.content
        assert stranger.ask(address, "GET", "/healthz").status == 200


PATHS = {
    "/": 200,
    "/compare": 200,
    "/healthz": 200,
    "/readyz": 200,
    "/_stcore/health": 200,
    "/media/none.csv": 404,
    "/favicon.png": 200,
}


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_carries_the_headers_once(address: str, path: str) -> None:
    answer = stranger.ask(address, "GET", path)
    assert answer.status == PATHS[path]
    for name, value in http.SECURITY_HEADERS.items():
        if name != "Cache-Control":
            assert answer.headers[name.lower()] == value
    assert answer.headers["cache-control"]


def test_what_never_changes_may_be_cached_and_what_is_made_for_one_reader_may_not(address: str) -> None:
    index = stranger.ask(address, "GET", "/")
    [script] = re.findall(rb'src="\./(static/js/index\.[^"]+)"', index.content)
    assert index.headers["cache-control"] == "no-cache"
    assert "immutable" in stranger.ask(address, "GET", f"/{script.decode()}").headers["cache-control"]
    assert stranger.ask(address, "GET", "/healthz").headers["cache-control"] == "no-store"


def test_the_policy_forbids_what_would_let_a_stranger_in() -> None:
    policy = dict(part.split(" ", 1) for part in http.SECURITY_HEADERS["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert "'unsafe-inline'" not in policy["script-src"]
    assert "'unsafe-eval'" not in policy["script-src"].split()
    assert not re.search(r"https?:|\*|wss?:", " ".join(policy.values())), "no other host is named"


def test_the_settings_of_the_server_show_nobody_its_insides() -> None:
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert settings["client"]["showErrorDetails"] == "none"
    assert settings["client"]["showErrorLinks"] is False
    assert settings["server"]["enableXsrfProtection"] is True
    assert settings["server"]["enableStaticServing"] is False
    assert settings["server"]["maxUploadSize"] <= 1_000
    assert not {"enableAgentApi", "enableCORS", "corsAllowedOrigins"} & settings["server"].keys()
