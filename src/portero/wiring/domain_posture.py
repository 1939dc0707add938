"""Domains judged by what they publish."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from portero.app.inventory import inventory
from portero.core.address import a_label
from portero.core.domain import DomainReport, domain_posture, domain_report
from portero.faces.desk import Asking, Progress
from portero.wiring.asking import About
from portero.wiring.gathering import gathered


def domains(
    names: Sequence[str],
    paths: Sequence[Path],
    *,
    selectors: Sequence[str],
    flatten: bool,
    config: Path | None,
    progress: Progress,
    asking: Asking | None,
) -> tuple[DomainReport, ...]:
    """Judge domains by their records, as the evidence or live DNS has them, and by the mail in the evidence."""
    about = About(tuple(map(a_label, names)), tuple(selectors))
    with gathered(paths, config, progress, asking, about=about) as (evidence, tables):
        now = datetime.now(UTC)
        postures = [domain_posture(evidence.dns, name, now, about.selectors) for name in about.domains]
        if not paths:
            return tuple(map(DomainReport, postures))
        held = inventory(evidence, tables, progress)
        return tuple(
            domain_report(each, held.senders, held.outside, held.settings, flatten=flatten)
            for each in postures
        )
