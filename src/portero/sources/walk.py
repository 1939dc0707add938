"""Walks files and folders in sorted order and gives the documents in them; what cannot be opened is a gap."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import IO

from portero.core.evidence import Gap, Origin
from portero.core.text import Text
from portero.sources.containers import Limits, opened
from portero.sources.document import Document
from portero.sources.text import HEAD_OCTETS

LIMITS = Limits()


def walk(paths: Iterable[Path], limits: Limits = LIMITS) -> Iterator[Document | Gap]:
    """
    Give every document below the paths once. Symbolic links inside folders are named and not followed.

    Zip and gzip containers are opened; a member is named ``export.zip!trace.csv``.
    """
    seen: set[Path] = set()
    for path in paths:
        for file in _files(path):
            real = file.resolve()
            if real not in seen:
                seen.add(real)
                yield from _documents(file, limits)


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders.sort()
        yield from (Path(folder) / name for name in sorted(names))
        yield from (Path(folder) / name for name in folders if (Path(folder) / name).is_symlink())


def _documents(path: Path, limits: Limits) -> Iterator[Document | Gap]:
    origin = Origin(str(path))
    try:
        facts = path.lstat()
        if stat.S_ISLNK(facts.st_mode):
            yield Gap(
                origin, Text("This is a symbolic link and was not followed. Hand over the file itself.")
            )
            return
        if not stat.S_ISREG(facts.st_mode):
            yield Gap(origin, Text("This is no regular file and was not read."))
            return
        with path.open("rb") as stream:
            raw = stream.read(HEAD_OCTETS)
    except OSError as error:
        reason = Text("The file cannot be read: {error}.", error=error.strerror or str(error))
        yield Gap(origin, reason)
        return
    yield from opened(str(path), raw, facts.st_size, partial(_binary, path), limits)


def _binary(path: Path) -> IO[bytes]:
    return path.open("rb")
