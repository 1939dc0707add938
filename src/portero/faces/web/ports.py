"""What the dashboard needs of the rest: a place for its state, and work on evidence done out of its process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

from portero.app.evidence import Case
from portero.core.acceptance import Acceptance, Kept, Rules
from portero.core.access import Action, Role
from portero.core.audit import Audit
from portero.core.decision import Basis, Decision
from portero.core.exchange.settings import Tenant
from portero.core.explain import Unread, Verdict
from portero.core.flow import FlowKey
from portero.core.ledger import (
    Job,
    Organisation,
    Person,
    Run,
    Scenario,
    StepMark,
    Token,
    TrailEntry,
    Upload,
)
from portero.core.recorded import Mail
from portero.core.sender import Judgement, Sender
from portero.core.text import Text

Say = Callable[[Text], None]


class State(Protocol):
    """What an installation keeps; `portero.store.state.state.State` says what each method does."""

    def close(self) -> None: ...
    def organisations(self) -> tuple[Organisation, ...]: ...
    def add_organisation(self, name: str, who: str, now: datetime) -> Organisation: ...
    def rename_organisation(self, organisation: str, name: str, who: str, now: datetime) -> None: ...
    def person(
        self, issuer: str, subject: str, name: str, now: datetime, *, owner: bool = False
    ) -> Person: ...
    def people(self) -> tuple[Person, ...]: ...
    def set_role(
        self, organisation: str, person: str, role: Role | None, who: str, now: datetime
    ) -> None: ...
    def add_session(self, person: str, expires_at: datetime, now: datetime) -> str: ...
    def session(self, secret: str, now: datetime) -> Person | None: ...
    def end_session(self, secret: str) -> None: ...
    def add_link(self, person: str, expires_at: datetime) -> str: ...
    def use_link(self, secret: str, now: datetime) -> Person | None: ...
    def add_token(
        self,
        organisation: str,
        person: str,
        name: str,
        scopes: Iterable[Action],
        expires_at: datetime | None,
        now: datetime,
    ) -> tuple[Token, str]: ...
    def tokens(self, organisation: str) -> tuple[Token, ...]: ...
    def use_token(self, secret: str, now: datetime) -> tuple[Token, Person] | None: ...
    def remove_token(self, organisation: str, token: str, who: str, now: datetime) -> None: ...
    def add_run(self, run: Run, content: bytes, now: datetime) -> None: ...
    def runs(self, organisation: str, most: int = 50) -> tuple[Run, ...]: ...
    def run_content(self, organisation: str, run: str) -> bytes: ...
    def decisions(self, organisation: str) -> tuple[Decision, ...]: ...
    def history(self, organisation: str, sender: str) -> tuple[Decision, ...]: ...
    def revisions(self, organisation: str) -> Mapping[str, int]: ...
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
    ) -> None: ...
    def act(
        self, organisation: str, label: str, decision: Decision, seen: Mapping[str, int] | None = None
    ) -> None: ...
    def adopt(
        self,
        organisation: str,
        decisions: Sequence[Decision],
        labels: Mapping[str, str],
        who: str,
        now: datetime,
    ) -> int: ...
    def undo(self, organisation: str, revisions: Mapping[str, int], who: str, now: datetime) -> None: ...
    def add_scenario(
        self, organisation: str, name: str, controls: Sequence[str], who: str, now: datetime
    ) -> Scenario: ...
    def scenarios(self, organisation: str) -> tuple[Scenario, ...]: ...
    def remove_scenario(self, organisation: str, scenario: str, who: str, now: datetime) -> None: ...
    def steps(self, organisation: str) -> Mapping[str, StepMark]: ...
    def mark_step(
        self, organisation: str, mark: StepMark, title: str, who: str, now: datetime
    ) -> StepMark: ...
    def put_job(self, job: Job) -> None: ...
    def jobs(self, organisation: str, most: int = 20) -> tuple[Job, ...]: ...
    def job(self, organisation: str, job: str) -> Job: ...
    def end_lost_jobs(self, said: Mapping[str, str]) -> None: ...
    def put_upload(self, upload: Upload) -> None: ...
    def uploads(self, organisation: str, batch: str) -> tuple[Upload, ...]: ...
    def upload(self, organisation: str, upload: str) -> Upload: ...
    def unread_batches(self, before: datetime) -> tuple[tuple[str, str], ...]: ...
    def remove_upload(self, organisation: str, upload: str) -> None: ...
    def rules(self, organisation: str) -> Rules: ...
    def accept(self, organisation: str, wanted: Acceptance, who: str, now: datetime) -> Kept: ...
    def remove_acceptance(self, organisation: str, acceptance: str, who: str, now: datetime) -> None: ...
    def approved_settings(self, organisation: str) -> Tenant: ...
    def approve(self, organisation: str, run: str, settings: Tenant, who: str, now: datetime) -> None: ...
    def withdraw_approval(self, organisation: str, who: str, now: datetime) -> None: ...
    def note(
        self,
        organisation: str,
        who: str,
        now: datetime,
        action: str,
        subject: str,
        after: Mapping[str, object],
    ) -> None: ...
    def version(self, organisation: str) -> int: ...
    def trail(
        self, organisation: str, before: int | None = None, most: int = 100
    ) -> tuple[TrailEntry, ...]: ...


@dataclass(frozen=True, slots=True)
class Read:
    """What reading evidence gives to keep: the case as octets, and its mails one by one as a file's octets."""

    case: bytes
    mails: bytes


