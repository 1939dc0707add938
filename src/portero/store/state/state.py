"""The state: each method one transaction, each change with its line in the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Engine, func, select

from portero.core.ledger import TrailEntry
from portero.store.state import tables, trail
from portero.store.state.database import writing
from portero.store.state.decisions import DecisionsState
from portero.store.state.evidence import EvidenceState
from portero.store.state.people import PeopleState
from portero.store.state.plans import PlansState
from portero.store.state.posture import PostureState


class State(PeopleState, EvidenceState, DecisionsState, PlansState, PostureState):
    """
    What an installation keeps, in one database.

    Times are given by the caller, aware UTC. `who` is the name that the audit trail shows. An id of another
    organisation is answered like one that does not exist: UnknownEntryError.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def note(self, organisation: str, who: str, now: datetime, action: str, subject: str, after: Mapping[str, object]) -> None:  # fmt: skip
        """Write down what somebody did to a thing that is not kept here, before it is done."""
        with writing(self._engine) as connection:
            trail.note(connection, organisation, now, who, action, subject, None, after)

    def version(self, organisation: str) -> int:
        """Count the changes made to an organisation: where this is what it was, so is all that people decided there."""
        table = tables.trail
        # Not the newest number: of two transactions the one with the lower number may end last.
        query = select(func.count()).select_from(table).where(table.c.organisation == organisation)
        with self._engine.begin() as connection:
            return int(connection.execute(query).scalar_one())

    def trail(self, organisation: str, before: int | None = None, most: int = 100) -> tuple[TrailEntry, ...]:
        """Give an organisation's audit trail, newest first, from below entry `before` on."""
        table = tables.trail
        query = select(table).where(table.c.organisation == organisation)
        if before is not None:
            query = query.where(table.c.n < before)
        with self._engine.begin() as connection:
            rows = connection.execute(query.order_by(table.c.n.desc()).limit(most))
            return tuple(
                TrailEntry(row.n, row.at, row.who, row.action, row.subject, row.before, row.after)
                for row in rows
            )
