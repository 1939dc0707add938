"""A Microsoft Graph that holds every request against its OpenAPI description, and fails on demand."""

from __future__ import annotations

import base64
import binascii
import contextlib
import email
import email.policy
import io
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import yaml

from support.http_server import JsonHandler, serving

DESCRIPTION = yaml.safe_load((Path(__file__).with_name("graph.yaml")).read_text("utf-8"))


@dataclass
class Graph:
    """What arrived: ``sent`` holds messages, ``faults`` what did not fit the description."""

    port: int = 0
    sent: list[EmailMessage] = field(default_factory=list)
    drafts: dict[str, dict[str, Any]] = field(default_factory=dict)
    sent_drafts: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    # Answers to give before the usual one: (status, error code, headers), or None to break the line behind the request.
    next: list[tuple[int, str, dict[str, str]] | None] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    delay: float = 0.0
    open: int = 0
    most_open: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class _Handler(JsonHandler, BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    graph: Graph

    def do_POST(self) -> None:
        graph = self.graph
        with graph.lock:
            graph.open += 1
            graph.most_open = max(graph.most_open, graph.open)
        try:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            time.sleep(graph.delay)
            self.serve(body)
        finally:
            with graph.lock:
                graph.open -= 1

    do_PUT = do_DELETE = do_POST  # noqa: N815  (http.server's names)

    def serve(self, body: bytes) -> None:
        graph = self.graph
        route, operation, words = self.operation()
        if operation is None:
            graph.faults.append(f"{self.command} {self.path} is not described")
            return self.answer(404, {"error": {"code": "ResourceNotFound", "message": "no"}})
        if route != "/upload/{session}" and not self.headers.get("Authorization", "").startswith("Bearer "):
            graph.faults.append("no bearer token")
        if route == "/upload/{session}" and "Authorization" in self.headers:
            graph.faults.append("the token went to the upload address")
        document = self.check(operation, body)
        if graph.next:
            forced = graph.next.pop(0)
            if forced is None:
                # Taken, and the line breaks before the answer is out.
                self.wfile = io.BytesIO()
                self.accept(route, words, document)
                self.close_connection = True
                return self.connection.close()
            status, code, headers = forced
            return self.answer(status, {"error": {"code": code, "message": "forced"}}, headers)
        return self.accept(route, words, document)

    def operation(self) -> tuple[str, dict[str, Any] | None, dict[str, str]]:
        path = self.path.removeprefix("/v1.0")
        for route, methods in DESCRIPTION["paths"].items():
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route)
            if (found := re.fullmatch(pattern, path)) and self.command.lower() in methods:
                return (
                    route,
                    methods[self.command.lower()],
                    {k: unquote(v) for k, v in found.groupdict().items()},
                )
        return "", None, {}

    def check(self, operation: dict[str, Any], body: bytes) -> Any:
        contents = operation.get("requestBody", {}).get("content", {})
        kind = self.headers.get("Content-Type", "").partition(";")[0]
        if not contents:
            return None
        if kind not in contents:
            self.graph.faults.append(f"Content-Type {kind!r} is none of {list(contents)}")
            return None
        if kind == "text/plain":
            try:
                return base64.b64decode(body, validate=True)
            except binascii.Error:
                self.graph.faults.append("not base64")
                return None
        if kind != "application/json":
            return body
        document = json.loads(body)
        schema = {**contents[kind]["schema"], "components": DESCRIPTION["components"]}
        for error in jsonschema.Draft202012Validator(schema).iter_errors(document):
            self.graph.faults.append(error.message)
        return document

    def accept(self, route: str, words: dict[str, str], document: Any) -> None:
        graph = self.graph
        if route.endswith("/sendMail"):
            if b"\n" in document.replace(b"\r\n", b""):
                graph.faults.append("bare line end")
            message = email.message_from_bytes(document, policy=email.policy.default)
            named = {
                m
                for name in ("To", "Cc", "Bcc")
                for m in re.findall(r"[\w.+-]+@[\w.-]+", str(message.get(name, "")))
            }
            if named & graph.unknown or not named:
                return self.answer(
                    400,
                    {
                        "error": {
                            "code": "ErrorInvalidRecipients",
                            "message": "At least one recipient is not valid.",
                        }
                    },
                )
            graph.sent.append(message)
            return self.answer(202)
        if route.endswith("/messages"):
            number = f"draft{len(graph.drafts) + 1}="
            graph.drafts[number] = {**document, "attachments": []}
            return self.answer(201, {"id": number})
        if route.endswith("/createUploadSession"):
            item = document["AttachmentItem"]
            graph.drafts[words["message"]]["attachments"].append({**item, "content": b""})
            return self.answer(201, {"uploadUrl": f"{graph.url}/upload/{words['message']}"})
        if route.endswith("/attachments"):
            graph.drafts[words["message"]]["attachments"].append(
                {**document, "content": base64.b64decode(document["contentBytes"])}
            )
            return self.answer(201, {"id": "1"})
        if route == "/upload/{session}":
            held = graph.drafts[words["session"]]["attachments"][-1]
            start = int(re.findall(r"bytes (\d+)-", self.headers["Content-Range"])[0])
            if start != len(held["content"]):
                graph.faults.append("piece out of order")
            held["content"] += document
            return self.answer(201 if len(held["content"]) == held["size"] else 200, {})
        if route.endswith("/send"):
            draft = graph.drafts[words["message"]]
            fields = (draft.get(f"{name}Recipients", []) for name in ("to", "cc", "bcc"))
            if graph.unknown & {each["emailAddress"]["address"] for field in fields for each in field}:
                error = {"code": "ErrorInvalidRecipients", "message": "At least one recipient is not valid."}
                return self.answer(400, {"error": error})
            graph.sent_drafts.append(graph.drafts.pop(words["message"]))
            return self.answer(202)
        if self.command == "DELETE":
            graph.drafts.pop(words["message"], None)
            return self.answer(204)
        raise AssertionError(route)


@contextlib.contextmanager
def graph() -> Iterator[Graph]:
    """Run a Graph; what did not fit its description fails the test at the end."""
    made = Graph()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"graph": made}))
    server.daemon_threads = True
    made.port = server.server_address[1]
    with serving(server):
        yield made
    assert made.faults == []
