"""Rehearse: choose controls, see at once what recorded mail they would refuse, keep the choice, compare choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from portero.app.audits import standing_controls
from portero.core.access import Action
from portero.core.controls import Control, UnknownControlError, parse_control
from portero.core.sender import Judgement
from portero.core.simulation import Effect, SenderEffect, Simulation
from portero.core.text import Text
from portero.errors import ConfigError
from portero.faces.report.charts import ORDER
from portero.faces.web.cases import View
from portero.faces.web.pages import frame
from portero.faces.web.pages.frame import Entered, enter_to_change, look
from portero.faces.web.view import page, query
from portero.faces.web.visitor import now

ROUTER = APIRouter(include_in_schema=False)
MOST_CONTROLS = 20
_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """
    Controls and what they would do.

    wrong:    why they could not be replayed, else None.
    stopped:  refused mails by what their sender is judged to be.
    touched:  who is not simply kept; legitimate mail that would be lost comes first; the rest is counted in left_out.
    """

    name: str
    controls: tuple[str, ...]
    wrong: Text | None = None
    stopped: Mapping[Judgement, int] = field(default_factory=dict)
    undetermined: int = 0
    kept: int = 0
    touched: Sequence[SenderEffect] = ()
    left_out: int = 0

    def refused(self, judgement: Judgement) -> int:
        """Count refused mails of senders of a judgement."""
        return self.stopped.get(judgement, 0)


def replay(entered: Entered, view: View, name: str, controls: Sequence[str]) -> Rehearsed:
    """Replay controls as somebody wrote them."""
    written = tuple(dict.fromkeys(each.strip()[:2000] for each in controls if each.strip()))[:MOST_CONTROLS]
    parsed: list[Control] = []
    try:
        parsed = [parse_control(each) for each in written]
        simulation = entered.desk.cases.rehearse(view, tuple(parsed))
    except UnknownControlError as error:
        return Rehearsed(name, written, error.text)
    except ConfigError as error:
        return Rehearsed(name, written, error.text)
    made = view.rehearsed.once(("outcome", simulation.controls), lambda: _outcome(simulation))
    return replace(made, name=name, controls=written)


def _outcome(simulation: Simulation) -> Rehearsed:
    touched = _touched(simulation)
    return Rehearsed(
        "",
        simulation.controls,
        None,
        simulation.refused_by_judgement(),
        simulation.undetermined,
        simulation.kept,
        touched[:_SHOWN],
        max(0, len(touched) - _SHOWN),
    )


@ROUTER.get("/o/{organisation}/rehearse")
def rehearse(request: Request, organisation: str) -> HTMLResponse:
    """Show the choice and its outcome; without a choice, closing Direct Send."""
    entered, view = look(request, organisation)
    standing = [control.text for control in standing_controls(view.case.inventory.settings)]
    asked = request.query_params
    if "chosen" in asked or "control" in asked:
        chosen = [*asked.getlist("control"), *asked.get("more", "").splitlines()]
    else:
        chosen = standing[:1]
    held = replay(entered, view, "", chosen)
    scenarios = entered.desk.state.scenarios(entered.organisation.id)
    compared = [replay(entered, view, each.name, each.controls) for each in scenarios[:5]]
    return page(
        request,
        "rehearse.html",
        entered.who,
        entered.organisation,
        view=view,
        held=held,
        standing=standing,
        more=[each for each in held.controls if each not in standing],
        scenarios=scenarios,
        compared=compared,
        judgements=ORDER,
        base=f"/o/{entered.organisation.id}/rehearse",
    )


def _touched(simulation: Simulation) -> list[SenderEffect]:
    found = [each for each in simulation.senders if each.effect is not Effect.KEPT]
    found.sort(key=lambda each: (ORDER.index(each.judgement), -each.refused, -each.undetermined, each.sender))
    return found


@ROUTER.post("/o/{organisation}/scenarios")
async def save(request: Request, organisation: str) -> Response:
    """Keep the chosen controls under a name."""
    form = await request.form()
    entered = enter_to_change(request, organisation, Action.DECIDE, form)
    controls = [each for each in form.getlist("control") if isinstance(each, str)][:MOST_CONTROLS]
    name = frame.field(form, "name", 200)
    if name and controls:
        for each in controls:
            try:
                parse_control(each)
            except UnknownControlError as error:
                raise ConfigError((error.text,)) from None
        entered.desk.state.add_scenario(entered.organisation.id, name, controls, entered.name, now())
    return _back(entered, controls)


@ROUTER.post("/o/{organisation}/scenarios/{scenario}/remove")
async def remove(request: Request, organisation: str, scenario: str) -> Response:
    """Forget a scenario."""
    form = await request.form()
    entered = enter_to_change(request, organisation, Action.DECIDE, form)
    entered.desk.state.remove_scenario(entered.organisation.id, scenario, entered.name, now())
    return _back(entered, ())


def _back(entered: Entered, controls: Sequence[str]) -> Response:
    return RedirectResponse(
        f"/o/{entered.organisation.id}/rehearse{query({'control': tuple(controls)})}", 303
    )
