"""A client that is no browser: it speaks HTTP to the server as bytes, well or badly formed."""

import contextlib
import socket
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

BOUNDARY = "----tests"
SPOKEN = [Subprotocol("streamlit")]


@dataclass(frozen=True)
class Answer:
    """Status, headers (names in small letters) and content of a response."""

    status: int
    headers: dict[str, str]
    content: bytes


@dataclass(frozen=True)
class Session:
    """A session of the dashboard that is open."""

    address: str
    session_id: str
    token: str
    socket: ClientConnection
    paths: list[str] = field(default_factory=list)
    """Where something was or will be PUT."""

    def headers(self, **more: str) -> dict[str, str]:
        """What a browser sends with an upload, and more."""
        own = {"Cookie": f"_streamlit_xsrf={self.token}", "X-Xsrftoken": self.token}
        return {**own, "Content-Type": f"multipart/form-data; boundary={BOUNDARY}", **more}

    def path(self, file_id: str = "") -> str:
        """Where an upload of this session is PUT."""
        self.paths.append(f"/_stcore/upload_file/{self.session_id}/{file_id or uuid.uuid4()}")
        return self.paths[-1]

    def remove_all(self) -> None:
        """DELETE everything, as the uploader's crosses do."""
        for path in self.paths:
            ask(self.address, "DELETE", path, headers=self.headers())

    def put(self, body: bytes, path: str = "", headers: dict[str, str] | None = None) -> Answer:
        """PUT a body as a browser would."""
        return ask(self.address, "PUT", path or self.path(), body, self.headers() if headers is None else headers)

    def head_of_put(self, *lines: str, path: str = "") -> bytes:
        """The first lines of a PUT that is then written by hand."""
        every = [f"{name}: {value}" for name, value in self.headers().items()]
        host = urlsplit(self.address).netloc
        return "\r\n".join([f"PUT {path or self.path()} HTTP/1.1", f"Host: {host}", *every, *lines, "", ""]).encode()


def ask(address: str, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
    """Send a request and read the response."""
    connection = HTTPConnection(urlsplit(address).netloc, timeout=30)
    with contextlib.closing(connection):
        # A server that refuses may answer before it has read everything.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())


def dial(address: str) -> socket.socket:
    """A bare connection."""
    parts = urlsplit(address)
    return socket.create_connection((parts.hostname, parts.port), timeout=30)


@contextlib.contextmanager
def session(address: str) -> Iterator[Session]:
    """Open a session as a browser does: a token, a web socket, the first run of the page."""
    cookies = ask(address, "GET", "/_stcore/health").headers["set-cookie"]
    token = cookies.split("_streamlit_xsrf=")[1].split(";")[0].strip('"')
    url = f"ws://{urlsplit(address).netloc}/_stcore/stream"
    own = {"Cookie": f"_streamlit_xsrf={token}"}
    spoken = [*SPOKEN, Subprotocol(token)]
    # The page's answer is left unread, so there is no polite goodbye to wait for.
    with connect(url, subprotocols=spoken, additional_headers=own, max_size=None, close_timeout=0.1) as opened:
        message = BackMsg()
        message.rerun_script.query_string = ""
        opened.send(message.SerializeToString())
        while True:
            answer = ForwardMsg()
            answer.ParseFromString(opened.recv(timeout=30, decode=False))
            if answer.WhichOneof("type") == "new_session":
                break
        yield Session(address, answer.new_session.initialize.session_id, token, opened)


def form(content: bytes, name: str = "a.txt", field: str = "file") -> bytes:
    """A multipart body with one file, as a browser writes it."""
    quoted = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    return part(content, f'form-data; name="{field}"; filename="{quoted}"'.encode()) + ending()


def part(content: bytes, disposition: bytes) -> bytes:
    """One part of a multipart body."""
    head = b"--" + BOUNDARY.encode() + b"\r\nContent-Disposition: " + disposition
    return head + b"\r\nContent-Type: text/plain\r\n\r\n" + content + b"\r\n"


def ending() -> bytes:
    """The end of a multipart body."""
    return b"--" + BOUNDARY.encode() + b"--\r\n"


def files_in(folder: Path) -> list[Path]:
    """Every file and link below a folder."""
    return [path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()]
