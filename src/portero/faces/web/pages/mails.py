"""What stands behind a number: the ways in which a sender sends, what controls make of each, and the recorded mails."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from portero.core.controls import UnknownControlError, parse_control
from portero.core.exchange.decision import Decision
from portero.core.flow import Flow
from portero.core.ledger import UnknownEntryError
from portero.core.simulation import Effect
from portero.errors import ConfigError
from portero.faces.web.evidence_files import mails_of
from portero.faces.web.pages.frame import look
from portero.faces.web.view import page

ROUTER = APIRouter(include_in_schema=False)
MOST = 100
_WAYS = 25
_BLOCK = "reject-direct-send"


@ROUTER.get("/o/{organisation}/senders/{sender}/mails")
def mails(request: Request, organisation: str, sender: str) -> HTMLResponse:
    """Show the ways of a sender and its mails: all, or those that controls together would refuse, keep or leave open."""
    entered, view = look(request, organisation)
    found = view.senders.get(sender)
    if found is None:
        raise UnknownEntryError
    written = tuple(each[:2000] for each in request.query_params.getlist("control"))[:20] or (_BLOCK,)
    try:
        controls = tuple(parse_control(each) for each in written)
    except UnknownControlError as error:
        raise ConfigError((error.text,)) from None
    fates = sorted(entered.desk.cases.fates(view, found, controls), key=lambda each: -each[0].facts.mails)
    asked = request.query_params.get("effect", "")
    wanted = next((each for each in Effect if each.value == asked), None)
    chosen = [(flow, fate) for flow, fate in fates if wanted is None or fate.effect is wanted]
    by_fate: dict[Decision, list[Flow]] = {}
    for flow, fate in chosen:
        by_fate.setdefault(fate, []).append(flow)
    place = mails_of(entered.desk.evidence, entered.organisation.id, view.run.id)
    try:
        number, shown = entered.desk.work.mails(place, [flow.key for flow, _ in chosen], MOST)
    except FileNotFoundError:
        number, shown = None, ()
    counts = {
        each: sum(flow.facts.mails for flow, fate in fates if fate.effect is each)
        for each in (Effect.REFUSED, Effect.UNDETERMINED, Effect.KEPT)
    }
    return page(
        request,
        "mails.html",
        entered.who,
        entered.organisation,
        view=view,
        sender=found,
        controls=written,
        counts=counts,
        wanted=wanted,
        ways=sorted(by_fate.items(), key=lambda each: -sum(flow.facts.mails for flow in each[1])),
        most_ways=_WAYS,
        number=number,
        mails=shown,
        most=MOST,
        base=f"/o/{entered.organisation.id}/senders/{sender}/mails",
    )
