"""What the server answers beside Streamlit: a health check, every response's headers, and for which hosts it answers.

No compression: Streamlit's own covers what it pays for, and the large static files are fetched once and kept.
"""

import base64
import hashlib
import ipaddress
import platform
import re
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.receiving import Uploads
from ui.whose import SessionCookie, is_loopback

HEALTH: Final = "/healthz"
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
INDEX: Final = Path(st.__file__).with_name("static") / "index.html"


def _policy(index: str) -> str:
    """The content security policy: what it does not name is forbidden. `index` is Streamlit's page, with its script."""
    scripts = re.findall(r"<script>(.*?)</script>", index, re.DOTALL)
    hashes = (base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii") for script in scripts)
    allowed = {
        "default-src": "'none'",
        # blob: components of ours. wasm-unsafe-eval: how Streamlit's front end counts in 64 bits; text stays text.
        "script-src": " ".join(["'self'", "blob:", "'wasm-unsafe-eval'", *(f"'sha256-{one}'" for one in hashes)]),
        "style-src": "'self' 'unsafe-inline'",  # Streamlit and Plotly style what they draw as they draw it
        "img-src": "'self' blob: data:",  # blob: charts on their way to a PNG
        "font-src": "'self' data:",
        "connect-src": "'self'",  # the web socket too
        "worker-src": "'self' blob:",
        "manifest-src": "'self'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'self'",  # no other site shows us in a frame and steals clicks
    }
    return "; ".join(f"{name} {sources}" for name, sources in allowed.items())


SECURITY_HEADERS: Final = {
    "Content-Security-Policy": _policy(INDEX.read_text(encoding="utf-8")),
    "X-Content-Type-Options": "nosniff",  # a CSV that holds HTML stays a CSV
    "Referrer-Policy": "same-origin",  # the filters in our address are not told to the sites we link to
    "X-Frame-Options": "SAMEORIGIN",  # the same as frame-ancestors for browsers that do not know it
    "Cross-Origin-Opener-Policy": "same-origin",  # a site that opens us, or that we open, gets no hold of our window
    "Cross-Origin-Resource-Policy": "same-origin",  # no other site shows our files as its own
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    # Where Streamlit says nothing, a file was made for one reader: a download stays in no cache.
    "Cache-Control": "no-store",
}


class SecurityHeaders:
    """Adds `SECURITY_HEADERS` to every HTTP response; web sockets pass untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class KnownHosts:
    """Refuses requests, web sockets too, for a host that is not ours; the health check answers to any name.

    A site whose name was made to lead to this machine (DNS rebinding) could else read everything in a visitor's name.
    `server.allowedHosts` names the hosts. Where it names none: loopback while the server listens there only; else also
    any address in digits, which no site can have as its name, and the names that this machine is known to have.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        address = str(st.get_option("server.address") or "")
        self.patterns = [_plain(one) for one in st.get_option("server.allowedHosts") or ()]
        self.takes_digits = not self.patterns and not is_loopback(address)
        if not self.patterns:
            machine = platform.node()
            names = (address, str(st.get_option("browser.serverAddress")), machine, f"{machine}.local")
            self.patterns = [*LOOPBACK, *(map(_plain, filter(None, names)) if self.takes_digits else ())]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan" or scope["path"] == HEALTH or self.knows(Headers(scope=scope).getlist("host")):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "unknown host"})
        else:
            text = "This server is not known by this name. Whoever runs it can name it: --server.allowedHosts=NAME\n"
            await PlainTextResponse(text, 403)(scope, receive, send)

    def knows(self, hosts: list[str]) -> bool:
        """Whether a request with these Host headers is meant for us."""
        name = _host_name(hosts[0]) if len(hosts) == 1 else ""
        if self.takes_digits and _is_digits(name):
            return True
        return bool(name) and any(_matches(name, pattern) for pattern in self.patterns)


def _host_name(host: str) -> str:
    """The name in a Host header, in small letters; "" where the header is no host and port."""
    try:
        parts = urlsplit(f"//{host}")
        is_host = parts.netloc == host and parts.username is None and parts.port != 0
    except ValueError:  # a port or an IPv6 address that is none
        return ""
    return _plain(parts.hostname or "") if is_host else ""


def _plain(name: str) -> str:
    return name.strip().strip("[]").rstrip(".").lower()


def _matches(name: str, pattern: str) -> bool:
    """Whether a host is meant by an entry of `server.allowedHosts`, as Streamlit reads it: `*` any, `*.lab` below."""
    return pattern == "*" or name == pattern or (pattern.startswith("*.") and name.endswith(pattern[1:]))


def _is_digits(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


async def healthz(_: Request) -> Response:
    """`ok` once the server has started, which includes opening the database."""
    return PlainTextResponse("ok\n")


ROUTES: Final[tuple[BaseRoute, ...]] = (Route(HEALTH, healthz),)
MIDDLEWARE: Final[tuple[Middleware, ...]] = (  # from the outside in
    Middleware(SecurityHeaders),
    Middleware(KnownHosts),
    Middleware(SessionCookie),
    Middleware(Uploads),
)
