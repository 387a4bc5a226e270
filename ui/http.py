"""What the server answers beside Streamlit: a health check and the headers of every response.

No compression: Streamlit's own covers what it pays for, and the large static files are fetched once and kept.
"""

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECURITY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",  # a CSV that holds HTML stays a CSV
    "Referrer-Policy": "same-origin",  # the filters in our address are not told to the sites we link to
    "Content-Security-Policy": "frame-ancestors 'self'",  # no other site shows us in a frame and steals clicks
    "X-Frame-Options": "SAMEORIGIN",  # the same for browsers that do not know frame-ancestors
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


async def healthz(_: Request) -> Response:
    """`ok` once the server has started, which includes opening the database."""
    return PlainTextResponse("ok\n")


ROUTES: Final[tuple[BaseRoute, ...]] = (Route("/healthz", healthz),)
MIDDLEWARE: Final[tuple[Middleware, ...]] = (Middleware(SecurityHeaders),)
