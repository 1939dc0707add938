"""A token endpoint that checks who asks, by secret or by signed assertion, and signs what it gives."""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry

from support.http_server import JsonHandler, serving

TENANT = "11111111-2222-3333-4444-555555555555"
CLIENT = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"


@dataclass
class Entra:
    """
    What it is to give.

    claims:  put over those of every token; ``lifetime`` is in seconds.
    down:    breaks every line.
    """

    secret: str = "right"
    certificate: RSAKey | None = None
    upn: str = "scan@inside.test"
    lifetime: int = 3599
    claims: dict[str, object] = field(default_factory=dict)
    down: bool = False
    asked: int = 0
    port: int = 0
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "k1"}))

    @property
    def authority(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def issuer(self) -> str:
        return f"{self.authority}/{TENANT}/v2.0"

    def token(self, scope: str) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.issuer, "aud": scope.removesuffix("/.default"), "sub": CLIENT, "appid": CLIENT, "upn": self.upn,
            "iat": now, "nbf": now, "exp": now + self.lifetime, "roles": ["SMTP.SendAsApp"], **self.claims,
        }  # fmt: skip
        return jwt.encode({"alg": "RS256", "typ": "JWT", "kid": "k1"}, claims, self.key)


class _Handler(JsonHandler, BaseHTTPRequestHandler):
    entra: Entra

    def do_GET(self) -> None:
        base = f"{self.entra.authority}/{TENANT}"
        self.answer(
            200,
            {
                "issuer": self.entra.issuer,
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            },
        )

    def do_POST(self) -> None:
        entra = self.entra
        entra.asked += 1
        if entra.down:
            self.close_connection = True
            return self.connection.close()
        words = {
            k: v[0]
            for k, v in parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()).items()
        }
        if words.get("client_id") != CLIENT:
            return self.refuse("AADSTS700016: Application was not found in the directory.")
        if "client_assertion" in words:
            if not self.signed(words["client_assertion"]):
                return self.refuse(
                    "AADSTS700027: The certificate with identifier used to sign the client assertion is not registered."
                )
        elif words.get("client_secret") != entra.secret:
            return self.refuse("AADSTS7000215: Invalid client secret provided.")
        return self.answer(
            200,
            {
                "token_type": "Bearer",
                "expires_in": entra.lifetime,
                "access_token": entra.token(words["scope"]),
            },
        )

    def signed(self, assertion: str) -> bool:
        if self.entra.certificate is None:
            return False
        try:
            # MSAL puts the whole certificate into the header.
            registry = JWSRegistry(algorithms=["RS256", "PS256"])
            registry.max_header_length = 8192
            claims = jwt.decode(assertion, self.entra.certificate, registry=registry).claims
        except (ValueError, JoseError):
            return False
        return claims["iss"] == CLIENT and str(claims["aud"]).startswith(self.entra.authority)

    def refuse(self, words: str) -> None:
        self.answer(401, {"error": "invalid_client", "error_description": f"{words}\r\nTrace ID: x"})


@contextlib.contextmanager
def entra(certificate: Path, key: Path) -> Iterator[Entra]:
    """Run a token endpoint over TLS."""
    made = Entra()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"entra": made}))
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    made.port = server.server_address[1]
    with serving(server):
        yield made