@dataclass(frozen=True, slots=True)
class Work:
    """
    Work on evidence.

    read:    reads evidence in a process of its own; raises PorteroError, and `Cancelled` soon after the event it is
             given is set.
    mails:   of a file that reading gave, how many mails came by some ways of sending, and the newest of them; raises
             FileNotFoundError where none were kept.
    unpack:  gives the case back; raises ValueError where another version wrote it.
    export:  the files of an audit by name, in a language.
    decided: decisions in the records that lie with evidence, oldest first, and in the working folder's where wished;
             raises ConfigError for a line that is none.
    record:  decisions as the record that `portero decide` writes holds them.
    judge:   the mails of a file by its name and octets, opened in a process apart and judged by what a case knows;
             raises ConfigError where what opens mail is not installed.
    """

    read: Callable[[Sequence[Path], Say, Callable[[], bool]], Read]
    unpack: Callable[[bytes], Case]
    export: Callable[[Audit, str], Mapping[str, bytes]]
    decided: Callable[[Sequence[Path], bool], Sequence[Decision]]
    record: Callable[[Iterable[Decision]], bytes]
    judge: Callable[[Case, Sequence[Sender], str, bytes], Sequence[Verdict | Unread]]
    mails: Callable[[Path, Sequence[FlowKey], int], tuple[int, Sequence[Mail]]]


@dataclass(frozen=True, slots=True)
class RelayDoor:
    """
    A relay of this machine.

    organisation:  name or id of the one it belongs to; None where the installation has one organisation.
    queue:    states and how many messages at most, and how sentences are said, to the document of
              `portero relay queue list --json`.
    devices:  the devices' rules and habits, likewise.
    change:   ``retry``, ``hold``, ``release``, ``drop`` or ``report``, queue ids, and how sentences are said, to what
              became of each.
    All raise PorteroError where the relay cannot be asked.
    """

    organisation: str | None
    queue: Callable[[Sequence[str], int, Callable[[Text], str]], Mapping[str, Any]]
    devices: Callable[[], Sequence[Mapping[str, Any]]]
    change: Callable[[str, Sequence[str], Callable[[Text], str]], Mapping[str, str]]


class Cancelled(Exception):  # noqa: N818 - no error: somebody wished it
    """The work was given up because somebody asked for it."""
