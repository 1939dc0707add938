"""The part of the state about the plan: scenarios that were saved, and what was said of steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, delete, insert, select, update

from portero.core.ledger import Scenario, StaleError, StepMark, StepState, Verified
from portero.store.state import tables
from portero.store.state.database import writing
from portero.store.state.trail import new_id, note, one


class PlansState:
    """What of the state is about the plan; State is one."""

    _engine: Engine

    def add_scenario(
        self, organisation: str, name: str, controls: Sequence[str], who: str, now: datetime
    ) -> Scenario:
        """Keep controls under a name."""
        made = Scenario(new_id("c"), organisation, name, tuple(controls), who, now)
        with writing(self._engine) as connection:
            connection.execute(
                insert(tables.scenarios).values(
                    id=made.id, organisation=organisation, name=name, controls=list(controls), made_by=who,
                    created_at=now,
                )
            )  # fmt: skip
            note(connection, organisation, now, who, "scenario.add", name, None, {"controls": list(controls)})  # fmt: skip
        return made

    def scenarios(self, organisation: str) -> tuple[Scenario, ...]:
        """Give the saved scenarios, newest first."""
        table = tables.scenarios
        query = select(table).where(table.c.organisation == organisation).order_by(table.c.created_at.desc())
        with self._engine.begin() as connection:
            return tuple(
                Scenario(row.id, row.organisation, row.name, tuple(row.controls), row.made_by, row.created_at)
                for row in connection.execute(query)
            )

    def remove_scenario(self, organisation: str, scenario: str, who: str, now: datetime) -> None:
        """Forget a scenario."""
        table = tables.scenarios
        here = (table.c.id == scenario) & (table.c.organisation == organisation)
        with writing(self._engine) as connection:
            row = one(connection, select(table).where(here))
            connection.execute(delete(table).where(here))
            note(connection, organisation, now, who, "scenario.remove", row.name, {"controls": row.controls}, None)  # fmt: skip

    def steps(self, organisation: str) -> Mapping[str, StepMark]:
        """Give what was said about steps, by the step's key."""
        table = tables.steps
        with self._engine.begin() as connection:
            rows = connection.execute(select(table).where(table.c.organisation == organisation))
            return {row.key: _mark(row) for row in rows}

    def mark_step(self, organisation: str, mark: StepMark, title: str, who: str, now: datetime) -> StepMark:
        """
        Change what is said about a step.

        mark:  as it should be, with the revision that was seen. Raises StaleError where that is no longer the newest.
        """
        table = tables.steps
        here = (table.c.organisation == organisation) & (table.c.key == mark.key)
        with writing(self._engine) as connection:
            row = connection.execute(select(table).where(here)).one_or_none()
            if (row.revision if row is not None else 0) != mark.revision:
                raise StaleError
            values = {
                "state": mark.state.value, "owner": mark.owner, "note": mark.note, "prepared_by": mark.prepared_by,
                "signed_by": mark.signed_by, "changed_at": now, "revision": mark.revision + 1,
                "verified": _verified_values(mark.verified),
            }  # fmt: skip
            if row is None:
                connection.execute(insert(table).values(organisation=organisation, key=mark.key, **values))
            else:
                connection.execute(update(table).where(here).values(**values))
            before = {"state": row.state, "owner": row.owner, "note": row.note} if row is not None else None
            after: dict[str, object] = {"state": mark.state.value, "owner": mark.owner, "note": mark.note}
            if mark.verified is not None:
                after |= {"verified": mark.verified.passed, "seen": mark.verified.said}
            note(connection, organisation, now, who, "step.mark", title, before, after)
            return _mark(one(connection, select(table).where(here)))


def _mark(row: Row[Any]) -> StepMark:
    held = row.verified
    verified = (
        Verified(held["passed"], held["said"], held["by"], datetime.fromisoformat(held["at"]))
        if held
        else None
    )
    return StepMark(
        row.key, StepState(row.state), row.owner, row.note, row.prepared_by, row.signed_by, row.changed_at,
        row.revision, verified,
    )  # fmt: skip


def _verified_values(held: Verified | None) -> dict[str, object] | None:
    if held is None:
        return None
    return {"passed": held.passed, "said": held.said, "by": held.by, "at": held.at.isoformat()}
