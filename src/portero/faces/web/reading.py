"""From files to a run: reads a batch of evidence as a job and keeps what was found."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

from portero.core.decision import RECORD
from portero.core.ledger import Job, Run, StaleError, UnknownEntryError
from portero.core.text import Text
from portero.faces.web.desk import WebDesk
from portero.faces.web.evidence_files import folder_of, keep_mails
from portero.faces.web.ports import Say
from portero.faces.web.visitor import ForbiddenError, now

KIND = "audit"
DECISIONS = "decisions"


def start(desk: WebDesk, organisation: str, batch: str, made_by: str, *, may_decide: bool) -> Job:
    """
    Start reading a batch; decisions in it are taken over, and alone they need no run of their own.

    Raises UnknownEntryError for a batch of nobody's, StaleError while one of its files is not whole, ForbiddenError for
    decisions from somebody who may hand over evidence and no more.
    """
    files = desk.state.uploads(organisation, batch)
    if not files:
        raise UnknownEntryError
    if any(each.received != each.size for each in files):
        raise StaleError
    if not may_decide and any(each.name == RECORD for each in files):
        raise ForbiddenError
    folder = folder_of(desk.evidence, organisation, batch)
    if all(each.name == RECORD for each in files):
        return desk.jobs.start(
            organisation, DECISIONS, made_by, lambda *_: _adopted(desk, organisation, (folder,), made_by)
        )
    return start_places(desk, organisation, (folder,), made_by)


def start_places(
    desk: WebDesk, organisation: str, places: Sequence[Path], made_by: str, *, here: bool = False
) -> Job:
    """
    Start reading files and folders of this machine; only whoever starts the server may name such.

    here:  whether the working folder's record of decisions counts too, as it does for `portero audit`.
    """

    def work(say: Say, cancelled: Callable[[], bool]) -> str:
        # First, as in an audit: whoever wrote a wrong line need not wait to be told.
        _adopted(desk, organisation, places, made_by, here=here)
        read = desk.work.read(places, say, cancelled)
        say(Text("Keeping what was found…"))
        inventory = desk.work.unpack(read.case).inventory
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
        # The mails first: a run without them says that they were not kept, and mails without a run nobody finds.
        keep_mails(desk.evidence, organisation, made.id, read.mails)
        desk.state.add_run(made, read.case, now())
        return made.id

    return desk.jobs.start(organisation, KIND, made_by, work)


def _adopted(
    desk: WebDesk, organisation: str, places: Sequence[Path], made_by: str, *, here: bool = False
) -> str:
    """Take over the decisions of the records that lie with evidence; give how many were new."""
    decisions = desk.work.decided(places, here)
    return str(desk.state.adopt(organisation, decisions, {}, made_by, now()))
