"""What verifying the plan showed: said of one step by hand, or taken from what verify.ps1 wrote for all of them."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response

from portero.core.access import Action
from portero.core.ledger import StepMark, Verified
from portero.core.step import Step
from portero.core.text import Text
from portero.errors import ConfigError
from portero.faces.render import LANGUAGES, Renderer
from portero.faces.web.cases import View
from portero.faces.web.pages.frame import Entered, enter_to_change
from portero.faces.web.steps import key_of
from portero.faces.web.view import query
from portero.faces.web.visitor import now

ROUTER = APIRouter(include_in_schema=False)
_MOST = 5000
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Found:
    """
    One change as verify.ps1 found it.

    id:       the number of its step, a full stop, and its number in the step.
    problem:  why nobody could look; "" where somebody could.
    """

    id: str
    title: str
    passed: bool
    problem: str


@ROUTER.post("/o/{organisation}/verification")
async def verification(request: Request, organisation: str) -> Response:
    """Take over what verify.ps1 wrote."""
    async with request.form(max_files=1, max_fields=3) as form:
        file = form.get("results")
        entered = enter_to_change(request, organisation, Action.DECIDE, form)
        octets = await file.read() if isinstance(file, UploadFile) else b""
    known, unknown = take(entered, entered.view(), read(octets))
    outcome = query({"verified": len(known) or None, "unknown": unknown or None})
    return RedirectResponse(f"/o/{entered.organisation.id}/plan{outcome}", 303)


def read(octets: bytes) -> Sequence[Found]:
    """Read what `verify.ps1 -Out` wrote. Raises ConfigError for anything else."""
    try:
        held = json.loads(octets.decode("utf-8-sig"))
        rows = held if isinstance(held, list) else [held]
        found = [
            Found(str(row["Id"]), str(row["Title"]), row["Passed"] is True, str(row.get("Problem") or ""))
            for row in rows[:_MOST]
        ]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        found = []
    if not found:
        raise ConfigError(
            (
                Text(
                    "This is not what verify.ps1 writes. Run it with -Out results.json and hand that file over."
                ),
            )
        )
    return found


def take(entered: Entered, view: View, found: Sequence[Found]) -> tuple[Mapping[str, bool | None], int]:
    """
    Write down what was found of each step that the plan still has.

    Gives by the step's key whether it passed, None where nobody could look, and how many changes belong to no step: the
    script was of another plan.
    """
    steps = {str(step.n): step for step in view.audit.plan}
    by_step: dict[str, list[Found]] = {}
    unknown = 0
    for each in found:
        number = each.id.partition(".")[0]
        if number in steps and _line(each.title) in _titles(steps[number]):
            by_step.setdefault(number, []).append(each)
        else:
            unknown += 1
    marks = entered.desk.state.steps(entered.organisation.id)
    outcome: dict[str, bool | None] = {}
    for number, held in by_step.items():
        step = steps[number]
        key = key_of(step)
        outcome[key] = _passed(held)
        said = "; ".join(f"{each.id}: {each.problem}" for each in held if each.problem)
        mark = replace(
            marks.get(key, StepMark(key)), verified=said_of(outcome[key], said or "verify.ps1", entered.name)
        )
        entered.desk.state.mark_step(
            entered.organisation.id, mark, entered.say(step.title), entered.name, now()
        )
    return outcome, unknown


def said_of(passed: bool | None, said: str, who: str) -> Verified:
    """Give what somebody saw, now."""
    return Verified(passed, said[:_LONGEST], who, now())


def _passed(held: Sequence[Found]) -> bool | None:
    """Tell whether a step passed: what is seen not to be so fails it, what nobody could look at leaves it open."""
    if any(not each.passed and not each.problem for each in held):
        return False
    return True if all(each.passed for each in held) else None


def _titles(step: Step) -> set[str]:
    return {_line(Renderer(lang).text(step.title)) for lang in LANGUAGES}


def _line(text: str) -> str:
    # As the script writes it: what is no letter or sign of its own was a space there.
    plain = (" " if unicodedata.category(each).startswith(("C", "Z")) else each for each in text)
    return " ".join("".join(plain).split())
