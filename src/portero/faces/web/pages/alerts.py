"""Alerts: what changed between the last two runs, and which decisions no longer carry or run out."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from portero.core.changes import Change, Kind, endings, reopenings
from portero.core.ledger import Run
from portero.faces.web.cases import View
from portero.faces.web.pages.frame import Entered, look
from portero.faces.web.view import page
from portero.faces.web.visitor import now

ROUTER = APIRouter(include_in_schema=False)
_SHOWN = 50


@ROUTER.get("/o/{organisation}/alerts")
def alerts(request: Request, organisation: str) -> HTMLResponse:
    """Show what changed."""
    entered, view = look(request, organisation)
    before, found = alerts_of(entered, view)
    groups = [(kind, held) for kind in Kind if (held := [each for each in found if each.kind is kind])]
    return page(
        request,
        "alerts.html",
        entered.who,
        entered.organisation,
        view=view,
        before=before,
        groups=groups,
        most=_SHOWN,
        base=f"/o/{entered.organisation.id}/alerts",
    )


def alerts_of(entered: Entered, view: View) -> tuple[Run | None, Sequence[Change]]:
    """Give the run that the newest is compared with, None for a first run, and all there is to tell."""
    compared = entered.desk.cases.changes(entered.organisation.id)
    decided = view.decisions.values()
    labels = {each.sender: held.label for each in decided if (held := view.senders.get(each.sender))}
    order = tuple(Kind)
    found = [
        *(compared[2] if compared else ()),
        *view.made.once("reopened", lambda: reopenings(view.audit.senders)),
        *endings(decided, labels, now().date()),
    ]
    found.sort(key=lambda each: order.index(each.kind))
    return compared[0].run if compared else None, found
