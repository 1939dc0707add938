"""Findings: what the checks say of the posture, what is accepted of it, and what is no longer as it was approved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse, Response

from portero.core.acceptance import Acceptance, Kept
from portero.core.access import Action
from portero.core.drift import Drift, drift
from portero.core.finding import Finding, Outcome, Profile, Severity
from portero.core.ledger import UnknownEntryError
from portero.core.text import Text
from portero.errors import ConfigError
from portero.faces.render import Renderer
from portero.faces.web.cases import View
from portero.faces.web.pages.frame import Entered, enter_to_change, field, look, profile_of
from portero.faces.web.view import fragment, page
from portero.faces.web.visitor import now

ROUTER = APIRouter(include_in_schema=False)
_OUTCOMES = (Outcome.FAIL, Outcome.WARN, Outcome.UNKNOWN, Outcome.PASS, Outcome.NOT_APPLICABLE)
_SHOWN = 50


@ROUTER.get("/o/{organisation}/findings")
def findings(request: Request, organisation: str) -> HTMLResponse:
    """Show the findings by the thresholds of a profile, all or those of one outcome, and what drifted."""
    entered, view = look(request, organisation)
    profile = profile_of(request)
    asked = request.query_params.get("outcome", "")
    wanted = next((each for each in Outcome if each.value == asked), None)
    held = entered.desk.cases.findings(view, profile)
    counted = Counter(each.outcome for each in held)
    return page(
        request,
        "findings.html",
        entered.who,
        entered.organisation,
        view=view,
        listed=shown(view, held, profile, entered.who.renderer, wanted),
        wanted=wanted.value if wanted else "",
        counted=[(each, counted[each]) for each in _OUTCOMES],
        profile=profile.value,
        profiles=tuple(Profile),
        excused=sum(each.excused for each in held),
        drifted=drifted(view),
        exported=exported(view),
        most=_SHOWN,
        base=f"/o/{entered.organisation.id}/findings",
    )


@ROUTER.get("/o/{organisation}/findings/{finding}")
def one(request: Request, organisation: str, finding: str) -> HTMLResponse:
    """Show one finding whole, with what is accepted of it."""
    entered, view = look(request, organisation)
    profile = profile_of(request)
    found = next((each for each in entered.desk.cases.findings(view, profile) if each.id == finding), None)
    if found is None:
        raise UnknownEntryError
    return page(
        request,
        "finding.html",
        entered.who,
        entered.organisation,
        view=view,
        finding=found,
        kept=[each for each in view.rules.accepted if each.acceptance.check == finding],
        profile=profile.value,
        today=now().date(),
        base=f"/o/{entered.organisation.id}/findings",
    )


@ROUTER.post("/o/{organisation}/findings/{finding}/accept")
async def accept(request: Request, organisation: str, finding: str) -> Response:
    """Accept a fault until a day; for who may approve."""
    form = await request.form()
    entered = enter_to_change(request, organisation, Action.SIGN, form)
    until = field(form, "until", 10)
    try:
        day = date.fromisoformat(until)
    except ValueError:
        raise UnknownEntryError from None
    wanted = Acceptance(
        finding,
        field(form, "owner", 300),
        day,
        field(form, "reason", 2000),
        field(form, "subject", 300) or None,
    )
    keep(entered, entered.view(), wanted)
    return RedirectResponse(f"/o/{entered.organisation.id}/findings/{finding}", 303)


def keep(entered: Entered, view: View, wanted: Acceptance) -> Kept:
    """
    Write down that a fault is accepted, and give it as it is kept.

    Raises UnknownEntryError for a check that there is not, ConfigError where it names nobody or is over already.
    """
    if all(each.id != wanted.check for each in view.audit.findings):
        raise UnknownEntryError
    if not wanted.owner or not wanted.reason:
        raise ConfigError((Text("Say who answers for it, and why it is accepted."),))
    if wanted.until < now().date():
        raise ConfigError((Text("The last day of an exception lies in the past."),))
    return entered.desk.state.accept(entered.organisation.id, wanted, entered.name, now())


@ROUTER.post("/o/{organisation}/findings/{finding}/accepted/{acceptance}/remove")
async def remove(request: Request, organisation: str, finding: str, acceptance: str) -> Response:
    """Accept a fault no longer."""
    form = await request.form()
    entered = enter_to_change(request, organisation, Action.SIGN, form)
    entered.desk.state.remove_acceptance(entered.organisation.id, acceptance, entered.name, now())
    return RedirectResponse(f"/o/{entered.organisation.id}/findings/{finding}", 303)


@ROUTER.post("/o/{organisation}/posture")
async def approve(request: Request, organisation: str) -> Response:
    """Approve the settings of the newest run as those that shall stand, or approve none any more."""
    form = await request.form()
    entered = enter_to_change(request, organisation, Action.SIGN, form)
    if field(form, "approve", 10) == "none":
        entered.desk.state.withdraw_approval(entered.organisation.id, entered.name, now())
    else:
        approve_settings(entered, entered.view(), field(form, "run", 40))
    return RedirectResponse(f"/o/{entered.organisation.id}/findings", 303)


def approve_settings(entered: Entered, view: View, run: str) -> None:
    """Approve the settings of the newest run; raises UnknownEntryError for another, ConfigError where it has none."""
    if run != view.run.id:
        raise UnknownEntryError
    if not exported(view):
        raise ConfigError(
            (Text("The newest run read no export of settings, so there is nothing to approve."),)
        )
    entered.desk.state.approve(entered.organisation.id, run, view.case.evidence.tenant, entered.name, now())


def exported(view: View) -> bool:
    """Tell whether the run read settings that could be approved."""
    return bool(view.case.evidence.tenant.cmdlets())


def drifted(view: View) -> Sequence[Drift] | None:
    """Give what differs from the approved settings; None where none are approved, or the run read none to compare."""
    approved = view.case.evidence.approved
    if approved is None or not exported(view):
        return None
    return view.made.once("drift", lambda: drift(approved, view.case.evidence.tenant, view.audit.senders))


def shown(
    view: View, findings: Sequence[Finding], profile: Profile, renderer: Renderer, wanted: Outcome | None
) -> Markup:
    """Give the list of findings, all or those of one outcome, in a language; made once for each audit."""

    def make() -> Markup:
        found = [each for each in findings if wanted is None or each.outcome is wanted]
        return fragment(
            renderer.lang,
            "findings_list.html",
            findings=sorted(found, key=_gravity),
            root=f"/o/{view.run.organisation}/findings",
            end="?profile=strict" if profile is Profile.STRICT else "",
        )

    return view.made.once(("findings", renderer.lang, profile, wanted), make)


def _gravity(finding: Finding) -> tuple[bool, int, int, str]:
    outcome = _OUTCOMES.index(finding.outcome)
    return finding.excused, outcome, list(Severity).index(finding.severity), finding.id
