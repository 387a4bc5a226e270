"""A small OpenID Connect provider on loopback: it logs in whoever the test says, without a password."""

import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT = "roundtable"


class Provider:
    """What the provider knows. `person` is who the next login is."""

    def __init__(self) -> None:
        self.person = ""
        self.address = ""
        self.key = RSAKey.generate_key(2048, {"kid": "test", "use": "sig"})
        self.codes: dict[str, tuple[str, str]] = {}

    def configuration(self) -> dict[str, object]:
        """Discovery. Source: OpenID Connect Discovery 1.0, section 4."""
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    def authorize(self, query: dict[str, list[str]]) -> str:
        """Where to send the browser back to, with a code for the person."""
        code = secrets.token_urlsafe(16)
        self.codes[code] = (self.person, query.get("nonce", [""])[0])
        return f"{query['redirect_uri'][0]}?{urlencode({'code': code, 'state': query['state'][0]})}"

    def token(self, form: dict[str, list[str]]) -> dict[str, object]:
        """A signed identity for a code, once."""
        person, nonce = self.codes.pop(form["code"][0])
        now = int(time.time())
        claims = {
            "iss": self.address, "sub": person, "email": f"{person}@example.com", "name": person, "aud": CLIENT,
            "iat": now, "exp": now + 600, "nonce": nonce,
        }  # fmt: skip
        signed = jwt.encode({"alg": "RS256", "kid": "test"}, claims, self.key)
        return {
            "access_token": secrets.token_urlsafe(16),
            "token_type": "Bearer",
            "expires_in": 600,
            "id_token": signed,
        }


@contextmanager
def providing() -> Iterator[Provider]:
    """A running provider."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path)
            if path.path == "/.well-known/openid-configuration":
                self.answer(provider.configuration())
            elif path.path == "/keys":
                self.answer({"keys": [provider.key.as_dict(private=False)]})
            elif path.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", provider.authorize(parse_qs(path.query)))
                self.end_headers()
            else:
                self.send_error(404)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.answer(provider.token(parse_qs(body)))

        def answer(self, content: dict[str, object]) -> None:
            data = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Nothing: what matters is what the browser shows."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.address = f"http://localhost:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
