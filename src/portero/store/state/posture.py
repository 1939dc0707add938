"""The part of the state about an organisation's posture: accepted faults, and the approved settings."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from sqlalchemy import Engine, delete, insert, select

from portero.core.acceptance import Acceptance, Approval, Kept, Rules
from portero.core.exchange.settings import Tenant
from portero.store.state import tables
from portero.store.state.database import writing
from portero.store.state.trail import new_id, note, one
from portero.store.state.values import dump, load


class PostureState:
    """What of the state is about the posture; State is one."""

    _engine: Engine

    def rules(self, organisation: str) -> Rules:
        """Give what the organisation accepts, newest first, and what it approved."""
        table, approvals = tables.acceptances, tables.approvals
        accepted = select(table).where(table.c.organisation == organisation).order_by(
            table.c.created_at.desc(), table.c.id
        )  # fmt: skip
        approval = select(approvals.c.run, approvals.c.approved_by, approvals.c.approved_at).where(
            approvals.c.organisation == organisation
        )
        with self._engine.begin() as connection:
            held = connection.execute(approval).one_or_none()
            return Rules(
                tuple(
                    Kept(
                        row.id, Acceptance(row.check_id, row.owner, row.until, row.reason, row.subject), row.made_by,
                        row.created_at,
                    )
                    for row in connection.execute(accepted)
                ),
                Approval(held.run, held.approved_by, held.approved_at) if held is not None else None,
            )  # fmt: skip

    def accept(self, organisation: str, wanted: Acceptance, who: str, now: datetime) -> Kept:
        """Write down that a fault is accepted."""
        made = Kept(new_id("a"), wanted, who, now)
        with writing(self._engine) as connection:
            connection.execute(
                insert(tables.acceptances).values(
                    id=made.id, organisation=organisation, check_id=wanted.check, subject=wanted.subject,
                    owner=wanted.owner, until=wanted.until, reason=wanted.reason, made_by=who, created_at=now,
                )
            )  # fmt: skip
            note(connection, organisation, now, who, "acceptance.add", wanted.check, None, _shown(wanted))
        return made

    def remove_acceptance(self, organisation: str, acceptance: str, who: str, now: datetime) -> None:
        """Accept a fault no longer; raises UnknownEntryError."""
        table = tables.acceptances
        here = (table.c.id == acceptance) & (table.c.organisation == organisation)
        with writing(self._engine) as connection:
            row = one(connection, select(table).where(here))
            connection.execute(delete(table).where(here))
            held = Acceptance(row.check_id, row.owner, row.until, row.reason, row.subject)
            note(connection, organisation, now, who, "acceptance.remove", held.check, _shown(held), None)

    def approved_settings(self, organisation: str) -> Tenant:
        """Give the approved settings; raises UnknownEntryError where none are, UnreadableError for another version's."""
        table = tables.approvals
        with self._engine.begin() as connection:
            row = one(connection, select(table.c.content).where(table.c.organisation == organisation))
        return cast("Tenant", load(bytes(row.content)))

    def approve(self, organisation: str, run: str, settings: Tenant, who: str, now: datetime) -> None:
        """Approve the settings of a run, in place of those approved before."""
        table = tables.approvals
        here = table.c.organisation == organisation
        with writing(self._engine) as connection:
            before = connection.execute(select(table.c.run).where(here)).scalar_one_or_none()
            connection.execute(delete(table).where(here))
            connection.execute(
                insert(table).values(
                    organisation=organisation,
                    run=run,
                    approved_by=who,
                    approved_at=now,
                    content=dump(settings),
                )
            )
            was = {"run": before} if before is not None else None
            note(connection, organisation, now, who, "posture.approve", run, was, {"run": run})

    def withdraw_approval(self, organisation: str, who: str, now: datetime) -> None:
        """Approve no settings any more; raises UnknownEntryError where none were."""
        table = tables.approvals
        here = table.c.organisation == organisation
        with writing(self._engine) as connection:
            row = one(connection, select(table.c.run).where(here))
            connection.execute(delete(table).where(here))
            note(connection, organisation, now, who, "posture.withdraw", row.run, {"run": row.run}, None)


def _shown(held: Acceptance) -> dict[str, object]:
    return {
        "subject": held.subject, "owner": held.owner, "until": held.until.isoformat(), "reason": held.reason
    }  # fmt: skip
