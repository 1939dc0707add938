"""The plan carried out: waves of steps, who owns and approves each, and the files to hand on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from portero.core.access import Action
from portero.core.decision import RECORD
from portero.core.finding import Profile
from portero.core.ledger import StepMark, StepState, UnknownEntryError
from portero.core.step import Step
from portero.faces.web.cases import View
from portero.faces.web.pages import verification
from portero.faces.web.pages.frame import Entered, enter, enter_to_change, field, look, number_of, profile_of
from portero.faces.web.steps import STATES, key_of, moved, progress, waves
from portero.faces.web.view import page
from portero.faces.web.visitor import now

ROUTER = APIRouter(include_in_schema=False)
# Steps of a wave that the whole plan lists, that a page of the wave alone lists, that stand open, and that come with
# all their words before somebody asks for these: more would make the plan of a large organisation megabytes long.
_OF_WAVE = 40
_WAVE_PAGE = 100
_OPENED = 3
_WHOLE = 40
_MOST_VERIFIED = 5000
_SAID = {"yes": True, "no": False}
_TYPES = {
    "html": "text/html; charset=utf-8", "json": "application/json", "csv": "text/csv; charset=utf-8",
    "md": "text/markdown; charset=utf-8", "ps1": "text/plain; charset=utf-8", "jsonl": "application/jsonl",
    "ics": "text/calendar; charset=utf-8",
}  # fmt: skip


@ROUTER.get("/o/{organisation}/plan")
def plan(request: Request, organisation: str) -> HTMLResponse:
    """Show the plan, or one of its waves alone."""
    entered, view = look(request, organisation)
    marks = entered.desk.state.steps(entered.organisation.id)
    all_waves = _waves(view)
    chosen = number_of(request, "wave", len(all_waves))
    at, pages = 1, 1
    if chosen:
        wave = all_waves[chosen - 1]
        pages = -(-len(wave) // _WAVE_PAGE)
        at = number_of(request, "page", pages) or 1
        listed = [(chosen, wave[(at - 1) * _WAVE_PAGE : at * _WAVE_PAGE], 0)]
    else:
        listed = [(n, wave[:_OF_WAVE], max(0, len(wave) - _OF_WAVE)) for n, wave in enumerate(all_waves, 1)]
    current = next(
        (n for n, wave in enumerate(all_waves, 1) if any(_state(marks, key) is not StepState.DONE for _, key in wave)), 0
    )  # fmt: skip
    words = sum(len(wave) for _, wave, _ in listed) <= _WHOLE

    def shown(n: int, wave: Sequence[tuple[Step, str]]) -> Iterator[tuple[Step, StepMark, bool, bool]]:
        for index, (step, key) in enumerate(wave):
            opened = n == current and index < _OPENED and _state(marks, key) is not StepState.DONE
            yield step, marks.get(key, StepMark(key)), words or opened, opened

    return page(
        request,
        "plan.html",
        entered.who,
        entered.organisation,
        view=view,
        waves=[(n, list(shown(n, wave)), left_out) for n, wave, left_out in listed],
        chosen=chosen,
        at=at,
        pages=pages,
        alone=False,
        states=STATES,
        progress=progress((key for wave in all_waves for _, key in wave), marks),
        looked=_looked(marks, [key for wave in all_waves for _, key in wave]),
        verified=number_of(request, "verified", _MOST_VERIFIED),
        unknown=number_of(request, "unknown", _MOST_VERIFIED),
        labels=view.senders,
        base=f"/o/{entered.organisation.id}/plan",
    )


@ROUTER.get("/o/{organisation}/plan/{key}")
def step(request: Request, organisation: str, key: str) -> HTMLResponse:
    """Show one step with all its words."""
    entered, view = look(request, organisation)
    found = _steps(view).get(key)
    if found is None:
        raise UnknownEntryError
    return page(
        request,
        "step.html",
        entered.who,
        entered.organisation,
        view=view,
        step=found,
        mark=entered.desk.state.steps(entered.organisation.id).get(key, StepMark(key)),
        alone=True,
        states=STATES,
        labels=view.senders,
        base=f"/o/{entered.organisation.id}/plan",
    )


def _state(marks: Mapping[str, StepMark], key: str) -> StepState:
    return marks[key].state if key in marks else StepState.OPEN


def _looked(marks: Mapping[str, StepMark], keys: Sequence[str]) -> tuple[int, int]:
    """Count the steps whose verification passed, and those whose verification failed."""
    held = [marks[key].verified for key in keys if key in marks]
    passed = [each.passed for each in held if each is not None]
    return passed.count(True), passed.count(False)


def _waves(view: View) -> Sequence[Sequence[tuple[Step, str]]]:
    return view.made.once(
        "waves", lambda: [[(step, key_of(step)) for step in wave] for wave in waves(view.audit.plan)]
    )


def _steps(view: View) -> Mapping[str, Step]:
    return view.made.once("steps", lambda: {key_of(step): step for step in view.audit.plan})


@ROUTER.post("/o/{organisation}/plan/{key}")
async def mark(request: Request, organisation: str, key: str) -> Response:
    """Move a step on, or say who owns it."""
    form = await request.form()
    wanted = field(form, "state", 20)
    signing = wanted == StepState.SIGNED.value
    entered = enter_to_change(request, organisation, Action.SIGN if signing else Action.DECIDE, form)
    step = _steps(entered.view()).get(key)
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
    said, seen = field(form, "verified", 3), field(form, "seen")
    if said in _SAID and (
        held.verified is None or (held.verified.passed, held.verified.said) != (_SAID[said], seen)
    ):
        made = replace(made, verified=verification.said_of(_SAID[said], seen, entered.name))
    if wanted:
        made = moved(made, StepState(wanted), entered.name)
    entered.desk.state.mark_step(entered.organisation.id, made, entered.say(step.title), entered.name, now())
    place = f"plan/{key}" if "alone" in form else f"plan#{key}"
    return RedirectResponse(f"/o/{entered.organisation.id}/{place}", 303)


@ROUTER.get("/o/{organisation}/files/{name}")
def download(request: Request, organisation: str, name: str) -> Response:
    """Give one of the files that `portero audit` writes, made from the audit as it is now, or the decisions in force."""
    return handed_out(enter(request, organisation), name, profile_of(request))


def handed_out(entered: Entered, name: str, profile: Profile) -> Response:
    """
    Answer with a file as an attachment; raises UnknownEntryError for another name.

    profile:  by whose thresholds the findings are; the plan follows the standard ones.
    """
    if name == RECORD:
        held = entered.desk.state.decisions(entered.organisation.id)
        return _file(name, entered.desk.work.record(held))
    view = entered.view()
    audit = replace(view.audit, findings=entered.desk.cases.findings(view, profile))
    made = entered.desk.work.export(audit, entered.who.renderer.lang)
    if name not in made:
        raise UnknownEntryError
    return _file(name, made[name])


def _file(name: str, content: bytes) -> Response:
    # The report is a page with a style of its own: as an attachment it never runs under our name.
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=_TYPES[name.rpartition(".")[2]], headers=headers)
