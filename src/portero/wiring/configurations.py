"""States of the configuration: kept, compared, and which policy really applies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from portero.app.inventory import inventory
from portero.core.address import mailbox_key
from portero.core.coverage import Effective, answers, coverage, found_for, groups_of, mailboxes
from portero.core.drift import Drift, drift
from portero.core.evidence import Origin
from portero.core.exchange.settings import read_settings
from portero.core.text import Text
from portero.errors import InputError
from portero.faces.desk import Progress
from portero.faces.json_text import as_json
from portero.wiring.gathering import configuration_of, gathered


def changes(before: Path, after: Sequence[Path], *, progress: Progress) -> tuple[Drift, ...]:
    """Say what changed between two states of the configuration, and who is among those let in now."""
    earlier = configuration_of([before], progress)
    with gathered(after, None, progress) as (evidence, tables):
        held = inventory(evidence, tables, progress)
        return drift(earlier, evidence.tenant, held.senders)


def snapshot(paths: Sequence[Path], out: Path, *, progress: Progress) -> Path:
    """Keep the configuration of this moment in a folder, in a form that is evidence again."""
    tenant = configuration_of(paths, progress)
    moment = datetime.now(UTC)
    held = {
        cmdlet: [item.properties for item in tenant.objects(cmdlet) or ()]
        for cmdlet in sorted(tenant.cmdlets())
    }
    if not held:
        raise InputError(
            Text("No configuration is among this evidence, so there is nothing to keep."),
            Origin(str(paths[0])),
        )
    out.mkdir(parents=True, exist_ok=True)
    written = out / f"configuration-{moment:%Y%m%dT%H%M%SZ}.json"
    written.write_bytes(as_json(held).encode())
    return written


def effective(
    paths: Sequence[Path], recipients: Sequence[str], *, config: Path | None, progress: Progress
) -> Effective:
    """Say which policy really applies to mailboxes, and how many of all mailboxes stand where."""
    with gathered(paths, config, progress) as (evidence, _):
        domains = read_settings(evidence.tenant, evidence.configuration.accepted_domains).accepted_domains
        found = found_for(evidence.tenant, (held.name for held in domains))
        groups = groups_of(evidence.tenant)
        return Effective(
            {each: answers(mailbox_key(each), found, groups) for each in recipients},
            coverage(mailboxes(evidence.tenant), found, groups),
        )
