"""A machine's own identity: as App Service offers it, and as the metadata service of an Azure machine does."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from portero.relay.identity import TokenFault, managed, managed_identity_token, read_answer
from portero.relay.pace import Limits
from portero.relay.tokens import Tokens
from portero.relay.transport import Way
from support.http_server import JsonHandler, serving

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

    class Handler(JsonHandler, BaseHTTPRequestHandler):
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
            self.answer(status, document)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.port = server.server_address[1]
    with serving(server):
        yield made


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


@contextlib.contextmanager
def metadata_service(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[int, str, dict[str, str]]]]:
    """
    Run a machine's metadata service, which knows its own identity and one that was assigned to it.

    Gives the answers to give before those it would give: status, body, headers. Source: Microsoft, "How to use managed
    identities for Azure resources on an Azure VM to acquire an access token", "Error handling".
    """
    before: list[tuple[int, str, dict[str, str]]] = []

    class Handler(JsonHandler, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address, words = urlsplit(self.path), parse_qs(urlsplit(self.path).query)
            headers: dict[str, str] = {}
            if before:
                status, text, headers = before.pop(0)
            elif address.path != "/metadata/identity/oauth2/token" or "api-version" not in words:
                status, text = 404, "no"
            elif self.headers.get("Metadata") != "true":
                # What a browser could be led to send is refused.
                status, text = (
                    400,
                    '{"error": "bad_request_102", "error_description": "Required metadata header not specified"}',
                )
            elif words.get("client_id", ["assigned"]) != ["assigned"]:
                status, text = 400, '{"error": "invalid_request", "error_description": "Identity not found"}'
            else:
                whose = words.get("client_id", ["machine"])[0]
                status, text = 200, json.dumps({
                    "access_token": f"{whose} for {words['resource'][0]}", "expires_in": "3599", "expires_on": "1506484173",
                    "resource": words["resource"][0], "token_type": "Bearer",
                })  # fmt: skip
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(text))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "MSI_ENDPOINT", "IMDS_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", f"http://127.0.0.1:{server.server_address[1]}")
    with serving(server):
        yield before


def mailbox(identity: str) -> Way:
    options = {"mailbox": "scan@contoso.com", "identity": identity, "scope": f"{RESOURCE}/.default"}
    return Way("exchange", "smtp-auth", options, Limits())


def test_a_way_gets_its_token_from_the_metadata_service(monkeypatch: pytest.MonkeyPatch) -> None:
    with metadata_service(monkeypatch):
        assert asyncio.run(Tokens().get(mailbox("system"))) == f"machine for {RESOURCE}"
        assert asyncio.run(Tokens().get(mailbox("assigned"))) == f"assigned for {RESOURCE}"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "Identity not found"),
        ((429, '{"error": "too_many_requests"}', {"Retry-After": "7"}), "too_many_requests"),
        ((500, '{"error": "unknown", "error_description": "Failed to retrieve token"}', {}), "Failed to retrieve token"),
        ((502, "<html>a proxy</html>", {}), "."),
    ],
)  # fmt: skip
def test_what_the_metadata_service_refuses_is_told(
    monkeypatch: pytest.MonkeyPatch, answer: tuple[int, str, dict[str, str]] | None, told: str
) -> None:
    with metadata_service(monkeypatch) as before:
        before += [answer] * 10 if answer else []
        with pytest.raises(TokenFault, match=told):
            asyncio.run(Tokens().get(mailbox("system" if answer else "stranger")))


def test_a_machine_without_a_metadata_service_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with metadata_service(monkeypatch):
        pass
    with pytest.raises(TokenFault):
        asyncio.run(Tokens().get(mailbox("system")))
