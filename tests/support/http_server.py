"""Web servers for tests: run in a thread beside the test, with answers in JSON."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from socketserver import BaseServer


class JsonHandler(BaseHTTPRequestHandler):
    """
    Answers in JSON and says nothing on the terminal.

    Subclasses name BaseHTTPRequestHandler beside it: by that name linters know that do_GET is no choice of theirs.
    """

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, status: int, document: object = None, headers: dict[str, str] | None = None) -> None:
        """Send a document, or an empty body for None."""
        body = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def serving(server: BaseServer) -> Iterator[None]:
    """Serve in a thread until the test is done with it, and close."""
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
