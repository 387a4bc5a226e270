"""Uploads end in files of a private folder under names of our own, within the limits, and nothing of them stays."""

import asyncio
import contextlib
import errno
import os
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec
from websockets.exceptions import ConnectionClosed

from mlperf.errors import DashboardError
from tests.browser import serving
from tests.ui import stranger
from ui import receiving, uploads

MB = 1 << 20
TOKEN = re.compile("[0-9a-f]{64}")
NAMES = (
    "../../etc/passwd",
    "..\\..\\windows\\system32\\evil.dll",
    "/etc/cron.d/evil",
    "a\0b.txt",
    "x" * 3_000,
    "x" * 10_000,
    "\u202etxt.exe",
    "<img src=x onerror=alert(1)>.csv",
    "=cmd|' /C calc'!A0",
    "",
    ".",
    "con",
    "\udcff\udcfe",
)


@dataclass(frozen=True)
class Server:
    """A running dashboard and where it puts uploads."""

    address: str
    folder: Path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("uploads")
    port = serving.free_port()
    with serving.serving(command(port, folder), port) as address:
        yield Server(address, folder)
    assert not list(folder.iterdir()), "a server that ends takes its folder with it"


def command(port: int, folder: Path) -> list[str]:
    """The dashboard with small limits."""
    limits = [f"{receiving.SESSION_MB}=8", f"{receiving.SESSION_FILES}=20", f"{receiving.TOTAL_MB}=40"]
    options = ["--server.maxUploadSize=3", "--server.disconnectedSessionTTL=1"]
    return ["env", f"TMPDIR={folder}", *limits, *serving.dashboard(port), *options]


@pytest.fixture
def visitor(server: Server) -> Iterator[stranger.Session]:
    """A session with nothing uploaded; the server is in good health after the test."""
    eventually(lambda: not stranger.files_in(server.folder), "what earlier sessions left is gone", 20)
    with stranger.session(server.address) as session:
        yield session
        assert stranger.ask(server.address, "GET", "/healthz").status == 200
        assert session.put(stranger.form(b"still alive")).status == 204
        session.remove_all()
        assert not stranger.files_in(server.folder)


def eventually(is_true: Callable[[], bool], what: str, seconds: float = 15) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def test_an_upload_lies_in_a_private_file_under_a_name_of_ours(server: Server, visitor: stranger.Session) -> None:
    content = os.urandom(2 * MB)
    assert visitor.put(stranger.form(content, "mine.zip")).status == 204
    [path] = stranger.files_in(server.folder)
    assert path.read_bytes() == content
    assert TOKEN.fullmatch(path.name)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.parent.parent == server.folder


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name[:20]))
def test_no_file_name_becomes_a_path(server: Server, visitor: stranger.Session, name: str) -> None:
    raw = name.encode("utf-8", "surrogateescape")
    disposition = b'form-data; name="file"; filename="' + raw + b'"'
    answer = visitor.put(stranger.part(b"content", disposition) + stranger.ending())
    kept = stranger.files_in(server.folder)
    if len(name) > 4_096:  # more than any file system's path
        assert (answer.status, kept) == (400, [])
    else:
        assert answer.status == 204
        [path] = kept
        assert TOKEN.fullmatch(path.name)
        assert path.read_bytes() == b"content"


def test_a_file_id_is_no_path_either(server: Server, visitor: stranger.Session) -> None:
    for file_id in ("..%2f..%2fevil", "%2e%2e", "a%00b", "x" * 4_000):
        answer = visitor.put(stranger.form(b"content"), visitor.path(file_id))
        assert answer.status in {204, 400, 404, 405}, file_id
    assert all(TOKEN.fullmatch(path.name) for path in stranger.files_in(server.folder))


@pytest.mark.parametrize("token", [None, "", "2|00000000|00|0", "guessed"])
def test_without_the_token_of_the_page_nothing_is_taken(
    server: Server, visitor: stranger.Session, token: str | None
) -> None:
    headers = visitor.headers()
    del headers["X-Xsrftoken"]
    if token is not None:
        headers["X-Xsrftoken"] = token
    assert visitor.put(stranger.form(b"content"), headers=headers).status == 403
    assert not stranger.files_in(server.folder)


