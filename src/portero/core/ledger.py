"""What an installation keeps beside evidence: organisations, people, runs, steps signed, scenarios, and who did what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from portero.core.access import Action, Role


class StaleError(Exception):
    """Somebody else changed the same thing since it was read; nothing was written."""


class UnknownEntryError(Exception):
    """There is no such entry, or none that the asker may know of."""


@dataclass(frozen=True, slots=True)
class Organisation:
    """A tenant under one roof; everything else belongs to exactly one."""

    id: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """
    Somebody who signs in.

    issuer, subject:  who vouches for the person and under which name; ``local`` for the owner of this installation.
    roles:            by organisation id.
    owner:            whether the person is administrator of every organisation.
    """

    id: str
    issuer: str
    subject: str
    name: str
    owner: bool = False
    roles: Mapping[str, Role] = field(default_factory=dict)

    def role_in(self, organisation: str) -> Role | None:
        """Give the person's role in an organisation; None for a stranger to it."""
        return Role.ADMINISTRATOR if self.owner else self.roles.get(organisation)


@dataclass(frozen=True, slots=True)
class Token:
    """A secret for programs, of one organisation; the secret itself is not kept."""

    id: str
    organisation: str
    name: str
    person: str
    scopes: frozenset[Action]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Run:
    """
    Evidence that was read and folded once; its audit is a function of this and of the decisions.

    places:   where the evidence stands, as the server reads it.
    rows, senders: records read, senders found.
    """

    id: str
    organisation: str
    created_at: datetime
    made_by: str
    places: tuple[str, ...]
    rows: int
    senders: int
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Scenario:
    """Controls that somebody rehearsed together and kept under a name."""

    id: str
    organisation: str
    name: str
    controls: tuple[str, ...]
    made_by: str
    created_at: datetime


class StepState(StrEnum):
    """How far a step of the plan is."""

    OPEN = "open"
    PREPARED = "prepared"  # somebody made it ready and asks for approval
    SIGNED = "signed"  # somebody else approved it
    DONE = "done"  # carried out and verified


@dataclass(frozen=True, slots=True)
class Verified:
    """
    What verifying a step showed.

    passed:  None where nobody could look.
    said:    what was seen, in the words of whoever or whatever looked.
    """

    passed: bool | None
    said: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StepMark:
    """
    What people said about one step of the plan.

    key:       stable name of the step, the same in later runs of the same plan.
    verified:  None where nobody has looked since the step was opened.
    revision:  grows with every change; whoever changes names the one they saw.
    """

    key: str
    state: StepState = StepState.OPEN
    owner: str | None = None
    note: str = ""
    prepared_by: str | None = None
    signed_by: str | None = None
    changed_at: datetime | None = None
    revision: int = 0
    verified: Verified | None = None


class JobState(StrEnum):
    """How far long work is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Job:
    """
    Long work.

    said:    what it is doing or how it ended, one sentence in English and in Spanish.
    result:  id of what it made, how many decisions were new to it, or None.
    """

    id: str
    organisation: str
    kind: str
    state: JobState
    made_by: str
    created_at: datetime
    said: Mapping[str, str]
    result: str | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way in; `received` octets of `size` are safe on disk."""

    id: str
    organisation: str
    batch: str
    name: str
    size: int
    received: int
    made_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class TrailEntry:
    """One line of the audit trail: who did what to which thing, and what it was before and after."""

    n: int
    at: datetime
    who: str
    action: str
    subject: str
    before: Mapping[str, object] | None
    after: Mapping[str, object] | None
