"""Evidence: hand files over, see what was read of them, what could not be, and what nobody could see."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from portero.core.access import Action
from portero.core.ledger import JobState
from portero.faces.report.charts import by_day, by_kind
from portero.faces.web.cases import OpeningError
from portero.faces.web.pages.frame import enter, enter_to_change
from portero.faces.web.view import page

ROUTER = APIRouter(include_in_schema=False)
_DOCUMENTS = 300
_GAPS = 200
GOING = frozenset({JobState.WAITING, JobState.RUNNING})


@ROUTER.get("/o/{organisation}/evidence")
def evidence(request: Request, organisation: str) -> HTMLResponse:
    """Show evidence, and the way to hand over more."""
    entered = enter(request, organisation)
    try:
        view = entered.desk.cases.newest(entered.organisation.id)
    except OpeningError:
        view = None
    audit = view.audit if view else None
    jobs = entered.desk.state.jobs(entered.organisation.id, 5)
    kinds = by_kind(audit.coverage) if audit else ()
    return page(
        request,
        "evidence.html",
        entered.who,
        entered.organisation,
        view=view,
        audit=audit,
        runs=entered.desk.state.runs(entered.organisation.id, 10),
        jobs=jobs,
        going=any(job.state in GOING for job in jobs),
        chart=by_day(kinds, entered.who.renderer),
        kinds=kinds,
        most_documents=_DOCUMENTS,
        most_gaps=_GAPS,
        base=f"/o/{entered.organisation.id}/evidence",
    )


@ROUTER.get("/o/{organisation}/jobs")
def jobs(request: Request, organisation: str) -> HTMLResponse:
    """Give the part of the page that shows work under way; when it has ended, the page is loaded anew."""
    entered = enter(request, organisation)
    held = entered.desk.state.jobs(entered.organisation.id, 5)
    going = any(job.state in GOING for job in held)
    response = page(
        request, "jobs.html", entered.who, entered.organisation, jobs=held, going=going,
        base=f"/o/{entered.organisation.id}/evidence",
    )  # fmt: skip
    if not going and request.headers.get("hx-request") == "true":
        response.headers["hx-refresh"] = "true"
    return response


@ROUTER.post("/o/{organisation}/jobs/{job}/cancel")
async def cancel(request: Request, organisation: str, job: str) -> Response:
    """Call work off."""
    form = await request.form()
    entered = enter_to_change(request, organisation, Action.UPLOAD, form)
    entered.desk.jobs.cancel(entered.desk.state.job(entered.organisation.id, job))
    return RedirectResponse(f"/o/{entered.organisation.id}/evidence", 303)
