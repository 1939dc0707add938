"""The API's part about one sender: what was decided about it, the mails behind its numbers, and undoing decisions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from portero.core.access import Action
from portero.core.decision import Decision as Act
from portero.core.exchange.decision import Decision
from portero.core.flow import Flow
from portero.core.ledger import UnknownEntryError
from portero.core.recorded import Mail
from portero.core.sender import Judgement
from portero.core.simulation import Effect
from portero.faces.web.api.documents import Decided
from portero.faces.web.api.frame import PROBLEMS, Decider, ETag, Id, Reader, tagged
from portero.faces.web.pages.frame import Entered
from portero.faces.web.pages.mails import behind
from portero.faces.web.visitor import now

ROUTER = APIRouter(prefix="/api/v1", responses=PROBLEMS)


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class PastDecision(_Out):
    """Something that was decided about a sender; `judgement` is null where it was no judgement, or was taken back."""

    act: str
    judgement: Judgement | None
    decided_by: str
    decided_at: datetime
    owner: str | None
    note: str
    expires_on: date | None


class Way(_Out):
    """A way of sending and what the controls make of it. Null means that no witness knew, "" that one knew of none."""

    effect: Effect
    because: str
    reply: str | None
    client_ip: str | None
    ehlo: str | None
    mail_from_domain: str | None
    header_from: str | None
    traced_sender: str | None
    connector: str | None
    inside: int
    outside: int
    messages: int


class RecordedMail(_Out):
    """One mail. `subject` is null where it is not known, or the caller may not decide."""

    at: datetime | None
    author: str | None
    subject: str | None
    outcome: str | None
    size: int | None
    origin: str


class Behind(_Out):
    """What stands behind a number: `number` counts the mails, of which the newest hundred follow; null: none were kept."""

    controls: list[str]
    counts: dict[Effect, int]
    ways: list[Way]
    number: int | None
    mails: list[RecordedMail]


class Undo(BaseModel):
    """The newest decision about each sender, by its revision as the caller saw it."""

    model_config = ConfigDict(extra="forbid")
    revisions: Annotated[
        dict[Annotated[str, Field(max_length=80)], Annotated[int, Field(ge=1, le=2**31 - 1)]],
        Field(min_length=1, max_length=500),
    ]


@ROUTER.get("/organisations/{organisation}/senders/{sender}/history", response_model=list[PastDecision])
def history(entered: Reader, sender: Id, if_none_match: ETag = None) -> Response:
    """Give all that was ever decided about a sender, newest first."""
    held = entered.desk.state.history(entered.organisation.id, sender)
    if not held and sender not in entered.view().senders:
        raise UnknownEntryError
    return tagged(list[PastDecision], [_past(each) for each in held], if_none_match)


@ROUTER.get("/organisations/{organisation}/senders/{sender}/mails", response_model=Behind)
def mails(
    entered: Reader,
    sender: Id,
    control: Annotated[tuple[Annotated[str, Field(max_length=2000)], ...], Query(max_length=20)] = (),
    effect: Effect | None = None,
    if_none_match: ETag = None,
) -> Response:
    """Give a sender's ways and mails: all, or those that the controls together would refuse, keep or leave open."""
    view = entered.view()
    if sender not in view.senders:
        raise UnknownEntryError
    held = behind(entered, view, view.senders[sender], control, effect)
    may_read = entered.who.may(entered.organisation.id, Action.DECIDE)
    document = {
        "controls": held.controls,
        "counts": held.counts,
        "ways": [_way(flow, fate, entered) for fate, flows in held.ways for flow in flows],
        "number": held.number,
        "mails": [_mail(each, may_read=may_read) for each in held.mails],
    }
    return tagged(Behind, document, if_none_match)


@ROUTER.post("/organisations/{organisation}/decisions/undo", response_model=Decided)
def undo(entered: Decider, wanted: Undo) -> Mapping[str, object]:
    """Put senders back to what was decided before; 409 where somebody decided since."""
    entered.desk.state.undo(entered.organisation.id, wanted.revisions, entered.name, now())
    revisions = entered.desk.state.revisions(entered.organisation.id)
    return {"revisions": {each: revisions[each] for each in wanted.revisions}}


def _past(held: Act) -> Mapping[str, object]:
    return {
        "act": held.act, "judgement": held.judgement, "decided_by": held.decided_by, "decided_at": held.decided_at,
        "owner": held.owner, "note": held.note, "expires_on": held.expires_on,
    }  # fmt: skip


def _way(flow: Flow, fate: Decision, entered: Entered) -> Mapping[str, object]:
    key = flow.key
    return {
        "effect": fate.effect, "because": entered.say(fate.why), "reply": fate.reply, "client_ip": key.client_ip,
        "ehlo": key.ehlo, "mail_from_domain": key.mail_from_domain, "header_from": key.header_from,
        "traced_sender": key.sender, "connector": key.connector, "inside": flow.facts.inside,
        "outside": flow.facts.outside, "messages": flow.facts.mails,
    }  # fmt: skip


def _mail(held: Mail, *, may_read: bool) -> Mapping[str, object]:
    return {
        "at": held.at, "author": held.author, "subject": held.subject if may_read else None, "outcome": held.outcome,
        "size": held.size, "origin": str(held.origin),
    }  # fmt: skip
