"""What stands behind a number: the ways in which a sender sends, what controls make of each, and the recorded mails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from portero.core.controls import UnknownControlError, parse_control
from portero.core.exchange.decision import Decision
from portero.core.flow import Flow
from portero.core.ledger import UnknownEntryError
from portero.core.recorded import Mail
from portero.core.sender import Sender
from portero.core.simulation import Effect
from portero.errors import ConfigError
from portero.faces.web.cases import View
from portero.faces.web.evidence_files import mails_of
from portero.faces.web.pages.frame import Entered, look
from portero.faces.web.view import page

ROUTER = APIRouter(include_in_schema=False)
MOST = 100
_WAYS = 25
_BLOCK = "reject-direct-send"


@dataclass(frozen=True, slots=True)
class Behind:
    """
    What stands behind a number.

    counts:  mails by what the controls make of them.
    ways:    the ways of sending that were asked for, by what becomes of them, the most mail first.
    number:  the recorded mails of these ways, of which `mails` are the newest; None where none were kept.
    """

    controls: tuple[str, ...]
    counts: Mapping[Effect, int]
    ways: Sequence[tuple[Decision, Sequence[Flow]]]
    number: int | None
    mails: Sequence[Mail]


@ROUTER.get("/o/{organisation}/senders/{sender}/mails")
def mails(request: Request, organisation: str, sender: str) -> HTMLResponse:
    """Show the ways of a sender and its mails: all, or those that controls together would refuse, keep or leave open."""
    entered, view = look(request, organisation)
    found = view.senders.get(sender)
    if found is None:
        raise UnknownEntryError
    written = tuple(each[:2000] for each in request.query_params.getlist("control"))[:20]
    asked = request.query_params.get("effect", "")
    wanted = next((each for each in Effect if each.value == asked), None)
    held = behind(entered, view, found, written, wanted)
    return page(
        request,
        "mails.html",
        entered.who,
        entered.organisation,
        view=view,
        sender=found,
        controls=held.controls,
        counts=held.counts,
        wanted=wanted,
        ways=held.ways,
        most_ways=_WAYS,
        number=held.number,
        mails=held.mails,
        most=MOST,
        base=f"/o/{entered.organisation.id}/senders/{sender}/mails",
    )


def behind(
    entered: Entered, view: View, sender: Sender, written: tuple[str, ...], wanted: Effect | None
) -> Behind:
    """
    Find the ways and mails of a sender, all or those of one effect; without controls, of closing Direct Send.

    Raises ConfigError for a control that is none or has no object.
    """
    written = written or (_BLOCK,)
    try:
        controls = tuple(parse_control(each) for each in written)
    except UnknownControlError as error:
        raise ConfigError((error.text,)) from None
    fates = sorted(entered.desk.cases.fates(view, sender, controls), key=lambda each: -each[0].facts.mails)
    chosen = [(flow, fate) for flow, fate in fates if wanted is None or fate.effect is wanted]
    by_fate: dict[Decision, list[Flow]] = {}
    for flow, fate in chosen:
        by_fate.setdefault(fate, []).append(flow)
    place = mails_of(entered.desk.evidence, entered.organisation.id, view.run.id)
    number: int | None
    shown: Sequence[Mail]
    try:
        number, shown = entered.desk.work.mails(place, [flow.key for flow, _ in chosen], MOST)
    except FileNotFoundError:
        number, shown = None, ()
    counts = {
        each: sum(flow.facts.mails for flow, fate in fates if fate.effect is each)
        for each in (Effect.REFUSED, Effect.UNDETERMINED, Effect.KEPT)
    }
    ways = sorted(by_fate.items(), key=lambda each: -sum(flow.facts.mails for flow in each[1]))
    return Behind(written, counts, ways, number, shown)
