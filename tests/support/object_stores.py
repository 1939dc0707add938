"""Stores that speak as much of S3, Google's JSON API and Azure's Blob service as reading needs: listing in pages, facts, and ranges."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from support.http_server import serving

_PAGE = 2
_DAY = "Fri, 20 Nov 2026 10:00:00 GMT"


class ObjectServer(ThreadingHTTPServer):
    """
    Holds objects by bucket and key, ``bucket/key``; asked holds method, path and range of every question.

    closed:  buckets to which access is refused.  gone:  objects that are listed and answer as if deleted since.
    """

    daemon_threads = True

    def __init__(self, objects: Mapping[str, bytes], dialect: type[_Handler]) -> None:
        super().__init__(("127.0.0.1", 0), dialect)
        self.objects = objects
        self.closed: set[str] = set()
        self.gone: set[str] = set()
        self.asked: list[tuple[str, str, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    """What the dialects share: which objects a page holds, ranges, and refusals."""

    server: ObjectServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        raise NotImplementedError

    def _page(self, bucket: str, prefix: str, start: str) -> tuple[list[str], str] | None:
        """Give the keys of one page and where the next begins, ``""`` for nowhere; None after a refusal."""
        self.server.asked.append(("LIST", bucket, None))
        if bucket in self.server.closed:
            self._refuse(403)
            return None
        held = [name for name in self.server.objects if name.startswith(f"{bucket}/")]
        if not held:
            self._refuse(404)
            return None
        keys = sorted(key for name in held if (key := name.removeprefix(f"{bucket}/")).startswith(prefix))
        rest = [key for key in keys if key > start]
        return rest[:_PAGE], rest[_PAGE - 1] if len(rest) > _PAGE else ""

    def _size(self, bucket: str, key: str) -> int:
        return len(self.server.objects[f"{bucket}/{key}"])

    def _data(self, name: str) -> bytes | None:
        """Give an object's octets; None after a refusal."""
        self.server.asked.append(
            (self.command, name, self.headers.get("x-ms-range") or self.headers.get("Range"))
        )
        if name.partition("/")[0] in self.server.closed:
            self._refuse(403)
            return None
        if name not in self.server.objects or name in self.server.gone:
            self._refuse(404)
            return None
        return self.server.objects[name]

    def _object(self, name: str) -> None:
        data = self._data(name)
        if data is None:
            return
        headers = {
            "ETag": '"e"',
            "Accept-Ranges": "bytes",
            "Last-Modified": _DAY,
            "x-ms-blob-type": "BlockBlob",
        }
        given = self.headers.get("x-ms-range") or self.headers.get("Range")
        if given is None:
            self._answer(200, data, headers)
            return
        first, _, last = given.removeprefix("bytes=").partition("-")
        start, end = int(first), min(int(last or len(data)), len(data) - 1)
        headers["Content-Range"] = f"bytes {start}-{end}/{len(data)}"
        self._answer(206, data[start : end + 1], headers)

    def _refuse(self, status: int) -> None:
        self._answer(status, b"{}", {"Content-Type": "application/json"})

    def _answer(self, status: int, data: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


class S3(_Handler):
    """Source: Amazon S3 API Reference, ListObjectsV2, HeadObject, GetObject."""

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        name, asked = unquote(place.path).strip("/"), parse_qs(place.query)
        if "list-type" not in asked:
            self._object(name)
            return
        prefix = asked.get("prefix", [""])[0]
        page = self._page(name, prefix, asked.get("continuation-token", [""])[0])
        if page is None:
            return
        keys, following = page
        contents = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>2026-11-20T10:00:00.000Z</LastModified><ETag>&quot;e&quot;"
            f"</ETag><Size>{self._size(name, key)}</Size><StorageClass>STANDARD</StorageClass></Contents>"
            for key in keys
        )
        more = f"<NextContinuationToken>{escape(following)}</NextContinuationToken>" if following else ""
        self._answer(
            200,
            '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{name}</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(keys)}</KeyCount>"
            f"<MaxKeys>{_PAGE}</MaxKeys><IsTruncated>{'true' if following else 'false'}</IsTruncated>{more}{contents}"
            "</ListBucketResult>".encode(),
            {"Content-Type": "application/xml"},
        )

    def _refuse(self, status: int) -> None:
        code = {403: "AccessDenied", 404: "NoSuchKey" if "list-type" not in self.path else "NoSuchBucket"}[
            status
        ]
        text = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{code}</Message></Error>'
        self._answer(status, text.encode(), {"Content-Type": "application/xml"})


