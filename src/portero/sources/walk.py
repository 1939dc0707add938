"""Walks files and folders in sorted order and gives the documents in them; what cannot be opened is a gap."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from portero.core.evidence import Gap, Origin
from portero.core.text import Text
from portero.sources.document import Document
from portero.sources.head import head_of
from portero.sources.text import HEAD_OCTETS


def walk(paths: Iterable[Path]) -> Iterator[Document | Gap]:
    """
    Give every document below the paths once. Symbolic links inside folders are named and not followed.

    Containers (zip, gzip) are not opened yet: each is a gap that says so.
    """
    seen: set[Path] = set()
    for path in paths:
        for file in _files(path):
            real = file.resolve()
            if real not in seen:
                seen.add(real)
                yield _document(file)


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders.sort()
        yield from (Path(folder) / name for name in sorted(names))
        yield from (Path(folder) / name for name in folders if (Path(folder) / name).is_symlink())


def _document(path: Path) -> Document | Gap:
    origin = Origin(str(path))
    try:
        facts = path.lstat()
        if stat.S_ISLNK(facts.st_mode):
            return Gap(
                origin, Text("This is a symbolic link and was not followed. Hand over the file itself.")
            )
        if not stat.S_ISREG(facts.st_mode):
            return Gap(origin, Text("This is no regular file and was not read."))
        with path.open("rb") as stream:
            raw = stream.read(HEAD_OCTETS)
    except OSError as error:
        reason = Text("The file cannot be read: {error}.", error=error.strerror or str(error))
        return Gap(origin, reason)
    if not raw:
        return Gap(origin, Text("The file is empty. Export it again."))
    if raw.startswith(b".pfile"):
        return Gap(
            origin,
            Text("The file is rights-protected (.pfile). Remove the protection and hand it over again."),
        )
    if raw.startswith((b"PK\x03\x04", b"\x1f\x8b")):
        return Gap(origin, Text("The file is compressed. Unpack it and hand over what it contains."))
    return Document(str(path), head_of(raw), partial(path.open, "rb"), facts.st_size)
