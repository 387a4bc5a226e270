"""Whose own results are: one setting, and the cookie by which a browser session is known again after a reload.

Nothing of results here: the server's door imports this. Owners are made of it in `ui.own`.
"""

import ipaddress
import os
import secrets
from http.cookies import CookieError, SimpleCookie
from typing import Final, Literal

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Mode = Literal["shared", "session", "login"]
MODES: Final[tuple[Mode, ...]] = ("shared", "session", "login")

MODE: Final = "ROUNDTABLE_OWN"
"""Environment variable: who sees own results."""

COOKIE: Final = "roundtable_own"
"""Gone when the browser closes; no script can read it and no other site sends it."""

SHORTEST: Final = 32
"""Characters of a secret: fewer could be guessed."""


def mode() -> Mode | None:
    """Who sees own results: `shared` where only this machine reaches the server, else `session`; None for no mode."""
    asked = os.environ.get(MODE, "")
    if not asked:
        return "shared" if is_loopback(str(st.get_option("server.address") or "")) else "session"
    return next((known for known in MODES if known == asked), None)


def is_loopback(address: str) -> bool:
    """Whether a server that listens on this address is reached from its own machine only."""
    try:
        return address == "localhost" or ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def new_secret() -> str:
    """What one browser session is known by."""
    return secrets.token_urlsafe(32)


class SessionCookie:
    """Gives a browser that opens a page its secret, where results belong to browser sessions."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or mode() != "session" or not _opens_page(Headers(scope=scope)):
            await self.app(scope, receive, send)
            return
        secure = "; Secure" if scope["scheme"] == "https" else ""

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                cookie = f"{COOKIE}={new_secret()}; Path=/; HttpOnly; SameSite=Strict{secure}"
                MutableHeaders(scope=message).append("Set-Cookie", cookie)
            await send(message)

        await self.app(scope, receive, send_with_cookie)


def _opens_page(headers: Headers) -> bool:
    """Whether a browser asks for a page and has no cookie of ours yet."""
    try:
        known = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        known = None
    return "text/html" in headers.get("accept", "") and (known is None or len(known.value) < SHORTEST)