class Google(_Handler):
    """Source: Cloud Storage JSON API, Objects: list, Objects: get, with alt=media for the octets."""

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        asked = parse_qs(place.query)
        path = place.path.removeprefix("/download").removeprefix("/storage/v1/b/")
        bucket, _, rest = path.partition("/")
        bucket = unquote(bucket)
        if rest.startswith("o/"):
            name = f"{bucket}/{unquote(rest.removeprefix('o/'))}"
            if asked.get("alt") == ["media"]:
                self._object(name)
            elif self._data(name) is not None:
                self._json(self._facts(bucket, name.removeprefix(f"{bucket}/")))
            return
        if rest != "o":
            self._refuse(404)
            return
        page = self._page(bucket, asked.get("prefix", [""])[0], asked.get("pageToken", [""])[0])
        if page is not None:
            keys, following = page
            items = [self._facts(bucket, key) for key in keys]
            self._json(
                {"kind": "storage#objects", "items": items}
                | ({"nextPageToken": following} if following else {})
            )

    def _facts(self, bucket: str, key: str) -> dict[str, str]:
        return {
            "kind": "storage#object",
            "name": key,
            "bucket": bucket,
            "size": str(self._size(bucket, key)),
            "updated": "2026-11-20T10:00:00.000Z",
            "timeCreated": "2026-11-20T10:00:00.000Z",
            "generation": "1",
            "etag": "e",
        }

    def _json(self, value: object) -> None:
        self._answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _refuse(self, status: int) -> None:
        error = {"error": {"code": status, "message": {403: "Forbidden", 404: "Not Found"}[status]}}
        self._answer(status, json.dumps(error).encode(), {"Content-Type": "application/json"})


class Azure(_Handler):
    """Source: Blob service REST API, List Blobs, Get Blob Properties, Get Blob; the account is the path's first part."""

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        name, asked = unquote(place.path).strip("/").partition("/")[2], parse_qs(place.query)
        if asked.get("comp") != ["list"]:
            self._object(name)
            return
        prefix = asked.get("prefix", [""])[0]
        page = self._page(name, prefix, asked.get("marker", [""])[0])
        if page is None:
            return
        keys, following = page
        blobs = "".join(
            f"<Blob><Name>{escape(key)}</Name><Properties><Last-Modified>{_DAY}</Last-Modified><Etag>e</Etag>"
            f"<Content-Length>{self._size(name, key)}</Content-Length><BlobType>BlockBlob</BlobType></Properties></Blob>"
            for key in keys
        )
        self._answer(
            200,
            f'<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="{self.server.url}/" '
            f'ContainerName="{name}"><Prefix>{escape(prefix)}</Prefix><Blobs>{blobs}</Blobs>'
            f"<NextMarker>{escape(following)}</NextMarker></EnumerationResults>".encode(),
            {"Content-Type": "application/xml"},
        )

    def _refuse(self, status: int) -> None:
        code = {
            403: "AuthorizationFailure",
            404: "BlobNotFound" if "comp=list" not in self.path else "ContainerNotFound",
        }
        text = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code[status]}</Code><Message>no</Message></Error>'
        self._answer(
            status, text.encode(), {"Content-Type": "application/xml", "x-ms-error-code": code[status]}
        )


@contextlib.contextmanager
def store_serving(objects: Mapping[str, bytes], dialect: type[_Handler]) -> Iterator[ObjectServer]:
    """Serve objects for a while."""
    server = ObjectServer(objects, dialect)
    with serving(server):
        yield server
