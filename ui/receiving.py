"""Uploads on their way from the browser into files of a private folder, and away; `ui.uploads` hands them to readers.

Streamlit would hold every uploaded file in memory until its session ends. `Uploads` stands before its upload route and
puts the bytes on disk; what Streamlit then holds as the file is a receipt of a few bytes. Streamlit's own checks come
first (XSRF, session, length): the body is not read before they have passed. What a file means is for `loaders` to say.
"""

import asyncio
import errno
import fcntl
import logging
import os
import re
import secrets
import shutil
import tempfile
import threading
import time
import weakref
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO, Final

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import runtime

PREFIX: Final = "roundtable-uploads-"
"""How the private folders are called, in the system's folder for temporary files (`TMPDIR`)."""

SESSION_MB: Final = "ROUNDTABLE_WAITING_MB"
"""Environment variable: megabytes that one browser session may have waiting or in work at a time."""

SESSION_FILES: Final = "ROUNDTABLE_WAITING_FILES"
"""Environment variable: files that one browser session may have waiting or in work at a time."""

TOTAL_MB: Final = "ROUNDTABLE_WAITING_TOTAL_MB"
"""Environment variable: megabytes that all sessions together may have waiting or in work."""

MEGABYTE: Final = 1 << 20  # as server.maxUploadSize counts
CHUNK: Final = 1 << 20
FRAMING: Final = 1 << 16
"""What a body may have beside its file: the lines around it and its headers."""

SWEEP_SECONDS: Final = 5.0
RECEIPT: Final = b"roundtable-upload:"
FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_LOG: Final = logging.getLogger(__name__)
_OPENING: Final = threading.Lock()


@dataclass(frozen=True)
class Limits:
    """The most that uploads may take of this machine; each is checked while bytes come, not only when announced."""

    file_bytes: int
    session_bytes: int
    session_files: int
    total_bytes: int
    idle_seconds: float = 60.0
    """How long nothing may come before an upload counts as cut off."""

    @classmethod
    def of_settings(cls) -> "Limits":
        """The limits of `server.maxUploadSize` and the environment. Raises `DashboardError` on what is no number."""
        return cls(
            file_bytes=int(st.get_option("server.maxUploadSize")) * MEGABYTE,
            session_bytes=_number(SESSION_MB, 1_000) * MEGABYTE,
            session_files=_number(SESSION_FILES, 20_000),
            total_bytes=_number(TOTAL_MB, 5_000) * MEGABYTE,
        )


@dataclass(frozen=True)
class Held:
    """One file in the folder."""

    path: Path
    session_id: str
    file_id: str
    size: int

    @property
    def receipt(self) -> bytes:
        """What Streamlit holds in place of the content; the token is told to nobody."""
        return RECEIPT + self.path.name.encode("ascii")


class Shelf:
    """The folder of this process, which files lie in it for whom, and how much they take. Safe for threads."""

    def __init__(self) -> None:
        _remove_leftovers()
        self.folder, lock_of_folder = _private_folder()
        self.close = weakref.finalize(self, _end, self.folder, lock_of_folder)
        """Delete the folder with all that is in it; happens by itself when the process ends."""
        self._lock = threading.Lock()
        self._held: dict[str, dict[bytes, Held]] = {}  # session, receipt
        self._bytes: Counter[str] = Counter()
        self._files: Counter[str] = Counter()
        self._last_seen: dict[str, float] = {}

    def new_path(self) -> Path:
        """A path in the folder under which nothing lies and which nobody can guess."""
        return self.folder / secrets.token_hex(32)

    def reserve(self, session_id: str, size: int, limits: Limits) -> bool:
        """Count bytes that have come for a session; whether it and all sessions may have them."""
        with self._lock:
            if self._bytes[session_id] + size > limits.session_bytes or self._bytes.total() + size > limits.total_bytes:
                return False
            self._bytes[session_id] += size
            return True

    def reserve_file(self, session_id: str, limits: Limits) -> bool:
        """Count a file of a session; whether it may have one more."""
        with self._lock:
            if self._files[session_id] >= limits.session_files:
                return False
            self._files[session_id] += 1
            return True

    def release(self, session_id: str, size: int, files: int) -> None:
        """Take back what was reserved."""
        with self._lock:
            self._bytes[session_id] -= size
            self._files[session_id] -= files
            if not self._files[session_id]:
                del self._bytes[session_id], self._files[session_id]

    def keep(self, held: Held) -> None:
        """From now on `take` finds the file."""
        with self._lock:
            self._held.setdefault(held.session_id, {})[held.receipt] = held
            self._last_seen.setdefault(held.session_id, time.monotonic())

    def take(self, receipt: bytes) -> Held | None:
        """Hand the file over: the caller deletes it or gives it back. None when it is not here."""
        with self._lock:
            for session_id, files in self._held.items():
                if held := files.pop(receipt, None):
                    if not files:
                        del self._held[session_id], self._last_seen[session_id]
                    return held
        return None

    def delete(self, held: Held) -> None:
        """Delete a file that was taken."""
        held.path.unlink(missing_ok=True)
        self.release(held.session_id, held.size, 1)

    def write(self, content: bytes) -> Held:
        """A file of what did not come through `Uploads` (in AppTest), as if it was taken."""
        held = Held(self.new_path(), "", "", len(content))
        with self._lock:
            self._bytes[""] += held.size
            self._files[""] += 1
        with _create(held.path) as file:
            file.write(content)
        return held

    def forget(self, session_id: str, file_id: str) -> None:
        """Delete what its owner has removed; what is being read goes when it was read."""
        with self._lock:
            removed = [held for held in self._held.get(session_id, {}).values() if held.file_id == file_id]
        for held in removed:
            if self.take(held.receipt):
                self.delete(held)

    def sweep(self) -> None:
        """Delete what Streamlit no longer holds (removed, uploaded anew, session closed), or of a session long gone."""
        for session_id, files in self._sessions():
            known = _receipts(session_id, [held.file_id for held in files]) if not self._is_gone(session_id) else set()
            for held in files:
                if held.receipt not in known and self.take(held.receipt):
                    self.delete(held)

    def _sessions(self) -> list[tuple[str, list[Held]]]:
        with self._lock:
            return [(session_id, list(files.values())) for session_id, files in self._held.items()]

    def _is_gone(self, session_id: str) -> bool:
        """Whether a browser has been away for so long that it can no longer return to its session."""
        now = time.monotonic()
        with self._lock:
            if runtime.exists() and runtime.get_instance().is_active_session(session_id):
                if session_id in self._last_seen:
                    self._last_seen[session_id] = now
                return False
            return now - self._last_seen.get(session_id, now) > float(st.get_option("server.disconnectedSessionTTL"))


