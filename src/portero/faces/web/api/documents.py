"""The shapes of the API's answers: the contract's SENDER, SIMULATION, FINDING and STEP, and what belongs around them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from portero.core.acceptance import Standing
from portero.core.access import Role
from portero.core.changes import Kind as Change
from portero.core.finding import Outcome, Severity
from portero.core.ledger import JobState, StepState
from portero.core.register import Criticality
from portero.core.sender import DecidedBy, Judgement, Kind, Path, Validity
from portero.core.simulation import Effect
from portero.core.step import Risk


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Problem(_Out):
    """What went wrong. Source: RFC 9457."""

    type: str
    status: int
    title: str


class Organisation(_Out):
    """An organisation the caller may see, and the caller's role in it."""

    id: str
    name: str
    role: Role


class Reason(_Out):
    """One piece of evidence for or against a sender; weight in natural-log odds towards abuse."""

    code: str
    reason: str
    weight: float
    origins: list[str]


class Ruling(_Out):
    """What somebody decided about a sender, and where that stands."""

    judgement: Judgement
    decided_by: str
    decided_at: datetime
    standing: Validity
    changes: list[str]
    note: str
    expires_on: date | None


class SenderSummary(_Out):
    """A sender as the list shows it."""

    id: str
    label: str
    kind: Kind
    judgement: Judgement
    confidence: float
    decided_by: DecidedBy
    owner: str | None
    purpose: str | None
    criticality: Criticality | None
    decision: Ruling | None
    path: Path
    connector: str | None
    client_networks: list[str]
    messages: int
    first_seen: datetime | None
    last_seen: datetime | None
    refused: int | None = Field(description="Mails that closing Direct Send would refuse.")
    revision: int = Field(description="How often it was decided about; a decision names the revision it saw.")


class Sender(_Out):
    """The contract's SENDER."""

    id: str
    label: str
    kind: Kind
    judgement: Judgement
    confidence: float
    decided_by: DecidedBy
    owner: str | None
    purpose: str | None
    criticality: Criticality | None
    decision: Ruling | None
    path: Path
    connector: str | None
    client_networks: list[str]
    mail_from_domains: list[str]
    header_from_domains: list[str]
    header_from: list[str]
    ehlo: list[str]
    messages: int
    outside_messages: int
    witnesses: dict[str, int]
    recipients: int
    first_seen: datetime | None
    last_seen: datetime | None
    because: list[Reason]
    revision: int


class Senders(_Out):
    """One page of senders."""

    items: list[SenderSummary]
    matching: int
    page: int
    pages: int
    counts: dict[str, dict[str, int]]


class Decided(_Out):
    """The revisions after a decision."""

    revisions: dict[str, int]


class Shaped(_Out):
    """A sender's revision after a change of its shape."""

    revision: int
    part: str | None = Field(
        description="Id of the sender that a split makes, where any mail shows what it names."
    )


class Messages(_Out):
    """Unique mails by effect."""

    refused: int
    kept: int
    undetermined: int


class SenderEffect(_Out):
    """What controls would do to one sender."""

    sender: str
    effect: Effect
    refused: int
    kept: int
    undetermined: int
    judgement: Judgement
    reply: str | None
    because: str


class Simulation(_Out):
    """The contract's SIMULATION."""

    controls: list[str]
    messages: Messages
    senders: list[SenderEffect]


class Accepted(_Out):
    """What is accepted of a finding, and where that stands."""

    owner: str
    until: date
    reason: str
    subject: str | None
    state: Standing


class Finding(_Out):
    """The contract's FINDING."""

    id: str
    title: str
    outcome: Outcome
    severity: Severity
    because: str
    origins: list[str]
    fix: str
    undo: str
    maps: dict[str, str]
    subjects: list[str]
    accepted: list[Accepted]


class KeptException(_Out):
    """A fault that somebody accepted here, until a day and with it; `subject` is null for everything at fault."""

    id: str
    check: str
    subject: str | None
    owner: str
    until: date
    reason: str
    made_by: str
    created_at: datetime


class Difference(_Out):
    """One difference from the approved settings; `who` and `day` where an audit log tells."""

    cmdlet: str
    name: str
    property: str | None
    what: str
    who: str | None
    day: str | None
    origins: list[str]


class Posture(_Out):
    """The approved settings and what differs from them; `differences` is null where there is nothing to compare."""

    run: str | None
    approved_by: str | None
    approved_at: datetime | None
    differences: list[Difference] | None


