"""The part of the state about senders: what people decided, took over and undid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, insert, select
from sqlalchemy.exc import IntegrityError

from portero.core.decision import Act, Basis, Decision, effective
from portero.core.ledger import StaleError
from portero.core.sender import Judgement
from portero.store.state import tables
from portero.store.state.database import writing
from portero.store.state.trail import note


class DecisionsState:
    """What of the state is about decisions; State is one."""

    _engine: Engine

    def decisions(self, organisation: str) -> tuple[Decision, ...]:
        """Give the acts that count, oldest first: the judgement in force of each sender, and what nobody took back."""
        return effective(self._acts(organisation))

    def _acts(self, organisation: str, sender: str | None = None) -> list[Decision]:
        table = tables.decisions
        query = select(table).where(table.c.organisation == organisation).order_by(table.c.n)
        if sender is not None:
            query = query.where(table.c.sender == sender)
        with self._engine.begin() as connection:
            return [_decision(row) for row in connection.execute(query)]

    def history(self, organisation: str, sender: str) -> tuple[Decision, ...]:
        """Give all that was ever decided about a sender, newest first."""
        return tuple(reversed(self._acts(organisation, sender)))

    def revisions(self, organisation: str) -> Mapping[str, int]:
        """Give how often each sender was decided about, withdrawals included."""
        table = tables.decisions
        query = (
            select(table.c.sender, func.max(table.c.revision))
            .where(table.c.organisation == organisation)
            .group_by(table.c.sender)
        )
        with self._engine.begin() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def decide(
        self,
        organisation: str,
        labels: Mapping[str, str],
        judgement: Judgement | None,
        who: str,
        now: datetime,
        *,
        owner: str | None = None,
        note: str = "",
        expires_on: date | None = None,
        seen: Mapping[str, int] | None = None,
        bases: Mapping[str, Basis] | None = None,
    ) -> None:
        """
        Record one decision about some senders, all of them or none.

        labels:     what each sender, by id, is called now; the trail shows it.
        judgement:  None withdraws what was decided.
        seen:       revision of each that the decider saw; StaleError where another decision came between.
        bases:      how each behaves now, so that a later change shows.
        """
        made = Decision("", judgement, who, now, owner, note, expires_on)
        if judgement is None:
            made = replace(made, act=Act.TAKE_BACK, of=Act.JUDGE)
        self._record(organisation, labels, made, seen, bases)

    def act(
        self, organisation: str, label: str, decision: Decision, seen: Mapping[str, int] | None = None
    ) -> None:
        """Record what somebody did to the shape of one sender, or said of it; raises StaleError as `decide` does."""
        self._record(organisation, {decision.sender: label}, decision, seen)

    def _record(
        self,
        organisation: str,
        labels: Mapping[str, str],
        decision: Decision,
        seen: Mapping[str, int] | None,
        bases: Mapping[str, Basis] | None = None,
    ) -> None:
        table = tables.decisions
        with writing(self._engine) as connection:
            newest = {
                row.sender: row
                for row in connection.execute(
                    select(table)
                    .where(table.c.organisation == organisation, table.c.sender.in_(list(labels)))
                    .order_by(table.c.n)
                )
            }
            for sender, label in labels.items():
                held = newest.get(sender)
                revision = held.revision if held is not None else 0
                if seen is not None and seen.get(sender, revision) != revision:
                    raise StaleError
                basis = (bases or {}).get(sender) if decision.judgement else None
                made = replace(decision, sender=sender, basis=basis)
                try:
                    _insert(connection, organisation, made, label, revision + 1)
                except IntegrityError as error:
                    raise StaleError from error
                before = _shown(held) if held is not None and held.judgement else None
                withdrawn = _said(made) is None and made.judgement is None
                after = None if withdrawn else _after(made)
                action = (
                    "sender.withdraw" if withdrawn else "sender.decide" if made.judgement else "sender.shape"
                )
                note(connection, organisation, made.decided_at, made.decided_by, action,
                      f"{label} ({sender})", before, after)  # fmt: skip

    def adopt(
        self,
        organisation: str,
        decisions: Sequence[Decision],
        labels: Mapping[str, str],
        who: str,
        now: datetime,
    ) -> int:
        """
        Take over decisions made elsewhere, under the names and times they bear; give how many were new.

        One that is not newer than all that was decided here about its sender says nothing new, so a record may be
        handed over again: what was decided, undone or withdrawn since then stays.

        decisions:  oldest first.
        labels:     what senders are called; one that is not there goes by its id.
        """
        table = tables.decisions
        newest = (
            select(table.c.sender, func.max(table.c.decided_at), func.max(table.c.revision))
            .where(table.c.organisation == organisation)
            .group_by(table.c.sender)
        )
        taken: set[Decision] = set()
        with writing(self._engine) as connection:
            known = {row[0]: (row[1], row[2]) for row in connection.execute(newest)}
            for each in decisions:
                at, revision = known.get(each.sender, (None, 0))
                # One call may do several things to a sender at once, so only what was here before counts.
                if each in taken or (at is not None and each.decided_at <= at):
                    continue
                label = labels.get(each.sender, each.sender)
                _insert(connection, organisation, each, label, revision + 1)
                known[each.sender] = (at, revision + 1)
                taken.add(each)
                after = {
                    **_after(each),
                    "decided_by": each.decided_by,
                    "decided_at": each.decided_at.isoformat(),
                }
                note(
                    connection,
                    organisation,
                    now,
                    who,
                    "sender.adopt",
                    f"{label} ({each.sender})",
                    None,
                    after,
                )
        return len(taken)

    def undo(self, organisation: str, revisions: Mapping[str, int], who: str, now: datetime) -> None:
        """
        Put senders back to what was decided before the newest decision about each.

        revisions:  that newest decision, as the one who undoes saw it; StaleError where another came since.
        """
        table = tables.decisions
        with writing(self._engine) as connection:
            for sender, seen in revisions.items():
                held = connection.execute(
                    select(table)
                    .where(table.c.organisation == organisation, table.c.sender == sender)
                    .order_by(table.c.n.desc())
                ).all()
                if not held or held[0].revision != seen or _shapes(held[0]):
                    raise StaleError
                judged = next((row for row in held[1:] if not _shapes(row)), None)
                before = judged if judged is not None and judged.judgement else None
                connection.execute(
                    insert(table).values(
                        organisation=organisation, sender=sender, label=held[0].label,
                        judgement=before.judgement if before else None, owner=before.owner if before else None,
                        note=before.note if before else "", expires_on=before.expires_on if before else None,
                        decided_by=before.decided_by if before else who, decided_at=before.decided_at if before else now,
                        revision=seen + 1, said=before.said if before else None,
                    )
                )  # fmt: skip
                note(connection, organisation, now, who, "sender.undo", f"{held[0].label} ({sender})",
                      _shown(held[0]) if held[0].judgement else None, _shown(before) if before else None)  # fmt: skip


def _decision(row: Row[Any]) -> Decision:
    if row.judgement is None and row.said is None:
        return Decision(
            row.sender, None, row.decided_by, row.decided_at, note=row.note, act=Act.TAKE_BACK, of=Act.JUDGE
        )
    return Decision.read(
        {
            "sender": row.sender,
            "judgement": row.judgement,
            "decided_by": row.decided_by,
            "decided_at": row.decided_at.isoformat(),
            "owner": row.owner,
            "note": row.note,
            "expires_on": row.expires_on.isoformat() if row.expires_on else None,
            **(row.said or {}),
        }
    )


def _insert(connection: Connection, organisation: str, made: Decision, label: str, revision: int) -> None:
    connection.execute(
        insert(tables.decisions).values(
            organisation=organisation, sender=made.sender, label=label,
            judgement=made.judgement.value if made.judgement else None, owner=made.owner, note=made.note,
            expires_on=made.expires_on, decided_by=made.decided_by, decided_at=made.decided_at,
            revision=revision, said=_said(made),
        )
    )  # fmt: skip


def _said(made: Decision) -> dict[str, object] | None:
    # A withdrawn judgement is written as it was before there were other acts.
    withdrawn = made.act is Act.TAKE_BACK and made.of is Act.JUDGE
    return None if withdrawn else dict(made.said) or None


def _shapes(row: Row[Any]) -> bool:
    """Tell whether a row is neither a judgement nor the withdrawal of one."""
    return row.judgement is None and row.said is not None


def _after(made: Decision) -> dict[str, object]:
    judgement = made.judgement.value if made.judgement else None
    said = {key: value for key, value in made.said.items() if key != "basis"}
    return {"judgement": judgement, "owner": made.owner, "note": made.note, **said}


def _shown(row: Row[Any]) -> Mapping[str, object]:
    return {"judgement": row.judgement, "owner": row.owner, "note": row.note}