class Uploads:
    """Before Streamlit's upload route: what is PUT there goes to the shelf, and Streamlit gets a receipt for it."""

    def __init__(self, app: ASGIApp, limits: Limits | None = None) -> None:
        self.app = app
        self.limits = limits or Limits.of_settings()
        base = "/".join(filter(None, [st.get_option("server.baseUrlPath").strip("/"), "_stcore/upload_file"]))
        self.route = re.compile(rf"/{re.escape(base)}/(?P<session_id>[^/]+)/(?P<file_id>[^/]+)")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        place = self.route.fullmatch(scope["path"]) if scope["type"] == "http" else None
        if place and scope["method"] == "PUT":
            await self._put(_Arrival(shelf(), self.limits, **place.groupdict()), scope, receive, send)
            return
        if place and scope["method"] == "DELETE":
            send = _deleting(send, **place.groupdict())
        await self.app(scope, receive, send)

    async def _put(self, arrival: "_Arrival", scope: Scope, receive: Receive, send: Send) -> None:
        boundary = secrets.token_hex(16)

        async def receive_receipt() -> Message:
            if arrival.held is not None:
                return await receive()
            body = await arrival.receive(Request(scope, receive), boundary)
            return {"type": "http.request", "body": body, "more_body": False}

        async def send_and_keep(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 300:
                arrival.keep()
            await send(message)

        rewritten = {**scope, "headers": list(scope["headers"])}
        MutableHeaders(scope=rewritten)["content-type"] = f"multipart/form-data; boundary={boundary}"
        with suppress(ClientDisconnect):  # nobody is left to be answered
            try:
                await self.app(rewritten, receive_receipt, send_and_keep)
            finally:
                arrival.drop_unless_kept()


class _Arrival:
    """One upload while it comes in; what goes wrong is an `HTTPException` that Streamlit's route answers with."""

    def __init__(self, on: Shelf, limits: Limits, session_id: str, file_id: str) -> None:
        self.shelf, self.limits, self.session_id, self.file_id = on, limits, session_id, file_id
        self.path = on.new_path()
        self.held: Held | None = None
        self._received = 0
        self._is_counted = False
        self._is_kept = False

    async def receive(self, request: Request, boundary: str) -> bytes:
        """Put the file of a multipart body on disk; the same body with its receipt instead."""
        self._is_counted = self.shelf.reserve_file(self.session_id, self.limits)
        if not self._is_counted:
            raise HTTPException(413, "Too many files; remove some, or wait until they are read.")
        counted = Request(request.scope, self._counted(request.receive))
        try:
            # Starlette collects a part in a temporary file without a name, which ends with the connection.
            async with counted.form(max_files=1, max_fields=0) as form:
                [upload] = _files(list(form.values()))
                if (upload.size or 0) > self.limits.file_bytes:
                    raise HTTPException(413, "File too large")
                await run_in_threadpool(_copy, upload.file, self.path)
        except OSError as fault:
            if fault.errno not in FULL:
                raise
            raise HTTPException(507, "No space is left on the server") from fault
        self.held = Held(self.path, self.session_id, self.file_id, upload.size or 0)
        return _body(upload, self.held.receipt, boundary)

    def _counted(self, receive: Receive) -> Receive:
        """`receive` within the limits."""

        async def receive_some() -> Message:
            try:
                message = await asyncio.wait_for(receive(), self.limits.idle_seconds)
            except TimeoutError as fault:
                raise HTTPException(408, "Nothing came for too long") from fault
            size = len(message.get("body", b""))
            if self._received + size > self.limits.file_bytes + FRAMING:
                raise HTTPException(413, "File too large")
            if not self.shelf.reserve(self.session_id, size, self.limits):
                raise HTTPException(413, "Too many bytes at a time; remove some files, or wait until they are read.")
            self._received += size
            return message

        return receive_some

    def keep(self) -> None:
        """Streamlit has accepted the receipt."""
        if self.held is not None:
            self.shelf.release(self.session_id, self._received - self.held.size, 0)
            self.shelf.keep(self.held)
            self._is_kept = True

    def drop_unless_kept(self) -> None:
        """Leave nothing of an upload that failed."""
        if not self._is_kept and self._is_counted:
            self.path.unlink(missing_ok=True)
            self.shelf.release(self.session_id, self._received, 1)


@asynccontextmanager
async def sweeping() -> AsyncIterator[None]:
    """Sweep the shelf while the server runs. What a process that was killed has left goes at the start."""
    task = asyncio.create_task(_sweep_for_ever(shelf()))
    try:
        yield
    finally:
        task.cancel()
        shelf().close()  # uvicorn ends by the signal that it got, and then nothing happens at exit


def shelf() -> Shelf:
    """The shelf of this process."""
    with _OPENING:
        return _opened()


@cache
def _opened() -> Shelf:
    return Shelf()


async def _sweep_for_ever(swept: Shelf) -> None:
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        try:
            await run_in_threadpool(swept.sweep)
        except OSError:  # the next sweep tries again
            _LOG.exception("Uploads that nobody holds any more could not be deleted from %s", swept.folder)


def _deleting(send: Send, session_id: str, file_id: str) -> Send:
    """Delete what Streamlit has just forgotten, before it says so."""

    async def delete_and_send(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] < 300:
            await run_in_threadpool(shelf().forget, session_id, file_id)
        await send(message)

    return delete_and_send


def _receipts(session_id: str, file_ids: list[str]) -> set[bytes]:
    """What Streamlit holds of these files."""
    if not runtime.exists():
        return set()
    return {record.data for record in runtime.get_instance().uploaded_file_mgr.get_files(session_id, file_ids)}


def _files(values: Sequence[UploadFile | str]) -> list[UploadFile]:
    found = [value for value in values if isinstance(value, UploadFile)]
    if len(found) != 1:
        raise HTTPException(400, f"Expected 1 file, but got {len(found)}")
    return found


def _copy(source: BinaryIO, path: Path) -> None:
    source.seek(0)
    with _create(path) as target:
        shutil.copyfileobj(source, target, CHUNK)


def _create(path: Path) -> BinaryIO:
    """A new file that only we may read; never one that is there already, never through a link."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _body(upload: UploadFile, receipt: bytes, boundary: str) -> bytes:
    """A multipart body with the headers of the owner's file, byte for byte, and the receipt as its content."""
    headers = b"".join(name + b": " + value + b"\r\n" for name, value in upload.headers.raw)
    line = b"--" + boundary.encode("ascii")
    return line + b"\r\n" + headers + b"\r\n" + receipt + b"\r\n" + line + b"--\r\n"


def _number(variable: str, default: int) -> int:
    text = os.environ.get(variable) or str(default)
    if not (text.isdecimal() and text.isascii() and int(text)):
        from mlperf.errors import DashboardError  # the door loads nothing of what a result is unless it fails

        raise DashboardError(f"{variable}={text!r} is no whole number above 0.", fix="Correct or unset it.")
    return int(text)


def _private_folder() -> tuple[Path, int]:
    """A new folder of mode 0700 and the lock that says, while this process lives, that it is in use."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        with suppress(FileNotFoundError):  # another process took it for a leftover before it was locked
            lock = os.open(folder, os.O_RDONLY)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if folder.exists():
                return folder, lock
            os.close(lock)


def _end(folder: Path, lock: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(lock)


def _remove_leftovers() -> None:
    """Delete the folders of processes that were killed: those of ours that nobody has locked."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):  # a link, another user's, or another process is at it too
            if folder.lstat().st_uid != os.getuid():
                continue
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)
