"""Who sends: the table of senders, one sender, and deciding about them, one or many, with a way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from portero.core.access import Action
from portero.core.decision import Act
from portero.core.ledger import UnknownEntryError
from portero.core.reopening import basis_of
from portero.core.sender import Judgement, Path
from portero.core.simulation import SenderEffect
from portero.core.step import Step
from portero.core.text import Text, count
from portero.faces.report.charts import ORDER, over_time, stretches
from portero.faces.web.cases import View
from portero.faces.web.pages.frame import done, enter_to_change, field, look
from portero.faces.web.pages.shape import shape_of
from portero.faces.web.rows import FACETS, GROUPS, SORTS, Asked, table
from portero.faces.web.steps import key_of
from portero.faces.web.view import page
from portero.faces.web.visitor import now

ROUTER = APIRouter(include_in_schema=False)
MOST_AT_ONCE = 500
_MAIL_OF_IT = Text("Mail of this sender over time")


def asked_of(request: Request) -> Asked:
    """Read what a reader asked of the table from the address."""
    held = request.query_params
    number = held.get("page", "1")
    return Asked(
        text=held.get("q", "")[:200],
        facets={name: tuple(held.getlist(name)) for name in FACETS},
        sort=held.get("sort", "messages") if held.get("sort") in SORTS else "messages",
        down=held.get("order", "down") != "up",
        group=held.get("group", "") if held.get("group") in GROUPS else "",
        page=int(number) if number.isdigit() and len(number) < 9 else 1,
    )


@ROUTER.get("/o/{organisation}/senders")
def senders(request: Request, organisation: str) -> HTMLResponse:
    """Show the table."""
    entered, view = look(request, organisation)
    asked = asked_of(request)
    held = {
        "q": asked.text, "sort": asked.sort, "order": "down" if asked.down else "up", "group": asked.group,
        **(asked.facets or {}),
    }  # fmt: skip
    return page(
        request,
        "senders.html",
        entered.who,
        entered.organisation,
        view=view,
        asked=asked,
        held=held,
        listed=table(view, entered.who.renderer, asked),
        facets=tuple(FACETS),
        group_names=tuple(GROUPS),
        revisions=view.revisions,
        base=f"/o/{entered.organisation.id}/senders",
    )


@ROUTER.get("/o/{organisation}/senders/{sender}")
def one(request: Request, organisation: str, sender: str) -> HTMLResponse:
    """Show one sender."""
    entered, view = look(request, organisation)
    found = view.senders.get(sender)
    if found is None:
        raise UnknownEntryError
    days = stretches([found], frozenset(Path))
    return page(
        request,
        "sender.html",
        entered.who,
        entered.organisation,
        view=view,
        sender=found,
        revision=view.revisions.get(sender, 0),
        decision=view.decisions.get(sender),
        shape=shape_of(found, view),
        act=Act,
        time_chart=over_time(days, entered.who.renderer, _MAIL_OF_IT) if days else None,
        stretches=days,
        judgements=ORDER,
        effects=effects_of(view).get(sender, ()),
        steps=steps_of(view).get(sender, ()),
        history=entered.desk.state.history(entered.organisation.id, sender),
        busiest=max(found.facts.hours, default=0),
        heaviest=max((abs(each.weight) for each in found.because), default=1.0) or 1.0,
    )


def steps_of(view: View) -> Mapping[str, Sequence[tuple[Step, str]]]:
    """Give by sender the steps that concern it, with their keys."""

    def make() -> Mapping[str, Sequence[tuple[Step, str]]]:
        found: dict[str, list[tuple[Step, str]]] = {}
        for step in view.audit.plan:
            key = key_of(step)
            for each in step.senders:
                found.setdefault(each, []).append((step, key))
        return found

    return view.made.once("steps of senders", make)


def effects_of(view: View) -> Mapping[str, Sequence[tuple[Sequence[str], SenderEffect]]]:
    """Give by sender what each set of controls that the audit replayed would do to it."""

    def make() -> Mapping[str, Sequence[tuple[Sequence[str], SenderEffect]]]:
        found: dict[str, list[tuple[Sequence[str], SenderEffect]]] = {}
        for simulation in view.audit.simulations:
            for effect in simulation.senders:
                found.setdefault(effect.sender, []).append((simulation.controls, effect))
        return found

    return view.made.once("effects", make)


@ROUTER.post("/o/{organisation}/decisions")
async def decide(request: Request, organisation: str) -> Response:
    """
    Decide about the senders that a form names, all of them or none.

    The form's ``seen`` fields, one for each sender as ``id=revision``, say what the decider had before their eyes.
    """
    form = await request.form()
    entered = enter_to_change(request, organisation, Action.DECIDE, form)
    view = entered.view()
    wanted = [each for each in form.getlist("sender") if isinstance(each, str)][:MOST_AT_ONCE]
    if not wanted or any(each not in view.senders for each in wanted):
        raise UnknownEntryError
    judgement = _judgement(field(form, "judgement"))
    expiry = field(form, "expires_on", 10)
    pairs = (each.rpartition("=") for each in form.getlist("seen") if isinstance(each, str))
    seen = {sender: int(revision) for sender, _, revision in pairs if revision.isdigit() and sender in wanted}
    labels = {each: entered.say(view.senders[each].label) for each in wanted}
    entered.desk.state.decide(
        entered.organisation.id,
        labels,
        judgement,
        entered.name,
        now(),
        owner=field(form, "owner") or None,
        note=field(form, "note", 2000),
        expires_on=_day(expiry),
        seen=seen,
        bases={each: basis_of(view.senders[each]) for each in wanted},
    )
    after = entered.desk.state.revisions(entered.organisation.id)
    undo = ",".join(f"{each}={after[each]}" for each in wanted)
    return done(request, entered, field(form, "back", 2000), _said(judgement, len(wanted)), undo)


@ROUTER.post("/o/{organisation}/decisions/undo")
async def undo(request: Request, organisation: str) -> Response:
    """Put the senders of a form's ``undo``, ``id=revision`` and commas, back to what was decided before."""
    form = await request.form()
    entered = enter_to_change(request, organisation, Action.DECIDE, form)
    pairs = [each.rpartition("=") for each in field(form, "undo", 60_000).split(",")]
    revisions = {sender: int(revision) for sender, _, revision in pairs if revision.isdigit()}
    if not revisions or len(revisions) > MOST_AT_ONCE:
        raise UnknownEntryError
    entered.desk.state.undo(entered.organisation.id, revisions, entered.name, now())
    said = count("{n} sender is as before.", "{n} senders are as before.", len(revisions))
    return done(request, entered, field(form, "back", 2000), said, None)


def _judgement(text: str) -> Judgement | None:
    """Read a judgement; ``withdraw`` takes back what was decided. Raises UnknownEntryError for anything else."""
    if text == "withdraw":
        return None
    try:
        return Judgement(text)
    except ValueError:
        raise UnknownEntryError from None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise UnknownEntryError from None


def _said(judgement: Judgement | None, number: int) -> Text:
    said: Mapping[Judgement | None, Text] = {
        Judgement.LEGITIMATE: count(
            "{n} sender decided: legitimate.", "{n} senders decided: legitimate.", number
        ),
        Judgement.ABUSE: count("{n} sender decided: abuse.", "{n} senders decided: abuse.", number),
        Judgement.UNDECIDED: count("{n} sender left open.", "{n} senders left open.", number),
        None: count("{n} decision taken back.", "{n} decisions taken back.", number),
    }
    return said[judgement]
