"""From files to a run: reads a batch of evidence as a job and keeps what was found."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

from portero.core.ledger import Job, Run, StaleError, UnknownEntryError
from portero.core.text import Text
from portero.faces.web.desk import WebDesk
from portero.faces.web.evidence_files import folder_of
from portero.faces.web.ports import Say
from portero.faces.web.visitor import now

KIND = "audit"


def start(desk: WebDesk, organisation: str, batch: str, made_by: str) -> Job:
    """
    Start reading a batch.

    Raises UnknownEntryError for a batch of nobody's, StaleError while one of its files is not whole.
    """
    files = desk.state.uploads(organisation, batch)
    if not files:
        raise UnknownEntryError
    if any(each.received != each.size for each in files):
        raise StaleError
    return start_places(desk, organisation, (folder_of(desk.evidence, organisation, batch),), made_by)


def start_places(desk: WebDesk, organisation: str, places: Sequence[Path], made_by: str) -> Job:
    """Start reading files and folders of this machine; only whoever starts the server may name such."""

    def work(say: Say, cancelled: Callable[[], bool]) -> str:
        content = desk.work.read(places, say, cancelled)
        say(Text("Keeping what was found…"))
        inventory = desk.work.unpack(content).inventory
        made = Run(
            id=f"r-{secrets.token_hex(8)}",
            organisation=organisation,
            created_at=now(),
            made_by=made_by,
            places=tuple(str(each) for each in places),
            rows=inventory.totals.rows,
            senders=len(inventory.senders),
            first=inventory.window[0] if inventory.window else None,
            last=inventory.window[1] if inventory.window else None,
        )
        desk.state.add_run(made, content, now())
        return made.id

    return desk.jobs.start(organisation, KIND, made_by, work)
