"""Evidence in object stores, s3://, gs:// and abfss://, by fsspec: the extra ``cloud``; credentials come from the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import IO, Protocol, cast

from portero.core.evidence import Gap, Origin
from portero.core.limits import Limits
from portero.core.text import Text
from portero.errors import AccessDenied, SourceUnavailable
from portero.sources.containers import opened
from portero.sources.document import Document
from portero.sources.text import HEAD_OCTETS

# A path object keeps one of the two slashes.
_STORE = re.compile(r"(s3|s3a|gs|gcs|abfs|abfss|az|memory):/+(?=[^/])")


class _Store(Protocol):
    """What of a file system of fsspec is used."""

    def find(self, path: str, *, detail: bool) -> dict[str, dict[str, object]] | list[str]:
        """Give the files at and below a path with their facts, or only their names."""

    def info(self, path: str) -> dict[str, object]:
        """Give a file's facts."""

    def open(self, path: str, mode: str) -> IO[bytes]:
        """Open a file."""


def is_stored(path: Path) -> bool:
    """Tell whether a path of the command line names an object store."""
    return _STORE.match(path.as_posix()) is not None


def stored(path: Path, limits: Limits, *, mails_whole: bool = False) -> Iterator[Document | Gap]:
    """
    Give the documents at and below a URL, in order of name.

    A file that cannot be read is a Gap. Raises AccessDenied or SourceUnavailable where the store itself does not answer,
    or the extra is missing.
    """
    url = _url(path)
    store, root = _open(url)
    try:
        found = store.find(root, detail=True)
    except Exception as error:
        if not _refused(error):
            raise _unavailable(url, error) from None
        raise AccessDenied(
            Text(
                "The store refuses {url}. Grant the account that runs this reading and listing there.",
                url=url,
            )
        ) from None
    if not found:
        raise SourceUnavailable(Text("There is nothing at {url}. Check bucket and path.", url=url))
    # Of a single file adlfs gives a list of its name.
    files: Mapping[str, Mapping[str, object]] = (
        found if isinstance(found, dict) else {full: store.info(full) for full in found}
    )
    for full in sorted(files):
        name = full.removeprefix("/").removeprefix(root.strip("/")).lstrip("/") or full.rpartition("/")[2]
        size = files[full].get("size")
        try:
            with store.open(full, "rb") as stream:
                raw = stream.read(HEAD_OCTETS)
        except Exception as error:
            yield Gap(Origin(name), Text("The file cannot be read: {error}.", error=type(error).__name__))
            continue
        opener = partial(store.open, full, "rb")
        octets = size if isinstance(size, int) else len(raw)
        yield from opened(name, raw, octets, opener, limits, mails_whole=mails_whole)


def _url(path: Path) -> str:
    found = _STORE.match(path.as_posix())
    if found is None:
        raise ValueError(path)
    return f"{found[1]}://{path.as_posix()[found.end() :]}"


def _open(url: str) -> tuple[_Store, str]:
    """Give the store that a URL names, account and all, and the path in it."""
    # To learn a bucket's type gcsfs asks over gRPC, for a minute where a firewall holds that; reading wants nothing of it.
    os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    try:
        from fsspec.core import url_to_fs  # type: ignore[import-untyped]  # it ships no types

        return cast("tuple[_Store, str]", url_to_fs(url))
    except ImportError:
        raise SourceUnavailable(_EXTRA) from None
    except Exception as error:
        raise _unavailable(url, error) from None


def _refused(error: Exception) -> bool:
    """Tell a refusal from other failures; only s3fs has Python's own error for it."""
    if isinstance(error, PermissionError) or getattr(error, "status_code", None) in {401, 403}:
        return True
    return getattr(error, "code", None) in {401, 403} or str(error).startswith("Forbidden")


_EXTRA = Text("Reading object stores wants the extra “cloud”. Install portero[cloud].")


def _unavailable(url: str, error: Exception) -> SourceUnavailable:
    # The library's sentence may hold what belongs in no log, so that its name must do.
    return SourceUnavailable(
        Text(
            "The store does not answer at {url} ({error}). Try again later.",
            url=url,
            error=type(error).__name__,
        )
    )
