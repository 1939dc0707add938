"""The record of people's decisions about senders: a file of JSON lines that only ever grows."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from portero.core.decision import RECORD, Decision, shown
from portero.core.evidence import Origin
from portero.core.text import Text
from portero.errors import ConfigError

FILE_NAME = RECORD
# As many as an organisation of any size decides in a hundred years.
OCTETS = 1 << 26
# Records also come from elsewhere, and every database must be able to keep what one says.
_SENDER = re.compile(r"s-[0-9a-f]{12}")
_LONGEST_NAME = 300
_LONGEST_NOTE = 10_000
_MOST_NAMED = 1000


def find_logs(evidence: Iterable[Path], config: Path | None, *, here: bool = True) -> tuple[Path, ...]:
    """
    Give the records that count for a call: beside the configuration, in the evidence's folders, where one stands.

    here:  whether the working folder's counts; not for what somebody else handed over.
    """
    folders = [config.parent] if config else []
    folders += [path if path.is_dir() else path.parent for path in evidence]
    folders += [Path.cwd()] if here else []
    found = dict.fromkeys((folder / FILE_NAME).resolve() for folder in folders)
    return tuple(path for path in found if path.is_file())


def read_log(path: Path) -> tuple[Decision, ...]:
    """
    Read a record, oldest first; a later decision about a sender replaces an earlier one.

    Raises ConfigError that names the file and every line that cannot be read.
    """
    if path.stat().st_size > OCTETS:
        raise ConfigError((Text("{file} is larger than {limit} octets.", file=str(path), limit=OCTETS),))
    decisions: list[Decision] = []
    wrong: list[Text] = []
    for number, line in enumerate(path.read_text("utf-8-sig").splitlines(), 1):
        if not line.strip():
            continue
        try:
            decisions.append(_decision(json.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            # Not skipped: a decision that is lost would change a judgement silently.
            wrong.append(
                Text(
                    "{place} is not a decision. Mend or delete the line; `portero decide` writes such lines.",
                    place=str(Origin(path.name, number)),
                )
            )
    if wrong:
        raise ConfigError(tuple(wrong))
    return tuple(sorted(decisions, key=lambda each: each.decided_at))


def _decision(held: Mapping[str, object]) -> Decision:
    made = Decision.read(held)
    named = (made.sender, *made.merge)
    words = (made.decided_by, made.owner or "", made.name or "", made.purpose or "", *shown(made.split))
    if (
        not all(map(_SENDER.fullmatch, named))
        or len(named) + len(words) > _MOST_NAMED
        or any(len(each) > _LONGEST_NAME or "\x00" in each for each in words)
        or len(made.note) > _LONGEST_NOTE
        or "\x00" in made.note
    ):
        raise ValueError("text")
    return made


def record(decisions: Iterable[Decision]) -> bytes:
    """Write decisions as a record holds them, oldest first."""
    held = sorted(decisions, key=lambda each: each.decided_at)
    return "".join(json.dumps(each.document(), ensure_ascii=False) + "\n" for each in held).encode()


def append(path: Path, *decisions: Decision) -> None:
    """Add decisions to a record, durably and in one write: all or none, and two at once do not mix. Raises OSError."""
    line = record(decisions).decode().removesuffix("\n")
    before = path.read_bytes()[-1:] if path.exists() else b"\n"
    text = (line if before in {b"\n", b""} else "\n" + line) + "\n"
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, text.encode())
        os.fsync(file)
    finally:
        os.close(file)
