"""The server answers for its own names only, and every answer carries the headers that protect its reader."""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import streamlit as st
from starlette.types import Receive, Scope, Send
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

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
    every = {"address": "localhost", "allowedHosts": [], "serverAddress": "localhost", **options}
    monkeypatch.setattr(st, "get_option", lambda name: every[name.split(".")[1]])
    monkeypatch.setattr(http.platform, "node", lambda: MACHINE)
    return http.KnownHosts(nothing)


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


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page with a download, behind the door of the dashboard."""
    folder = tmp_path_factory.mktemp("http")
    yield from served(folder, "localhost")


def served(folder: Path, listens_on: str) -> Iterator[str]:
    """A small app with our middleware."""
    (folder / "script.py").write_text("import streamlit as st\nst.title('Here')\n", encoding="utf-8")
    app = "import streamlit as st\nfrom ui import http\napp = st.App('script.py', middleware=http.MIDDLEWARE"
    (folder / "app.py").write_text(f"{app}, routes=http.ROUTES)\n", encoding="utf-8")
    port = serving.free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(folder / "app.py"), "--server.port", str(port)]
    with serving.serving(["env", "PYTHONPATH=.", *command, "--server.address", listens_on], port) as address:
        yield address


def socket_status(address: str, host: str) -> int:
    """What a web socket for a host is answered with; 101 when it opens."""
    port = urlsplit(address).port
    try:
        with connect(f"ws://{host}:{port}/_stcore/stream", sock=stranger.dial(address), close_timeout=0.1):
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


def test_the_server_answers_on_all_addresses_when_told_to(tmp_path: Path) -> None:
    for address in served(tmp_path, "0.0.0.0"):
        for host in ("localhost", "192.168.7.7", "127.0.0.1:1"):
            assert stranger.ask(address, "GET", "/", headers={"Host": host}).status == 200
        assert stranger.ask(address, "GET", "/", headers={"Host": "evil.example"}).status == 403
        assert socket_status(address, "127.0.0.1") == 101


PATHS = {
    "/": 200,
    "/compare": 200,
    "/healthz": 200,
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
