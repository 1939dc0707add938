"""The state: each method one transaction, each change with its line in the audit trail."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from hashlib import sha256
from itertools import count
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from portero.core.access import Action, Role
from portero.core.decision import Act, Basis, Decision, effective
from portero.core.ledger import (
    Job,
    JobState,
    Organisation,
    Person,
    Run,
    Scenario,
    StaleError,
    StepMark,
    StepState,
    Token,
    TrailEntry,
    Upload,
    Verified,
)
from portero.core.sender import Judgement
from portero.store.state import tables
from portero.store.state.database import writing
from portero.store.state.posture import PostureState
from portero.store.state.trail import new_id as _new_id
from portero.store.state.trail import note as _note
from portero.store.state.trail import one as _one

LOCAL = "local"


class State(PostureState):
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

    # Organisations and people

    def organisations(self) -> tuple[Organisation, ...]:
        """Give all organisations by name."""
        with self._engine.begin() as connection:
            rows = connection.execute(select(tables.organisations).order_by(tables.organisations.c.name))
            return tuple(Organisation(row.id, row.name, row.created_at) for row in rows)

    def add_organisation(self, name: str, who: str, now: datetime) -> Organisation:
        """Make an organisation."""
        made = Organisation(_new_id("o"), name, now)
        with writing(self._engine) as connection:
            connection.execute(insert(tables.organisations).values(id=made.id, name=name, created_at=now))
            _note(connection, made.id, now, who, "organisation.add", name, None, {"name": name})
        return made

    def rename_organisation(self, organisation: str, name: str, who: str, now: datetime) -> None:
        """Give an organisation another name."""
        table = tables.organisations
        with writing(self._engine) as connection:
            row = _one(connection, select(table).where(table.c.id == organisation))
            connection.execute(update(table).where(table.c.id == organisation).values(name=name))
            _note(connection, organisation, now, who, "organisation.rename", name, {"name": row.name}, {"name": name})  # fmt: skip

    def person(self, issuer: str, subject: str, name: str, now: datetime, *, owner: bool = False) -> Person:
        """
        Give the person an issuer vouches for, made on the first sight of them.

        Names tell people apart wherever deeds are written down, so a second person of a name gets a number after it, and
        a step bears the new name of whom it knew by the old: nobody approves their own step under another name.
        """
        table = tables.people
        with writing(self._engine) as connection:
            found = connection.execute(
                select(table).where(table.c.issuer == issuer, table.c.subject == subject)
            ).one_or_none()
            if found is None:
                made, name = _new_id("p"), _free(connection, name)
                connection.execute(
                    insert(table).values(
                        id=made, issuer=issuer, subject=subject, name=name, owner=owner, created_at=now
                    )
                )
                _note(connection, None, now, name, "person.first-seen", name, None, {"issuer": issuer})
                return Person(made, issuer, subject, name, owner)
            if found.name == name or re.fullmatch(re.escape(name) + r" \(\d+\)", found.name):
                return _person(connection, found, found.name)
            name = _free(connection, name)
            connection.execute(update(table).where(table.c.id == found.id).values(name=name))
            for column in (tables.steps.c.prepared_by, tables.steps.c.signed_by):
                connection.execute(update(tables.steps).where(column == found.name).values({column: name}))
            _note(connection, None, now, name, "person.rename", name, {"name": found.name}, {"name": name})
            return _person(connection, found, name)

    def people(self) -> tuple[Person, ...]:
        """Give everybody who ever signed in, by name."""
        with self._engine.begin() as connection:
            rows = connection.execute(select(tables.people).order_by(tables.people.c.name)).all()
            return tuple(_person(connection, row, row.name) for row in rows)

    def set_role(self, organisation: str, person: str, role: Role | None, who: str, now: datetime) -> None:
        """Give a person a role in an organisation, or take it away."""
        table = tables.roles
        here = (table.c.person == person) & (table.c.organisation == organisation)
        with writing(self._engine) as connection:
            row = _one(connection, select(tables.people).where(tables.people.c.id == person))
            before = connection.execute(select(table.c.role).where(here)).scalar_one_or_none()
            if before == (role.value if role else None):
                return
            connection.execute(delete(table).where(here))
            if role is not None:
                connection.execute(
                    insert(table).values(person=person, organisation=organisation, role=role.value)
                )
            _note(connection, organisation, now, who, "member.role", row.name,
                  {"role": before}, {"role": role.value if role else None})  # fmt: skip

    # Secrets: of each only the hash is kept

    def add_session(self, person: str, expires_at: datetime, now: datetime) -> str:
        """Open a session and give its secret."""
        secret = secrets.token_urlsafe(32)
        with writing(self._engine) as connection:
            connection.execute(delete(tables.sessions).where(tables.sessions.c.expires_at < now))
            connection.execute(
                insert(tables.sessions).values(
                    hash=_hash(secret), person=person, created_at=now, expires_at=expires_at
                )
            )
        return secret

    def session(self, secret: str, now: datetime) -> Person | None:
        """Give whose session a secret opens; None where it opens none."""
        held, table = tables.sessions, tables.people
        with self._engine.begin() as connection:
            row = connection.execute(
                select(table)
                .join(held, held.c.person == table.c.id)
                .where(held.c.hash == _hash(secret), held.c.expires_at > now)
            ).one_or_none()
            return _person(connection, row, row.name) if row is not None else None

    def end_session(self, secret: str) -> None:
        """Close a session."""
        with writing(self._engine) as connection:
            connection.execute(delete(tables.sessions).where(tables.sessions.c.hash == _hash(secret)))

    def add_link(self, person: str, expires_at: datetime) -> str:
        """Make a link that signs a person in once, in place of an earlier one, and give its secret."""
        secret = secrets.token_urlsafe(32)
        with writing(self._engine) as connection:
            connection.execute(delete(tables.links).where(tables.links.c.person == person))
            connection.execute(
                insert(tables.links).values(hash=_hash(secret), person=person, expires_at=expires_at)
            )
        return secret

    def use_link(self, secret: str, now: datetime) -> Person | None:
        """Use a link up and give whom it signs in; None where it was used or has run out."""
        held, table = tables.links, tables.people
        with writing(self._engine) as connection:
            row = connection.execute(
                select(table)
                .join(held, held.c.person == table.c.id)
                .where(held.c.hash == _hash(secret), held.c.expires_at > now)
            ).one_or_none()
            if row is None:
                return None
            connection.execute(delete(held).where(held.c.hash == _hash(secret)))
            _note(connection, None, now, row.name, "person.sign-in", row.name, None, {"by": "link"})
            return _person(connection, row, row.name)

    def add_token(
        self,
        organisation: str,
        person: str,
        name: str,
        scopes: Iterable[Action],
        expires_at: datetime | None,
        now: datetime,
    ) -> tuple[Token, str]:
        """Make a token for programs and give it with its secret, which nobody can be told again."""
        secret = "portero_" + secrets.token_urlsafe(32)
        held = frozenset(scopes)
        with writing(self._engine) as connection:
            owner = _one(connection, select(tables.people).where(tables.people.c.id == person))
            made = Token(_new_id("t"), organisation, name, owner.name, held, now, expires_at, None)
            connection.execute(
                insert(tables.tokens).values(
                    id=made.id, hash=_hash(secret), organisation=organisation, person=person, name=name,
                    scopes=sorted(each.value for each in held), created_at=now, expires_at=expires_at,
                )
            )  # fmt: skip
            after = {"scopes": sorted(each.value for each in held)}
            _note(connection, organisation, now, owner.name, "token.add", name, None, after)
        return made, secret

    def tokens(self, organisation: str) -> tuple[Token, ...]:
        """Give an organisation's tokens, newest first."""
        table = tables.tokens
        query = (
            select(table, tables.people.c.name.label("whose"))
            .join(tables.people, tables.people.c.id == table.c.person)
            .where(table.c.organisation == organisation)
            .order_by(table.c.created_at.desc())
        )
        with self._engine.begin() as connection:
            return tuple(_token(row, row.whose) for row in connection.execute(query))

    def use_token(self, secret: str, now: datetime) -> tuple[Token, Person] | None:
        """Give the token and its maker that a secret belongs to; None where there is none, or no longer."""
        table = tables.tokens
        with writing(self._engine) as connection:
            row = connection.execute(select(table).where(table.c.hash == _hash(secret))).one_or_none()
            if row is None or (row.expires_at is not None and row.expires_at <= now):
                return None
            # To the minute, so that a busy program does not write at every call.
            if row.used_at is None or (now - row.used_at).total_seconds() > 60:
                connection.execute(update(table).where(table.c.id == row.id).values(used_at=now))
            whose = _one(connection, select(tables.people).where(tables.people.c.id == row.person))
            return _token(row, whose.name), _person(connection, whose, whose.name)

    def remove_token(self, organisation: str, token: str, who: str, now: datetime) -> None:
        """Revoke a token."""
        table = tables.tokens
        here = (table.c.id == token) & (table.c.organisation == organisation)
        with writing(self._engine) as connection:
            row = _one(connection, select(table).where(here))
            connection.execute(delete(table).where(here))
            _note(connection, organisation, now, who, "token.remove", row.name, {"scopes": row.scopes}, None)

    # Runs

    def add_run(self, run: Run, content: bytes, now: datetime) -> None:
        """Keep a run with what re-judging it needs."""
        with writing(self._engine) as connection:
            connection.execute(
                insert(tables.runs).values(
                    id=run.id, organisation=run.organisation, created_at=run.created_at, made_by=run.made_by,
                    places=list(run.places), rows=run.rows, senders=run.senders, first=run.first, last=run.last,
                    content=content,
                )
            )  # fmt: skip
            after = {"rows": run.rows, "senders": run.senders, "places": list(run.places)}
            _note(connection, run.organisation, now, run.made_by, "run.add", run.id, None, after)

    def runs(self, organisation: str, most: int = 50) -> tuple[Run, ...]:
        """Give an organisation's runs, newest first."""
        table = tables.runs
        columns = [column for column in table.c if column.name != "content"]
        query = (
            select(*columns)
            .where(table.c.organisation == organisation)
            .order_by(table.c.created_at.desc(), table.c.id)
            .limit(most)
        )
        with self._engine.begin() as connection:
            return tuple(_run(row) for row in connection.execute(query))

    def run_content(self, organisation: str, run: str) -> bytes:
        """Give what re-judging a run needs."""
        table = tables.runs
        with self._engine.begin() as connection:
            row = _one(
                connection,
                select(table.c.content).where(table.c.id == run, table.c.organisation == organisation),
            )
            return bytes(row.content)

    # Decisions

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
                _note(connection, organisation, made.decided_at, made.decided_by, action,
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
                _note(
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
                _note(connection, organisation, now, who, "sender.undo", f"{held[0].label} ({sender})",
                      _shown(held[0]) if held[0].judgement else None, _shown(before) if before else None)  # fmt: skip

    # Scenarios, steps

    def add_scenario(
        self, organisation: str, name: str, controls: Sequence[str], who: str, now: datetime
    ) -> Scenario:
        """Keep controls under a name."""
        made = Scenario(_new_id("c"), organisation, name, tuple(controls), who, now)
        with writing(self._engine) as connection:
            connection.execute(
                insert(tables.scenarios).values(
                    id=made.id, organisation=organisation, name=name, controls=list(controls), made_by=who,
                    created_at=now,
                )
            )  # fmt: skip
            _note(connection, organisation, now, who, "scenario.add", name, None, {"controls": list(controls)})  # fmt: skip
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
            row = _one(connection, select(table).where(here))
            connection.execute(delete(table).where(here))
            _note(connection, organisation, now, who, "scenario.remove", row.name, {"controls": row.controls}, None)  # fmt: skip

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
            _note(connection, organisation, now, who, "step.mark", title, before, after)
            return _mark(_one(connection, select(table).where(here)))

    # Jobs, uploads

    def put_job(self, job: Job) -> None:
        """Write how far a job is."""
        table = tables.jobs
        values = {"state": job.state.value, "said": dict(job.said), "result": job.result}
        with writing(self._engine) as connection:
            done = connection.execute(update(table).where(table.c.id == job.id).values(**values))
            if not done.rowcount:
                connection.execute(
                    insert(table).values(
                        id=job.id, organisation=job.organisation, kind=job.kind, made_by=job.made_by,
                        created_at=job.created_at, **values,
                    )
                )  # fmt: skip

    def jobs(self, organisation: str, most: int = 20) -> tuple[Job, ...]:
        """Give an organisation's jobs, newest first."""
        table = tables.jobs
        query = (
            select(table)
            .where(table.c.organisation == organisation)
            .order_by(table.c.created_at.desc(), table.c.id)
            .limit(most)
        )
        with self._engine.begin() as connection:
            return tuple(_job(row) for row in connection.execute(query))

    def job(self, organisation: str, job: str) -> Job:
        """Give one job."""
        table = tables.jobs
        with self._engine.begin() as connection:
            return _job(
                _one(connection, select(table).where(table.c.id == job, table.c.organisation == organisation))
            )

    def end_lost_jobs(self, said: Mapping[str, str]) -> None:
        """Call what was under way when the server stopped failed, for nobody is working on it any more."""
        table = tables.jobs
        going = table.c.state.in_([JobState.WAITING.value, JobState.RUNNING.value])
        with writing(self._engine) as connection:
            connection.execute(
                update(table).where(going).values(state=JobState.FAILED.value, said=dict(said))
            )

    def put_upload(self, upload: Upload) -> None:
        """Write how much of a file is safe."""
        table = tables.uploads
        with writing(self._engine) as connection:
            done = connection.execute(
                update(table).where(table.c.id == upload.id).values(received=upload.received)
            )
            if not done.rowcount:
                connection.execute(
                    insert(table).values(
                        id=upload.id, organisation=upload.organisation, batch=upload.batch, name=upload.name,
                        size=upload.size, received=upload.received, made_by=upload.made_by,
                        created_at=upload.created_at,
                    )
                )  # fmt: skip

    def uploads(self, organisation: str, batch: str) -> tuple[Upload, ...]:
        """Give the files of a batch in the order they were announced."""
        table = tables.uploads
        query = (
            select(table)
            .where(table.c.organisation == organisation, table.c.batch == batch)
            .order_by(table.c.created_at, table.c.id)
        )
        with self._engine.begin() as connection:
            return tuple(_upload(row) for row in connection.execute(query))

    def upload(self, organisation: str, upload: str) -> Upload:
        """Give one file."""
        table = tables.uploads
        query = select(table).where(table.c.organisation == organisation, table.c.id == upload)
        with self._engine.begin() as connection:
            return _upload(_one(connection, query))

    def remove_upload(self, organisation: str, upload: str) -> None:
        """Forget a file that was announced."""
        table = tables.uploads
        with writing(self._engine) as connection:
            connection.execute(
                delete(table).where(table.c.organisation == organisation, table.c.id == upload)
            )

    # The trail

    def note(self, organisation: str, who: str, now: datetime, action: str, subject: str, after: Mapping[str, object]) -> None:  # fmt: skip
        """Write down what somebody did to a thing that is not kept here, before it is done."""
        with writing(self._engine) as connection:
            _note(connection, organisation, now, who, action, subject, None, after)

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


def _hash(secret: str) -> str:
    # The secrets are 256 random bits, so a plain hash cannot be searched; passwords are kept nowhere.
    return sha256(secret.encode()).hexdigest()


def _free(connection: Connection, name: str) -> str:
    """Give a name that nobody bears yet: the one asked for, or with the next number after it."""
    taken = set(connection.execute(select(tables.people.c.name)).scalars())
    return next(each for n in count(1) if (each := name if n == 1 else f"{name} ({n})") not in taken)


def _person(connection: Connection, row: Row[Any], name: str) -> Person:
    held = connection.execute(select(tables.roles).where(tables.roles.c.person == row.id))
    roles = {each.organisation: Role(each.role) for each in held}
    return Person(row.id, row.issuer, row.subject, name, row.owner, roles)


def _token(row: Row[Any], whose: str) -> Token:
    scopes = frozenset(Action(each) for each in row.scopes)
    return Token(
        row.id, row.organisation, row.name, whose, scopes, row.created_at, row.expires_at, row.used_at
    )


def _run(row: Row[Any]) -> Run:
    return Run(
        row.id, row.organisation, row.created_at, row.made_by, tuple(row.places), row.rows, row.senders, row.first,
        row.last,
    )  # fmt: skip


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


def _job(row: Row[Any]) -> Job:
    return Job(
        row.id, row.organisation, row.kind, JobState(row.state), row.made_by, row.created_at, row.said, row.result
    )  # fmt: skip


def _upload(row: Row[Any]) -> Upload:
    return Upload(
        row.id, row.organisation, row.batch, row.name, row.size, row.received, row.made_by, row.created_at
    )  # fmt: skip
