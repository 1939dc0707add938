"""The part of the state about people: organisations, roles, sessions, links and tokens."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from itertools import count
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, insert, select, update

from portero.core.access import Action, Role
from portero.core.ledger import Organisation, Person, Token
from portero.store.state import tables
from portero.store.state.database import writing
from portero.store.state.trail import new_id, note, one


class PeopleState:
    """What of the state is about who may do what; State is one."""

    _engine: Engine

    def organisations(self) -> tuple[Organisation, ...]:
        """Give all organisations by name."""
        with self._engine.begin() as connection:
            rows = connection.execute(select(tables.organisations).order_by(tables.organisations.c.name))
            return tuple(Organisation(row.id, row.name, row.created_at) for row in rows)

    def add_organisation(self, name: str, who: str, now: datetime) -> Organisation:
        """Make an organisation."""
        made = Organisation(new_id("o"), name, now)
        with writing(self._engine) as connection:
            connection.execute(insert(tables.organisations).values(id=made.id, name=name, created_at=now))
            note(connection, made.id, now, who, "organisation.add", name, None, {"name": name})
        return made

    def rename_organisation(self, organisation: str, name: str, who: str, now: datetime) -> None:
        """Give an organisation another name."""
        table = tables.organisations
        with writing(self._engine) as connection:
            row = one(connection, select(table).where(table.c.id == organisation))
            connection.execute(update(table).where(table.c.id == organisation).values(name=name))
            note(connection, organisation, now, who, "organisation.rename", name, {"name": row.name}, {"name": name})  # fmt: skip

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
                made, name = new_id("p"), _free(connection, name)
                connection.execute(
                    insert(table).values(
                        id=made, issuer=issuer, subject=subject, name=name, owner=owner, created_at=now
                    )
                )
                note(connection, None, now, name, "person.first-seen", name, None, {"issuer": issuer})
                return Person(made, issuer, subject, name, owner)
            if found.name == name or re.fullmatch(re.escape(name) + r" \(\d+\)", found.name):
                return _person(connection, found, found.name)
            name = _free(connection, name)
            connection.execute(update(table).where(table.c.id == found.id).values(name=name))
            for column in (tables.steps.c.prepared_by, tables.steps.c.signed_by):
                connection.execute(update(tables.steps).where(column == found.name).values({column: name}))
            note(connection, None, now, name, "person.rename", name, {"name": found.name}, {"name": name})
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
            row = one(connection, select(tables.people).where(tables.people.c.id == person))
            before = connection.execute(select(table.c.role).where(here)).scalar_one_or_none()
            if before == (role.value if role else None):
                return
            connection.execute(delete(table).where(here))
            if role is not None:
                connection.execute(
                    insert(table).values(person=person, organisation=organisation, role=role.value)
                )
            note(connection, organisation, now, who, "member.role", row.name,
                  {"role": before}, {"role": role.value if role else None})  # fmt: skip

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
            note(connection, None, now, row.name, "person.sign-in", row.name, None, {"by": "link"})
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
            owner = one(connection, select(tables.people).where(tables.people.c.id == person))
            made = Token(new_id("t"), organisation, name, owner.name, held, now, expires_at, None)
            connection.execute(
                insert(tables.tokens).values(
                    id=made.id, hash=_hash(secret), organisation=organisation, person=person, name=name,
                    scopes=sorted(each.value for each in held), created_at=now, expires_at=expires_at,
                )
            )  # fmt: skip
            after = {"scopes": sorted(each.value for each in held)}
            note(connection, organisation, now, owner.name, "token.add", name, None, after)
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
            whose = one(connection, select(tables.people).where(tables.people.c.id == row.person))
            return _token(row, whose.name), _person(connection, whose, whose.name)

    def remove_token(self, organisation: str, token: str, who: str, now: datetime) -> None:
        """Revoke a token."""
        table = tables.tokens
        here = (table.c.id == token) & (table.c.organisation == organisation)
        with writing(self._engine) as connection:
            row = one(connection, select(table).where(here))
            connection.execute(delete(table).where(here))
            note(connection, organisation, now, who, "token.remove", row.name, {"scopes": row.scopes}, None)


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
