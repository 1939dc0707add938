"""A store that speaks as much of S3 as reading needs: listing in pages, heads, and ranges of objects."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from support.http_server import serving

_PAGE = 2
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


class S3Server(ThreadingHTTPServer):
    """
    Holds objects by bucket and key, ``bucket/key``; asked holds method, path and range of every question.

    closed:  buckets to which access is refused.  gone:  objects that are listed and answer as if deleted since.
    """

    daemon_threads = True

    def __init__(self, objects: Mapping[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects = objects
        self.closed: set[str] = set()
        self.gone: set[str] = set()
        self.asked: list[tuple[str, str, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: S3Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._object(body=False)

    def do_GET(self) -> None:
        if "list-type" in parse_qs(urlsplit(self.path).query):
            self._list()
        else:
            self._object(body=True)

    def _list(self) -> None:
        place = urlsplit(self.path)
        bucket, asked = unquote(place.path).strip("/"), parse_qs(place.query)
        self.server.asked.append(("LIST", bucket, None))
        if bucket in self.server.closed:
            self._error(403, "AccessDenied")
            return
        if not any(name.startswith(f"{bucket}/") for name in self.server.objects):
            self._error(404, "NoSuchBucket")
            return
        prefix = asked.get("prefix", [""])[0]
        start = asked.get("continuation-token", [""])[0]
        keys = sorted(
            key
            for name in self.server.objects
            if name.startswith(f"{bucket}/")
            and (key := name.removeprefix(f"{bucket}/")).startswith(prefix)
            and key > start
        )
        page, rest = keys[:_PAGE], keys[_PAGE:]
        contents = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>2026-11-20T10:00:00.000Z</LastModified><ETag>&quot;e&quot;"
            f"</ETag><Size>{len(self.server.objects[f'{bucket}/{key}'])}</Size><StorageClass>STANDARD</StorageClass>"
            "</Contents>"
            for key in page
        )
        more = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if rest else ""
        self._answer(
            200,
            f'<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="{_NAMESPACE}"><Name>{bucket}</Name>'
            f"<Prefix>{escape(prefix)}</Prefix><KeyCount>{len(page)}</KeyCount><MaxKeys>{_PAGE}</MaxKeys>"
            f"<IsTruncated>{'true' if rest else 'false'}</IsTruncated>{more}{contents}</ListBucketResult>".encode(),
            {"Content-Type": "application/xml"},
        )

    def _object(self, *, body: bool) -> None:
        name = unquote(urlsplit(self.path).path).strip("/")
        given = self.headers.get("Range")
        self.server.asked.append((self.command, name, given))
        if name.partition("/")[0] in self.server.closed:
            self._error(403, "AccessDenied", body=body)
            return
        data = self.server.objects.get(name)
        if data is None or name in self.server.gone:
            self._error(404, "NoSuchKey", body=body)
            return
        headers = {"ETag": '"e"', "Accept-Ranges": "bytes", "Last-Modified": "Fri, 20 Nov 2026 10:00:00 GMT"}
        if given is None:
            self._answer(200, data, headers, body=body)
            return
        first, _, last = given.removeprefix("bytes=").partition("-")
        start, end = int(first), min(int(last or len(data)), len(data) - 1)
        headers["Content-Range"] = f"bytes {start}-{end}/{len(data)}"
        self._answer(206, data[start : end + 1], headers, body=body)

    def _error(self, status: int, code: str, *, body: bool = True) -> None:
        text = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{code}</Message></Error>'
        self._answer(status, text.encode(), {"Content-Type": "application/xml"}, body=body)

    def _answer(self, status: int, data: bytes, headers: Mapping[str, str], *, body: bool = True) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)


@contextlib.contextmanager
def s3_serving(objects: Mapping[str, bytes]) -> Iterator[S3Server]:
    """Serve objects for a while."""
    server = S3Server(objects)
    with serving(server):
        yield server
