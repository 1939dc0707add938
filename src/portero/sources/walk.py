"""Walks files and folders in sorted order and gives the documents in them; what cannot be opened is a gap."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import IO

from portero.core.evidence import Gap, Origin
from portero.core.limits import LIMITS, Limits
from portero.core.text import Text
from portero.sources.containers import opened
from portero.sources.document import Document
from portero.sources.object_store import is_stored, stored
from portero.sources.text import HEAD_OCTETS


def walk(
    paths: Iterable[Path], limits: Limits = LIMITS, *, mails: Iterable[Path] = ()
) -> Iterator[Document | Gap]:
    """
    Give every document below the paths once. Symbolic links inside folders are named and not followed.

    Zip and gzip containers are opened; a member is named ``export.zip!trace.csv``.
    mails:  paths that come first and whose mails are given whole, for their own sake and not as evidence.
    """
    seen: set[Path] = set()
    named: set[str] = set()
    for path, whole in (*((each, True) for each in mails), *((each, False) for each in paths)):
        if is_stored(path):
            yield from stored(path, limits, mails_whole=whole)
            continue
        empty = True
        for file in _files(path):
            empty = False
            real = file.resolve()
            if real in seen:
                continue
            seen.add(real)
            name = name_below(file, path)
            # Two folders may hold a file of the same name; then the whole path tells them apart.
            yield from _documents(file, str(file) if name in named else name, limits, mails_whole=whole)
            named.add(name)
        if empty:
            reason = Text(
                "The folder is empty, or nothing in it may be seen: hand over a folder with exports, or look at its "
                "permissions."
            )
            yield Gap(Origin(path.name or str(path)), reason)


def name_below(file: Path, root: Path) -> str:
    """Give the name a reader knows a file by: its path below the folder that was handed over."""
    return file.relative_to(root).as_posix() if file != root and file.is_relative_to(root) else file.name


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders.sort()
        yield from (Path(folder) / name for name in sorted(names))
        yield from (Path(folder) / name for name in folders if (Path(folder) / name).is_symlink())


def _documents(path: Path, name: str, limits: Limits, *, mails_whole: bool) -> Iterator[Document | Gap]:
    origin = Origin(name)
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
    try:
        yield from opened(name, raw, facts.st_size, partial(_binary, path), limits, mails_whole=mails_whole)
    except Exception as error:
        reason = Text(
            "Reading stopped at a fault of the program ({fault}); what stands before it is used. Please report it.",
            fault=type(error).__name__,
        )
        yield Gap(origin, reason)


def _binary(path: Path) -> IO[bytes]:
    return path.open("rb")
