"""A machine's own identity, asked for as App Service offers it: an address and a header that stand in the environment."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from portero.relay.identity import TokenFault, managed, managed_identity_token, read_answer

RESOURCE = "https://outlook.office365.com"


@dataclass
class Endpoint:
    """The endpoint: what it was asked, and the identity it knows beside the machine's own."""

    port: int = 0
    asked: list[dict[str, list[str]]] = field(default_factory=list)


@contextlib.contextmanager
def endpoint(word: str) -> Iterator[Endpoint]:
    """Run an endpoint that wants this word in its header. Source: Microsoft, App Service, "REST endpoint reference"."""
    made = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            words = parse_qs(urlsplit(self.path).query)
            made.asked.append(words)
            if self.headers.get("X-IDENTITY-HEADER") != word:
                status, document = 401, {"error": "unauthorized_client", "message": "wrong header"}
            elif words.get("client_id", ["mine"]) != ["mine"]:
                status, document = 400, {"error": "invalid_client", "message": "no such identity"}
            else:
                status = 200
                document = {
                    "access_token": f"token for {words['resource'][0]}",
                    "expires_on": str(int(time.time()) + 3600),
                    "resource": words["resource"][0],
                    "token_type": "Bearer",
                }
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()


def test_the_machines_own_identity_gives_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    with endpoint("right") as far:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{far.port}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "right")
        token, seconds = read_answer(managed("system", RESOURCE))
        assert token == f"token for {RESOURCE}"
        assert 3500 < seconds <= 3600
        assert managed_identity_token(RESOURCE) == token
        assert read_answer(managed("mine", RESOURCE))[0] == token
        assert far.asked[-1]["client_id"] == ["mine"]


def test_a_refusal_is_told_without_the_header(monkeypatch: pytest.MonkeyPatch) -> None:
    with endpoint("right") as far:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{far.port}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "wrong-word")
        with pytest.raises(TokenFault) as fault:
            read_answer(managed("system", RESOURCE))
        assert "wrong-word" not in str(fault.value)
        with pytest.raises(OSError, match=r"."):
            managed_identity_token(RESOURCE)


def test_another_identity_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with endpoint("right") as far:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{far.port}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "right")
        with pytest.raises(TokenFault):
            read_answer(managed("stranger", RESOURCE))
