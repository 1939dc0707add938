"""What callers send to the API: each body is checked before anything is done."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from portero.core.ledger import StepState
from portero.core.register import Criticality
from portero.core.sender import Judgement

# Written without NUL, which no database keeps.
Line = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Decide(_In):
    """A decision about some senders: all are recorded, or none."""

    senders: Annotated[list[Line], Field(min_length=1, max_length=500)]
    judgement: Judgement | None = Field(description="null takes back what was decided.")
    owner: Line | None = None
    note: Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")] = ""
    expires_on: date | None = None
    seen: dict[str, Annotated[int, Field(ge=0, le=2**31 - 1)]] = Field(
        default_factory=dict, description="Revision of each sender that the decider saw."
    )


class Criteria(_In):
    """What mail must show to be set apart: of each kind given any one value, and all kinds given."""

    header_from: list[Line] = Field(default_factory=list, max_length=50)
    mail_from: list[Line] = Field(default_factory=list, max_length=50)
    cidr: list[Line] = Field(default_factory=list, max_length=50)
    ehlo: list[Line] = Field(default_factory=list, max_length=50)


class _Shaping(_In):
    note: Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")] = ""
    seen: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = Field(
        default=None, description="Revision of the sender that was seen."
    )


class Rename(_Shaping):
    """What a sender is called from now on, and what people know of it."""

    act: Literal["describe"]
    name: Name
    owner: Name | None = None
    purpose: Name | None = None
    criticality: Criticality | None = None


class Join(_Shaping):
    """Senders that are the same one, too."""

    act: Literal["merge"]
    merge: Annotated[list[Line], Field(min_length=1, max_length=500)]


class SetApart(_Shaping):
    """What is a sender of its own."""

    act: Literal["split"]
    split: Criteria


class TakeBack(_Shaping):
    """The kind of act to undo."""

    act: Literal["take-back"]
    of: Literal["judge", "describe", "merge", "split"]


Shape = Annotated[Rename | Join | SetApart | TakeBack, Field(discriminator="act")]


class Rehearse(_In):
    """Controls to replay together."""

    controls: Annotated[list[Annotated[str, Field(min_length=1, max_length=2000)]], Field(min_length=1, max_length=20)]  # fmt: skip


class MakeException(_In):
    """A fault to accept."""

    check: Name
    subject: Annotated[Line, Field(min_length=1)] | None = None
    owner: Annotated[Line, Field(min_length=1, max_length=300)]
    until: date
    reason: Annotated[str, Field(min_length=1, max_length=2000, pattern=r"^[^\x00]*$")]


class ApproveSettings(_In):
    """The newest run, so that nobody approves what they have not seen."""

    run: Name


class VerifiedChange(BaseModel):
    """One change as verify.ps1 found it; `Problem` says why nobody could look."""

    model_config = ConfigDict(extra="ignore")
    Id: Annotated[str, Field(max_length=20)]
    Title: Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")]
    Passed: bool
    Problem: Annotated[str, Field(max_length=4000, pattern=r"^[^\x00]*$")] | None = None


class MarkStep(_In):
    """What to say of a step; `revision` is the one that was seen."""

    state: StepState | None = None
    owner: Line | None = None
    note: Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")] | None = None
    verified: bool | None = Field(default=None, description="What verifying showed; null says nothing of it.")
    seen: Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")] = ""
    revision: Annotated[int, Field(ge=0, le=2**31 - 1)]


class AnnounceUpload(_In):
    """A file that will come; files of one batch are read together."""

    name: Annotated[str, Field(min_length=1, max_length=500)]
    size: Annotated[int, Field(ge=1, le=20 << 30)]
    batch: Annotated[str, Field(pattern=r"^b-[0-9a-f]{16}$")] | None = None


class StartRun(_In):
    """A batch to read."""

    batch: Annotated[str, Field(pattern=r"^b-[0-9a-f]{16}$")]


class SaveScenario(_In):
    """Controls to keep."""

    name: Name
    controls: Annotated[list[Annotated[str, Field(min_length=1, max_length=2000)]], Field(min_length=1, max_length=20)]  # fmt: skip


QueueId = Annotated[str, Field(pattern=r"^[0-9a-f]{1,16}$")]


class ChangeQueue(_In):
    """What to do to messages of the queue."""

    change: Literal["release", "retry", "hold", "drop", "report"]
    messages: Annotated[list[QueueId], Field(min_length=1, max_length=500)]
