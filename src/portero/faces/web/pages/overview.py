"""The first page: how exposed the organisation is, what it would cost to close the door, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from portero.core.finding import Outcome
from portero.core.ledger import Organisation, StepState
from portero.core.sender import Judgement
from portero.core.step import Step
from portero.faces.render import Renderer
from portero.faces.report.charts import ORDER, over_time, stretches, through
from portero.faces.report.page import strongest
from portero.faces.report.summary import UNPROVEN, Summary, summarise
from portero.faces.web.cases import OpeningError, View
from portero.faces.web.desk import WebDesk
from portero.faces.web.pages.frame import look
from portero.faces.web.steps import key_of
from portero.faces.web.view import page
from portero.faces.web.visitor import desk_of, visitor

ROUTER = APIRouter(include_in_schema=False)
_QUESTIONS = 5


@ROUTER.get("/")
def start(request: Request) -> Response:
    """Lead to the only organisation, or show all of them."""
    who = visitor(request)
    if len(who.organisations) == 1 and "all" not in request.query_params:
        return RedirectResponse(f"/o/{who.organisations[0].id}/", 303)
    desk = desk_of(request)
    held: list[tuple[Organisation, Summary | None, View | None, Step | None, bool]] = []
    for each in who.organisations:
        try:
            view = desk.cases.newest(each.id)
        except OpeningError:
            held.append((each, None, None, None, True))
            continue
        summary = view.made.once("summary", partial(summarise, view.audit)) if view else None
        held.append((each, summary, view, _next(desk, each.id, view) if view else None, False))
    return page(request, "organisations.html", who, None, held=held)


@ROUTER.get("/o/{organisation}/")
def overview(request: Request, organisation: str) -> HTMLResponse:
    """Show the overview."""
    entered, view = look(request, organisation)
    return page(
        request,
        "overview.html",
        entered.who,
        entered.organisation,
        view=view,
        audit=view.audit,
        judgements=ORDER,
        strongest=strongest,
        **shown(view, entered.who.renderer),
    )


def shown(view: View, renderer: Renderer) -> Mapping[str, Any]:
    """Give what the page shows of an audit in a language; made once for each audit."""
    audit = view.audit

    def make() -> Mapping[str, Any]:
        parts = stretches(audit.senders)
        return {
            "summary": summarise(audit),
            "stretches": parts,
            "time_chart": over_time(parts, renderer) if parts else None,
            "flow_chart": through(audit, renderer),
            "questions": _questions(view),
            "proven": sum(each.mails for each in audit.senders if each.path not in UNPROVEN),
            "failing": [each for each in audit.findings if each.outcome is Outcome.FAIL][:6],
        }

    return view.made.once(("overview", renderer.lang), make)


def _next(desk: WebDesk, organisation: str, view: View) -> Step | None:
    """Give the first step of the plan that is not done."""
    marks = desk.state.steps(organisation)
    keyed = view.made.once("keys", lambda: [(step, key_of(step)) for step in view.audit.plan])
    return next(
        (step for step, key in keyed if key not in marks or marks[key].state is not StepState.DONE), None
    )


def _questions(view: View) -> list[tuple[object, int]]:
    """Give the undecided senders whose answers settle most mail, with the revision that an answer must name."""
    undecided = sorted(
        (each for each in view.audit.senders if each.judgement is Judgement.UNDECIDED),
        key=lambda each: (-each.mails, each.id),
    )
    return [(each, view.revisions.get(each.id, 0)) for each in undecided[:_QUESTIONS]]
