"""What the server answers beside Streamlit: a health check, every response's headers, and for which hosts it answers.

No compression: Streamlit's own covers what it pays for, and the large static files are fetched once and kept.
"""

import base64
import hashlib
import ipaddress
import platform
import re
from importlib import import_module
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import net_util

from ui.receiving import Uploads
from ui.whose import SessionCookie, is_loopback

HEALTH: Final = "/healthz"
READY: Final = "/readyz"
PROBES: Final = (HEALTH, READY)
"""What an orchestrator asks under any name."""
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
INDEX: Final = Path(st.__file__).with_name("static") / "index.html"
DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def no_external_address() -> None:
    """This machine's address on the internet: none. The server asks no other host for anything."""


# Streamlit asks a host on the internet for it before it refuses a foreign origin; no setting prevents that.
net_util.get_external_ip = no_external_address


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
        if scope["type"] == "lifespan" or scope["path"] in PROBES or self.knows(Headers(scope=scope).getlist("host")):
            await self.app(scope, receive, send)
        else:
            text = "This server is not known by this name. Whoever runs it can name it: --server.allowedHosts=NAME"
            await _refuse(text, scope, receive, send)

    def knows(self, hosts: list[str]) -> bool:
        """Whether a request with these Host headers is meant for us."""
        host = _host_and_port(hosts[0]) if len(hosts) == 1 else None
        if host is None:
            return False
        name, _ = host
        return (self.takes_digits and _is_digits(name)) or any(_matches(name, pattern) for pattern in self.patterns)


class SameOrigin:
    """Refuses requests, web sockets too, from pages of another origin: another name or port is another origin.

    Browsers state the page's origin in `Origin`. Cookies do not tell ports apart, and Streamlit's own check ignores
    them. A request without `Origin` comes from no script that could read the answer. `server.corsAllowedOrigins`
    lists origins of ours behind a proxy that changes the Host header.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.origins = {_origin(text) for text in st.get_option("server.corsAllowedOrigins") or ()} - {None}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan" or scope["path"] in PROBES or self.admits(Headers(scope=scope)):
            await self.app(scope, receive, send)
        else:
            text = (
                "A page of another origin asked. If it is ours, name it: --server.corsAllowedOrigins=https://NAME:PORT"
            )
            await _refuse(text, scope, receive, send)

    def admits(self, headers: Headers) -> bool:
        """Whether the request comes from one of our own pages, or from no page."""
        stated = headers.getlist("origin")
        origin = _origin(stated[0]) if len(stated) == 1 else None
        if origin is None:
            return not stated
        host = _host_and_port(headers.get("host", ""))
        scheme, name, port = origin
        is_same = host is not None and (host[0], host[1] or DEFAULT_PORTS[scheme]) == (name, port)
        return is_same or origin in self.origins


async def _refuse(text: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 403; a web socket is not opened."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": "refused"})
    else:
        await PlainTextResponse(f"{text}\n", 403)(scope, receive, send)


def _origin(text: str) -> tuple[str, str, int] | None:
    """Scheme, name and port of an origin; None where the text is none, as the `null` of a sandboxed page."""
    scheme, _, rest = text.strip().rstrip("/").partition("://")
    host = _host_and_port(rest)
    if host is None or scheme.lower() not in DEFAULT_PORTS:
        return None
    return scheme.lower(), host[0], host[1] or DEFAULT_PORTS[scheme.lower()]


def _host_and_port(host: str) -> tuple[str, int | None] | None:
    """The name, in small letters, and the port of a Host header; None where it is no host and port."""
    try:
        parts = urlsplit(f"//{host}")
        is_host = parts.netloc == host and parts.username is None and parts.port != 0
    except ValueError:  # a port or an IPv6 address that is none
        return None
    name = _plain(parts.hostname or "")
    return (name, parts.port) if is_host and name else None


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
    """`ok` once the server has started."""
    return PlainTextResponse("ok\n")


async def readyz(_: Request) -> Response:
    """`ok` while the snapshot's files are as they were made; else 503, and which is not."""
    fault = await run_in_threadpool(import_module("ui.session").snapshot_fault)
    return PlainTextResponse(f"{fault}\n", 503) if fault else PlainTextResponse("ok\n")


ROUTES: Final[tuple[BaseRoute, ...]] = (Route(HEALTH, healthz), Route(READY, readyz))
MIDDLEWARE: Final[tuple[Middleware, ...]] = (  # from the outside in
    Middleware(SecurityHeaders),
    Middleware(KnownHosts),
    Middleware(SameOrigin),
    Middleware(SessionCookie),
    Middleware(Uploads),
)
