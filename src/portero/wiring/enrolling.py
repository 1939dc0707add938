"""A table of assets recorded as decisions about the senders in evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from portero.app import decisions
from portero.app.inventory import inventory
from portero.core import cmdb
from portero.core.decision import Decision
from portero.core.evidence import Origin
from portero.core.reopening import basis_of
from portero.core.sender import Judgement
from portero.core.text import Text
from portero.errors import ConfigError, InputError
from portero.faces.desk import Progress
from portero.sources.text import HEAD_OCTETS, sniff, utf8_blocks
from portero.wiring.deciding import record_file, recorded
from portero.wiring.gathering import decisions_of, gathered


def enrol(
    table: Path,
    base: Decision,
    *,
    otherwise: Judgement | None,
    skip_unmatched: bool,
    config: Path | None,
    evidence: Sequence[Path],
    progress: Progress,
) -> tuple[Path, Sequence[Decision], int]:
    """Record what a table of assets says of the senders in evidence, all of it or nothing."""
    text = _table_text(table)
    past = decisions_of(evidence, config)
    now = datetime.now(UTC)
    with gathered(evidence, config, progress) as (held, tables):
        senders = decisions.decided(held, inventory(held, tables, progress), past, now)
    try:
        lines, skipped = cmdb.enrol(text, senders, base, otherwise=otherwise, skip_unmatched=skip_unmatched)
    except cmdb.UnreadableTableError as error:
        raise ConfigError(error.problems) from None
    found = {each.id: each for each in senders}
    lines = tuple(
        replace(line, basis=basis_of(found[line.sender])) if line.judgement else line for line in lines
    )
    return (recorded(lines, config) if lines else record_file(config)), lines, skipped


def _table_text(path: Path) -> str:
    """Give the text of a table in whatever encoding a spreadsheet writes; raises InputError where it cannot be read."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(_TABLE_OCTETS + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            Text("{file} cannot be read: {reason}. Check the path.", file=str(path), reason=reason),
            Origin(str(path)),
        ) from error
    if len(raw) > _TABLE_OCTETS:
        raise InputError(
            Text("{file} is larger than {limit} octets.", file=str(path), limit=_TABLE_OCTETS),
            Origin(str(path)),
        )
    return b"".join(utf8_blocks(BytesIO(raw), sniff(raw[:HEAD_OCTETS]))).decode()


# A line for each of a million assets.
_TABLE_OCTETS = 1 << 28
