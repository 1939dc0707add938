"""The plan carried out: waves of steps, who owns and approves each, and the files to hand on."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from portero.core.access import Action
from portero.core.decision import RECORD
from portero.core.ledger import StepMark, StepState, UnknownEntryError
from portero.faces.web.pages.frame import enter, enter_to_change, field
from portero.faces.web.steps import STATES, key_of, moved, progress, waves
from portero.faces.web.view import page
from portero.faces.web.visitor import now

ROUTER = APIRouter(include_in_schema=False)
_TYPES = {
    "html": "text/html; charset=utf-8", "json": "application/json", "csv": "text/csv; charset=utf-8",
    "md": "text/markdown; charset=utf-8", "ps1": "text/plain; charset=utf-8", "jsonl": "application/jsonl",
    "ics": "text/calendar; charset=utf-8",
}  # fmt: skip


@ROUTER.get("/o/{organisation}/plan")
def plan(request: Request, organisation: str) -> HTMLResponse:
    """Show the plan."""
    entered = enter(request, organisation)
    view = entered.view()
    marks = entered.desk.state.steps(entered.organisation.id)
    steps = view.audit.plan
    return page(
        request,
        "plan.html",
        entered.who,
        entered.organisation,
        view=view,
        waves=waves(steps),
        marks={step.n: marks.get(key_of(step), StepMark(key_of(step))) for step in steps},
        states=STATES,
        progress=progress(steps, marks),
        labels={each.id: each.label for each in view.audit.senders},
        base=f"/o/{entered.organisation.id}/plan",
    )


@ROUTER.post("/o/{organisation}/plan/{key}")
async def mark(request: Request, organisation: str, key: str) -> Response:
    """Move a step on, or say who owns it."""
    form = await request.form()
    wanted = field(form, "state", 20)
    signing = wanted == StepState.SIGNED.value
    entered = enter_to_change(request, organisation, Action.SIGN if signing else Action.DECIDE, form)
    step = next((each for each in entered.view().audit.plan if key_of(each) == key), None)
    if step is None or wanted not in {*StepState, ""}:
        raise UnknownEntryError
    held = entered.desk.state.steps(entered.organisation.id).get(key, StepMark(key))
    revision = field(form, "revision", 9)
    made = replace(
        held,
        owner=field(form, "owner") or held.owner,
        note=field(form, "note", 2000) if "note" in form else held.note,
        revision=int(revision) if revision.isdigit() else -1,
    )
    if wanted:
        made = moved(made, StepState(wanted), entered.name)
    entered.desk.state.mark_step(entered.organisation.id, made, entered.say(step.title), entered.name, now())
    return RedirectResponse(f"/o/{entered.organisation.id}/plan#{key}", 303)


@ROUTER.get("/o/{organisation}/files/{name}")
def download(request: Request, organisation: str, name: str) -> Response:
    """Give one of the files that `portero audit` writes, made from the audit as it is now, or the decisions in force."""
    entered = enter(request, organisation)
    if name == RECORD:
        held = entered.desk.state.decisions(entered.organisation.id)
        return _file(name, entered.desk.work.record(held))
    made = entered.desk.work.export(entered.view().audit, entered.who.renderer.lang)
    if name not in made:
        raise UnknownEntryError
    return _file(name, made[name])


def _file(name: str, content: bytes) -> Response:
    # The report is a page with a style of its own: as an attachment it never runs under our name.
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=_TYPES[name.rpartition(".")[2]], headers=headers)