def test_without_a_session_nothing_is_taken(server: Server, visitor: stranger.Session) -> None:
    for path in ("/_stcore/upload_file/nobody/1", "/_stcore/upload_file/6f1c9a52-0000-4000-8000-000000000000/1"):
        assert visitor.put(stranger.form(b"content"), path).status == 400
    assert not stranger.files_in(server.folder)


def test_what_is_refused_is_not_read(server: Server, visitor: stranger.Session) -> None:
    with stranger.dial(server.address) as connection:
        head = visitor.head_of_put("Content-Length: 2000000", path="/_stcore/upload_file/nobody/1")
        connection.sendall(head)  # and nothing more
        assert b" 400 " in connection.recv(4096).split(b"\r\n")[0]


def test_more_than_the_limit_is_refused_by_its_announced_length(server: Server, visitor: stranger.Session) -> None:
    assert visitor.put(stranger.form(b"x" * (3 * MB + 1))).status == 413
    assert not stranger.files_in(server.folder)


def chunked(connection: Any, pieces: list[bytes]) -> bytes:
    """Send a body in chunks, and the first line of the answer."""
    try:
        for piece in pieces:
            connection.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        connection.sendall(b"0\r\n\r\n")
    except (BrokenPipeError, ConnectionResetError):
        return b"HTTP/1.1 413 closed while we were still sending"
    return bytes(connection.recv(4096).split(b"\r\n")[0])


def test_more_than_the_limit_is_refused_while_it_comes(server: Server, visitor: stranger.Session) -> None:
    for over in (1, 20 * MB):
        with stranger.dial(server.address) as connection:
            connection.sendall(visitor.head_of_put("Transfer-Encoding: chunked"))
            body = stranger.form(b"x" * (3 * MB + over))
            pieces = [body[at : at + MB] for at in range(0, len(body), MB)]
            assert b" 413 " in chunked(connection, pieces)
    assert not stranger.files_in(server.folder)


def test_an_upload_without_a_length_is_taken_whole(server: Server, visitor: stranger.Session) -> None:
    content = os.urandom(3 * MB)
    body = stranger.form(content)
    with stranger.dial(server.address) as connection:
        connection.sendall(visitor.head_of_put("Transfer-Encoding: chunked"))
        assert b" 204 " in chunked(connection, [body[at : at + 7_777] for at in range(0, len(body), 7_777)])
    [path] = stranger.files_in(server.folder)
    assert path.read_bytes() == content


