"""An OpenID provider that checks what it is asked, and that can be told to answer wrongly."""

from __future__ import annotations

import base64
import contextlib
import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from support.http_server import JsonHandler, serving

CLIENT = "portero-client"
SECRET = "s+e/c=r%t"


@dataclass
class OpenId:
    """
    A provider at which somebody is always signed in.

    person:    claims of that somebody.
    about:     put over what it says of itself.
    claims:    put over the claims of an identity token; None takes one out.
    algorithm: of the signature; ``none`` and ``HS256`` are what no provider may use here.
    """

    port: int = 0
    person: dict[str, object] = field(default_factory=lambda: {"sub": "ana-1", "name": "Ana Ruiz"})
    about: dict[str, object] = field(default_factory=dict)
    claims: dict[str, object] = field(default_factory=dict)
    algorithm: str = "RS256"
    key: Any = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "k1"}))
    published: Any = None
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def change_key(self) -> None:
        """Sign with another key from now on, of another kind."""
        self.key, self.algorithm = ECKey.generate_key("P-256", {"kid": "k2"}), "ES256"

    def document(self) -> dict[str, object]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "end_session_endpoint": f"{self.issuer}/end",
            **self.about,
        }

    def token(self, nonce: str) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce, **self.person, **self.claims,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.algorithm == "none":
            parts = [json.dumps(each).encode() for each in ({"alg": "none", "typ": "JWT"}, claims)]
            return ".".join(base64.urlsafe_b64encode(each).rstrip(b"=").decode() for each in parts) + "."
        header = {"alg": self.algorithm, "kid": "k1"}
        if self.algorithm == "HS256":
            # The public key, which everybody has, in place of a secret.
            return jwt.encode(header, claims, OctKey.import_key(self.key.as_pem(private=False)))
        return jwt.encode({**header, "kid": self.key.kid}, claims, self.key)


class _Handler(JsonHandler, BaseHTTPRequestHandler):
    provider: OpenId

    def do_GET(self) -> None:
        provider, parts = self.provider, urlsplit(self.path)
        provider.asked.append(parts.path)
        words = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/.well-known/openid-configuration":
            return self.answer(200, provider.document())
        if parts.path == "/keys":
            held = provider.published or provider.key
            return self.answer(200, KeySet([held]).as_dict(private=False))
        if parts.path == "/authorize":
            right = (words["response_type"], words["client_id"], words["code_challenge_method"]) == (
                "code",
                CLIENT,
                "S256",
            )
            if not right or "openid" not in words["scope"].split():
                return self.answer(400, {"error": "invalid_request"})
            code = secrets.token_urlsafe(16)
            provider.codes[code] = words
            back = urlencode({"code": code, "state": words["state"]})
            self.send_response(302)
            self.send_header("Location", f"{words['redirect_uri']}?{back}")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        return self.answer(404, {})

    def do_POST(self) -> None:
        provider = self.provider
        provider.asked.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        words = {name: values[0] for name, values in parse_qs(body).items()}
        scheme, _, login = self.headers.get("Authorization", "").partition(" ")
        if scheme == "Basic":
            client, secret = (unquote_plus(each) for each in base64.b64decode(login).decode().split(":"))
        else:
            client, secret = words.get("client_id", ""), words.get("client_secret", "")
        if (client, secret) != (CLIENT, SECRET):
            return self.answer(401, {"error": "invalid_client"})
        # A code serves once.
        held = provider.codes.pop(words.get("code", ""), None)
        verifier = sha256(words.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        if (
            held is None
            or held["code_challenge"] != challenge
            or held["redirect_uri"] != words.get("redirect_uri")
        ):
            return self.answer(
                400, {"error": "invalid_grant", "error_description": "The code was used or is not yours."}
            )
        return self.answer(
            200, {"token_type": "Bearer", "access_token": "x", "id_token": provider.token(held["nonce"])}
        )


@contextlib.contextmanager
def openid() -> Iterator[OpenId]:
    """Run a provider."""
    made = OpenId()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"provider": made}))
    server.daemon_threads = True
    made.port = server.server_address[1]
    with serving(server):
        yield made