class VerifiedStep(_Out):
    """What verifying a step showed; `passed` is null where nobody could look."""

    passed: bool | None
    said: str
    by: str
    at: datetime


class Step(_Out):
    """The contract's STEP, and what people said of it."""

    n: int
    title: str
    why: str
    do: str
    verify: str
    undo: str
    after: list[int]
    senders: list[str]
    risk: Risk
    owner: str
    controls: list[str]
    moved: list[str]
    verified: VerifiedStep | None
    key: str
    state: StepState
    note: str
    prepared_by: str | None
    signed_by: str | None
    revision: int


class Plan(_Out):
    """The steps in order; `settled` is false while the plan does not yet follow the newest decisions."""

    settled: bool
    steps: list[Step]


class TakenOver(_Out):
    """By the step's key whether it passed, null where nobody could look; and changes that belong to no step."""

    steps: dict[str, bool | None]
    unknown: int


class Document(_Out):
    """What one document contributed."""

    origin: str
    kind: str
    rows: int
    first: datetime | None
    last: datetime | None
    notes: list[str]


class Gap(_Out):
    """What could not be used."""

    origin: str
    line: int | None
    reason: str
    count: int


class Evidence(_Out):
    """What was read, and what could not be."""

    documents: list[Document]
    gaps: list[Gap]
    assumptions: list[str]
    blind_spots: list[str]


class Upload(_Out):
    """A file on its way in; the next piece begins at `received`."""

    id: str
    batch: str
    name: str
    size: int
    received: int


class Job(_Out):
    """Long work."""

    id: str
    kind: str
    state: JobState
    said: str
    result: str | None
    created_at: datetime


class Run(_Out):
    """Evidence that was read once."""

    id: str
    created_at: datetime
    made_by: str
    rows: int
    senders: int
    first: datetime | None
    last: datetime | None


class Scenario(_Out):
    """Controls kept under a name."""

    id: str
    name: str
    controls: list[str]
    made_by: str
    created_at: datetime


class TrailEntry(_Out):
    """One line of the audit trail."""

    n: int
    at: datetime
    who: str
    action: str
    subject: str
    before: dict[str, object] | None
    after: dict[str, object] | None


class Trail(_Out):
    """Newest first; `next` is what to give as `before` for older entries, null at the end."""

    items: list[TrailEntry]
    next: int | None


SortName = Literal["messages", "refused", "label", "judgement", "path", "last_seen", "first_seen"]


class Alert(_Out):
    """One change, or one decision that no longer carries or runs out."""

    kind: Change
    what: str
    sender: str | None
    finding: str | None


class Alerts(_Out):
    """What changed between two runs; `before` is null where there is one run."""

    run: str
    before: str | None
    items: list[Alert]


class JudgedMessage(_Out):
    """The contract's answer about one message, with its keys; `error` alone beside `origin` where there is none."""

    model_config = ConfigDict(extra="allow")
    origin: str


QueueState = Literal["fresh", "waiting", "held", "quarantined"]


class QueueRecipient(_Out):
    """One recipient, and what was answered for it."""

    address: str
    fate: str
    attempts: int
    way: str | None
    reply: str | None
    explained: str | None


class QueueMessage(_Out):
    """One message of the queue; the subject is null to those who may not decide about it."""

    id: str
    state: str
    received_at: datetime
    due_at: datetime | None
    device: str
    client: str
    mail_from: str
    header_from: str
    subject: str | None
    size: int
    reasons: list[str]
    recipients: list[QueueRecipient]


class RelayWay(_Out):
    """One way out, since the relay was started."""

    name: str
    kind: str
    waiting: int
    delivered: int
    deferred: int
    refused: int
    trouble: str | None
    again_in_seconds: int
    drain_seconds: float | None


class Relay(_Out):
    """The queue."""

    running: bool
    accepting: bool | None
    counts: dict[str, int]
    ways: list[RelayWay]
    messages: list[QueueMessage]


class RelayDevice(_Out):
    """One device's rule, and what it has sent."""

    name: str
    networks: list[str]
    ways: list[str]
    owner: str | None
    messages_per_minute: int | None
    learning: bool
    messages: int | None
    this_hour: int | None
    busiest_hour: int | None
    recipients: int | None


class QueueChanged(_Out):
    """What became of each: its state, gone, reported, missing, ownerless, or unchanged where it cannot be done in its state."""

    messages: dict[str, str]