def test_a_connection_that_drops_half_way_leaves_nothing(server: Server, visitor: stranger.Session) -> None:
    body = stranger.form(os.urandom(2 * MB))
    for _ in range(3):
        with stranger.dial(server.address) as connection:
            connection.sendall(visitor.head_of_put(f"Content-Length: {len(body)}") + body[: 3 * MB // 2])
            eventually(lambda: bool(open_files(server.folder)), "what has come is on disk")
    eventually(lambda: not open_files(server.folder), "no partial file is open any more")
    assert not stranger.files_in(server.folder)
    for _ in range(4):  # and nothing of it counts: 4 x 1.9 MB fit into 8 MB
        assert visitor.put(stranger.form(b"x" * (19 * MB // 10))).status == 204


def open_files(folder: Path) -> list[str]:
    """What processes hold open below a folder, deleted files too."""
    links = [path.readlink() for path in Path("/proc").glob("[0-9]*/fd/*") if os.access(path, os.R_OK)]
    return [
        str(link) for link in links if str(link).startswith(str(folder)) and "/" + receiving.PREFIX not in str(link)
    ]


FILE = b'form-data; name="file"; filename="a.txt"'
BROKEN = {
    "no part": stranger.ending(),
    "nothing": b"",
    "two files": stranger.part(b"1", FILE) + stranger.part(b"2", FILE) + stranger.ending(),
    "a thousand files": stranger.part(b"1", FILE) * 1_000 + stranger.ending(),
    "a thousand fields": stranger.part(b"1", b'form-data; name="a"') * 1_000 + stranger.form(b"1"),
    "a field alone": stranger.part(b"1", b'form-data; name="file"') + stranger.ending(),
    "no disposition": b"--" + stranger.BOUNDARY.encode() + b"\r\n\r\n1\r\n" + stranger.ending(),
    "another boundary": stranger.form(b"1").replace(stranger.BOUNDARY.encode(), b"----other"),
    "no multipart": b"\x00\xff" * 1_000,
    "endless header": b"--" + stranger.BOUNDARY.encode() + b"\r\nX: " + b"a" * 100_000,
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_a_body_that_is_not_one_file_is_refused(server: Server, visitor: stranger.Session, body: bytes) -> None:
    assert visitor.put(body).status == 400
    assert not stranger.files_in(server.folder)


@pytest.mark.parametrize("kind", ["", "text/plain", "application/json", "multipart/form-data", "multipart/mixed; a=b"])
def test_a_body_of_another_type_is_refused(server: Server, visitor: stranger.Session, kind: str) -> None:
    assert visitor.put(stranger.form(b"1"), headers=visitor.headers(**{"Content-Type": kind})).status == 400
    assert not stranger.files_in(server.folder)


def test_a_body_that_ends_before_its_file_does_is_never_taken_for_whole(
    server: Server, visitor: stranger.Session
) -> None:
    body = stranger.form(b"x" * 1_000)
    assert visitor.put(body[: body.index(b"xxx") + 500]).status == 400
    assert not stranger.files_in(server.folder)


def test_a_session_has_a_limit_and_gets_its_room_back(server: Server, visitor: stranger.Session) -> None:
    paths = [visitor.path() for _ in range(3)]
    big = stranger.form(b"x" * (5 * MB // 2))
    assert [visitor.put(big, path).status for path in paths] == [204, 204, 204]
    assert visitor.put(big).status == 413
    assert len(stranger.files_in(server.folder)) == 3
    assert stranger.ask(server.address, "DELETE", paths[0], headers=visitor.headers()).status == 204
    assert len(stranger.files_in(server.folder)) == 2
    assert visitor.put(big).status == 204


def test_a_session_has_a_limit_of_files(server: Server, visitor: stranger.Session) -> None:
    path = visitor.path()
    assert visitor.put(stranger.form(b"x"), path).status == 204
    assert {visitor.put(stranger.form(b"x")).status for _ in range(19)} == {204}
    assert visitor.put(stranger.form(b"x")).status == 413
    stranger.ask(server.address, "DELETE", path, headers=visitor.headers())  # so `visitor` can bring one more


def test_an_upload_in_the_place_of_another_replaces_it(server: Server, visitor: stranger.Session) -> None:
    path = visitor.path()
    assert visitor.put(stranger.form(b"old"), path).status == 204
    assert visitor.put(stranger.form(b"new"), path).status == 204
    eventually(lambda: len(stranger.files_in(server.folder)) == 1, "the old file is deleted")
    assert stranger.files_in(server.folder)[0].read_bytes() == b"new"


def test_who_leaves_leaves_nothing(server: Server) -> None:
    with stranger.session(server.address) as session:
        assert session.put(stranger.form(b"mine")).status == 204
        assert len(stranger.files_in(server.folder)) >= 1
        time.sleep(receiving.SWEEP_SECONDS + 2)
        assert len(stranger.files_in(server.folder)) == 1, "who is there keeps what they have"
    eventually(lambda: not stranger.files_in(server.folder), "the file is deleted after the session")


def test_twenty_sessions_at_once_keep_all_their_uploads(server: Server) -> None:
    contents = [os.urandom(MB // 2 + number) for number in range(20)]
    statuses: list[int] = []
    all_there = threading.Barrier(21)

    def bring(content: bytes) -> None:
        with stranger.session(server.address) as session:
            statuses.append(session.put(stranger.form(content)).status)
            all_there.wait(60)
            all_there.wait(60)

    threads = [threading.Thread(target=bring, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    all_there.wait(60)
    try:
        assert sorted(path.read_bytes() for path in stranger.files_in(server.folder)) == sorted(contents)
        assert statuses == [204] * 20
    finally:
        all_there.wait(60)
        for thread in threads:
            thread.join()


def test_what_a_killed_server_left_is_deleted_by_the_next_and_a_living_ones_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, elsewhere = tmp_path / "temporary", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    (elsewhere / "file").write_text("mine")
    (folder / f"{receiving.PREFIX}link").symlink_to(elsewhere, target_is_directory=True)
    ports = [serving.free_port(), serving.free_port()]
    killed = subprocess.Popen(command(ports[0], folder), start_new_session=True, stdout=subprocess.DEVNULL)
    try:
        eventually(lambda: serving.is_listening(ports[0]), "it serves", 60)
        with contextlib.suppress(ConnectionClosed), stranger.session(f"http://localhost:{ports[0]}") as session:
            assert session.put(stranger.form(b"left")).status == 204
            killed.kill()
            killed.wait()
    finally:
        serving.stop(killed)
    left = {path for path in stranger.files_in(folder) if not path.is_symlink()}
    assert [path.read_bytes() for path in left] == [b"left"]
    with serving.serving(command(ports[1], folder), ports[1]) as address, stranger.session(address) as session:
        assert not any(path.exists() for path in left)
        assert session.put(stranger.form(b"living")).status == 204
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        receiving.Shelf().close()  # a third process starts and ends
        [path] = [path for path in stranger.files_in(folder) if not path.is_symlink()]
        assert path.read_bytes() == b"living"
    assert (elsewhere / "file").read_text() == "mine"


LIMITS = receiving.Limits(file_bytes=MB, session_bytes=2 * MB, session_files=3, total_bytes=3 * MB, idle_seconds=0.2)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[receiving.Shelf]:
    """A shelf of the test's own, which must have given back all room at the end."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    fresh = receiving.Shelf()
    monkeypatch.setattr(receiving, "shelf", lambda: fresh)
    yield fresh
    fresh.close()
    assert not list(tmp_path.iterdir())


def put(messages: list[Message], status: int = 204, limits: receiving.Limits = LIMITS) -> tuple[int, list[bytes]]:
    """PUT what these messages bring to a route that answers with `status`; what it answered and what it was brought."""
    brought: list[bytes] = []
    answered: list[int] = []

    async def route(request: Request) -> Response:
        async with request.form() as form:
            for upload in form.values():
                assert not isinstance(upload, str)
                brought.append(await upload.read())
        return Response(status_code=status)

    inner = Starlette(routes=[Route("/_stcore/upload_file/{session_id}/{file_id}", route, methods=["PUT"])])
    waiting = iter(messages)

    async def receive() -> Message:
        for message in waiting:
            return message
        await asyncio.sleep(60)
        raise AssertionError("nobody waits so long")

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answered.append(message["status"])

    scope = {
        "type": "http", "method": "PUT", "path": "/_stcore/upload_file/anna/1", "raw_path": b"", "query_string": b"",
        "root_path": "", "scheme": "http", "server": ("localhost", 1), "app": inner,
        "headers": [(b"content-type", f"multipart/form-data; boundary={stranger.BOUNDARY}".encode())],
    }  # fmt: skip
    with ThreadPoolExecutor(1) as pool:  # a browser test of the same process may have left a loop running in this one
        pool.submit(asyncio.run, receiving.Uploads(inner, limits)(scope, receive, send)).result()
    return (answered or [0])[0], brought


def body_of(content: bytes, more_body: bool = False) -> Message:
    return {"type": "http.request", "body": stranger.form(content), "more_body": more_body}


def test_streamlit_holds_a_receipt_and_the_reader_gets_the_file(shelf: receiving.Shelf) -> None:
    status, [receipt] = put([body_of(b"content " * 100)])
    assert status == 204
    assert len(receipt) < 100
    with uploads.on_disk(uploaded(receipt, "runs/result_0.txt")) as [upload]:
        assert upload.path.read_bytes() == b"content " * 100
        assert (upload.name, upload.size) == ("runs/result_0.txt", 800)
    assert not stranger.files_in(shelf.folder)
    with pytest.raises(DashboardError, match="no longer on this server"), uploads.on_disk(uploaded(receipt)):
        pass


def uploaded(content: bytes, name: str = "a.txt") -> UploadedFile:
    """What `st.file_uploader` returns."""
    return UploadedFile(UploadedFileRec("1", name, "text/plain", content), FileURLs())


def test_an_upload_that_stops_coming_is_cut_off(shelf: receiving.Shelf) -> None:
    assert put([{"type": "http.request", "body": stranger.form(b"x")[:50], "more_body": True}]) == (408, [])
    assert not stranger.files_in(shelf.folder)


def test_an_upload_that_streamlit_refuses_after_all_is_not_kept(shelf: receiving.Shelf) -> None:
    status, [receipt] = put([body_of(b"x")], status=500)
    assert status == 500
    assert not stranger.files_in(shelf.folder)
    assert shelf.take(receipt) is None


@pytest.mark.parametrize("code, status", [(errno.ENOSPC, 507), (errno.EDQUOT, 507)])
def test_a_full_disk_is_said_and_leaves_nothing(
    shelf: receiving.Shelf, monkeypatch: pytest.MonkeyPatch, code: int, status: int
) -> None:
    def full(source: Any, target: Any, _: int) -> None:
        target.write(source.read(10))
        raise OSError(code, "full")

    with monkeypatch.context() as patched:
        patched.setattr("ui.receiving.shutil.copyfileobj", full)
        assert put([body_of(b"x" * 1_000)]) == (status, [])
    assert not stranger.files_in(shelf.folder)
    assert [put([body_of(b"x" * 600_000)])[0] for _ in range(4)] == [204, 204, 204, 413], "what failed does not count"


def test_all_sessions_together_have_a_limit(shelf: receiving.Shelf) -> None:
    limits = replace(LIMITS, total_bytes=1_000_000)
    assert put([body_of(b"x" * 600_000)], limits=limits)[0] == 204
    assert put([body_of(b"x" * 600_000)], limits=limits)[0] == 413


def test_several_files_are_read_together_and_all_are_deleted_after_an_error(shelf: receiving.Shelf) -> None:
    receipts = [put([body_of(content)])[1][0] for content in (b"one", b"two")]
    files = [uploaded(receipt, f"folder/{number}.txt") for number, receipt in enumerate(receipts)]
    read = []

    def read_and_fail() -> None:
        with uploads.on_disk(files) as found:
            read.extend((upload.name, upload.path.read_bytes()) for upload in found)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        read_and_fail()
    assert read == [("folder/0.txt", b"one"), ("folder/1.txt", b"two")]
    assert not stranger.files_in(shelf.folder)


def test_a_script_that_is_stopped_while_it_reads_can_read_again(shelf: receiving.Shelf) -> None:
    _, [receipt] = put([body_of(b"content")])
    with pytest.raises(KeyboardInterrupt), uploads.on_disk(uploaded(receipt)):
        raise KeyboardInterrupt  # as Streamlit's own exceptions, no `Exception`
    with uploads.on_disk(uploaded(receipt)) as [upload]:
        assert upload.path.read_bytes() == b"content"
    assert not stranger.files_in(shelf.folder)


def test_one_file_that_is_gone_leaves_none_of_the_others(shelf: receiving.Shelf) -> None:
    _, [receipt] = put([body_of(b"content")])
    gone = uploaded(receiving.RECEIPT + b"0" * 64, "gone.txt")
    with pytest.raises(DashboardError, match=r"gone\.txt"), uploads.on_disk([uploaded(receipt), gone]):
        pass
    assert not stranger.files_in(shelf.folder)


def test_what_did_not_come_through_the_server_is_read_too(shelf: receiving.Shelf) -> None:
    """AppTest hands the content itself to `st.file_uploader`."""
    with uploads.on_disk([uploaded(b"content"), uploaded(b"")]) as found:
        assert [(upload.path.read_bytes(), upload.size) for upload in found] == [(b"content", 7), (b"", 0)]
    assert not stranger.files_in(shelf.folder)


@pytest.mark.parametrize(
    "name, shown",
    [
        ("../../etc/passwd", "etc/passwd"),
        ("/abs/file", "abs/file"),
        ("a\\b\\..\\c.txt", "a/b/c.txt"),
        ("\u202etxt.exe", "(U+202E)txt.exe"),
        ("x" * 300, "x" * 254 + "…"),
        ("<b>&.csv", "<b>&.csv"),
    ],
)
def test_a_name_is_tidied_for_people(shelf: receiving.Shelf, name: str, shown: str) -> None:
    with uploads.on_disk(uploaded(b"1", name)) as [upload]:
        assert upload.name == shown
        assert TOKEN.fullmatch(upload.path.name)


@pytest.mark.parametrize("text", ["-1", "0", "many", "1.5", "١"])
def test_a_setting_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(receiving.TOTAL_MB, text)
    with pytest.raises(DashboardError, match=receiving.TOTAL_MB):
        receiving.Limits.of_settings()


def test_below_a_path_of_a_proxy_uploads_are_caught_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving.st, "get_option", lambda _: "/tools/mlperf/")
    door = receiving.Uploads(Starlette(), LIMITS)
    assert door.route.fullmatch("/tools/mlperf/_stcore/upload_file/anna/1")
    assert not door.route.fullmatch("/_stcore/upload_file/anna/1")
