"""Files on their way in: pieces appended where the last one ended, under names that lead nowhere else."""

from __future__ import annotations

import os
import re
import secrets
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from portero.core.ledger import StaleError, Upload
from portero.faces.web.ports import State

MOST_OCTETS = 20 << 30
MOST_FILES = 5000
# How long a file waits to be read. Nobody goes on with an upload after so long, and evidence is not for keeping.
UNREAD = timedelta(days=7)
_BATCH = re.compile(r"b-[0-9a-f]{16}")


def new_batch() -> str:
    """Name a set of files that will be read together."""
    return f"b-{secrets.token_hex(8)}"


def is_batch(text: str) -> bool:
    """Tell whether a text is a batch's name."""
    return _BATCH.fullmatch(text) is not None


def folder_of(evidence: Path, organisation: str, batch: str) -> Path:
    """Give the folder of a batch; both ids were made here and are looked up before they are used."""
    return evidence / organisation / batch


def mails_of(evidence: Path, organisation: str, run: str) -> Path:
    """Name the file with a run's mails; both ids were made here."""
    return evidence / organisation / f"{run}.mails"


def keep_mails(evidence: Path, organisation: str, run: str, content: bytes) -> None:
    """Keep a run's mails one by one, whole or not at all, readable by this server alone."""
    path = mails_of(evidence, organisation, run)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def announce(
    state: State, organisation: str, batch: str, name: str, size: int, made_by: str, now: datetime
) -> Upload:
    """Take note of a file that will come; a second one of the same name in its batch gets a number before it."""
    safe = safe_name(name)
    taken = {each.name for each in state.uploads(organisation, batch)}
    free = next(
        each for number in count(1) if (each := safe if number == 1 else f"{number}-{safe}") not in taken
    )
    made = Upload(f"u-{secrets.token_hex(8)}", organisation, batch, free, size, 0, made_by, now)
    state.put_upload(made)
    return made


def append(state: State, evidence: Path, upload: Upload, offset: int, piece: bytes) -> Upload:
    """
    Add a piece to a file; when this returns, it survives a power cut.

    Raises StaleError where the piece does not begin where the last one ended, or leads beyond the announced size.
    """
    if offset != upload.received or offset + len(piece) > upload.size:
        raise StaleError
    folder = folder_of(evidence, upload.organisation, upload.batch)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / upload.name
    with path.open("r+b" if path.exists() else "xb") as file:
        # What a piece left that was never confirmed is written over.
        file.truncate(offset)
        file.seek(offset)
        file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    received = replace(upload, received=offset + len(piece))
    state.put_upload(received)
    return received


def forget(state: State, evidence: Path, upload: Upload) -> None:
    """Take a file away again, and with the last one its folder."""
    state.remove_upload(upload.organisation, upload.id)
    folder = folder_of(evidence, upload.organisation, upload.batch)
    (folder / upload.name).unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


def expire(state: State, evidence: Path, now: datetime) -> None:
    """Delete files that no run has read and whose batch nobody has touched for a week; the trail names each."""
    for organisation, batch in state.unread_batches(now - UNREAD):
        folder = folder_of(evidence, organisation, batch)
        touched = [datetime.fromtimestamp(each.stat().st_mtime, UTC) for each in _files(folder)]
        if touched and max(touched) > now - UNREAD:
            continue
        for each in state.uploads(organisation, batch):
            gone = {"size": each.size, "received": each.received}
            state.note(organisation, "portero", now, "upload.expire", each.name, gone)
            forget(state, evidence, each)


def _files(folder: Path) -> list[Path]:
    return [each for each in folder.iterdir() if each.is_file()] if folder.is_dir() else []


def safe_name(name: str) -> str:
    """
    Give a file name that means only itself: its last part, with letters, digits and ``._-`` of any language kept.

    The kind of a file is seen from its content, so nothing is lost with the rest.
    """
    last = re.split(r"[/\\]", name)[-1]
    kept = "".join(each if each.isalnum() or each in "._-" else "_" for each in last).lstrip(".")
    return kept[-100:] or "file"
