"""Logs of mail relays: what one mail's lines say, joined by its queue id, as one row for each delivery or refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa

from portero.core.evidence import Gap, Origin
from portero.core.evidence_rows import SESSION_ROWS
from portero.core.text import count
from portero.sources.document import Batch, Document, Item
from portero.sources.log_lines import Lines, Stamps, log_lines, notes, stamps
from portero.sources.session_rows import session_batch

_HELD = 200_000  # mails whose end has not been seen; beyond that the oldest is let go and counted
_ROWS = 8192

Cells = dict[str, object]


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its number, its times as `Stamps` give them, and its text."""

    number: int
    observed_at: datetime | None
    local_at: datetime | None
    text: str


@dataclass
class Queue:
    """
    The mails that are on their way through a relay, and the rows that came out of them.

    Queue ids are used again, so a mail is let go where the log says that it is done.
    """

    mails: dict[str, Cells] = field(default_factory=dict)
    rows: list[Cells] = field(default_factory=list)
    forgotten: int = 0

    def note(self, queue_id: str, **cells: object) -> None:
        """Remember what a line says of a mail; what is None is not said."""
        held = self.mails.get(queue_id)
        if held is None:
            if len(self.mails) >= _HELD:
                self.mails.pop(next(iter(self.mails)))
                self.forgotten += 1
            held = self.mails[queue_id] = {}
        held.update({name: value for name, value in cells.items() if value is not None})

    def done(self, queue_id: str) -> None:
        """Let a mail go."""
        self.mails.pop(queue_id, None)

    def deliver(self, queue_id: str, line: Line, **cells: object) -> None:
        """Add a row for one delivery, or attempt, of a mail."""
        self.add(line, **{**self.mails.get(queue_id, {}), **cells})

    def add(self, line: Line, **cells: object) -> None:
        """Add a row."""
        self.rows.append(
            {
                "line": line.number,
                "observed_at": line.observed_at,
                "local_at": line.local_at,
                "sessions": 1,
                "relay": "",
                **cells,
            }
        )


def relayed(
    document: Document,
    witness: str,
    wanted: Callable[[Lines], Lines],
    say: Callable[[Queue, Line], None],
    timed: Callable[[pa.Array], Stamps] = stamps,
) -> Iterator[Item]:
    """
    Stream the deliveries and refusals of a relay's log.

    wanted:  keeps the lines that say something of a mail. These are looked at one by one, for a mail's lines lie apart.
    say:     puts what one line says into the queue.
    """
    queue, other, yearless, local = Queue(), 0, 0, False
    for block in log_lines(document):
        if isinstance(block, Gap):
            yield block
            continue
        lines = wanted(block)
        other += len(block.numbers) - len(lines.numbers) - block.text.to_pylist().count("")
        if not len(lines.numbers):
            continue
        when = timed(lines.text)
        yearless += when.yearless
        local = local or when.local_at.null_count < len(when.local_at)
        for number, observed_at, local_at, text in zip(
            lines.numbers.to_pylist(),
            when.observed_at.to_pylist(),
            when.local_at.to_pylist(),
            lines.text.to_pylist(),
            strict=True,
        ):
            say(queue, Line(number, observed_at, local_at, text))
        if len(queue.rows) >= _ROWS:
            yield _batch(witness, queue)
    if queue.rows:
        yield _batch(witness, queue)
    if queue.forgotten:
        one = "{n} mail had so many others under way beside it that its lines were not joined."
        many = "{n} mails had so many others under way beside them that their lines were not joined."
        yield Gap(Origin(document.name), count(one, many, queue.forgotten), queue.forgotten)
    yield from notes(yearless, local, other)


def _batch(witness: str, queue: Queue) -> Batch:
    rows, queue.rows = queue.rows, []
    columns = {
        name.name: pa.array([row.get(name.name) for row in rows], name.type)
        for name in SESSION_ROWS
        if name.name not in {"document", "witness"}
    }
    return session_batch(witness, columns.pop("line"), columns)


def mailbox(text: str | None) -> str | None:
    """Give a mailbox without angle brackets, ``""`` for the null reverse-path, None where nothing is said."""
    return None if text is None else text.strip(" <>")


def number(text: str | None) -> int | None:
    """Give a whole number, or None."""
    return int(text) if text and text.isdecimal() and len(text) <= 18 else None


def known(text: str | None) -> str | None:
    """Give a host's name, or None where the relay says ``unknown`` or nothing."""
    return None if not text or text.lower() in {"unknown", "none", "localhost"} else text.rstrip(".")
