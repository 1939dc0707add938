"""Findings: what the checks say of the posture, gravest first; unknown is never green."""

from __future__ import annotations

from collections import Counter

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from portero.core.finding import Finding, Outcome, Severity
from portero.faces.web.pages.frame import enter
from portero.faces.web.view import page

ROUTER = APIRouter(include_in_schema=False)
_OUTCOMES = (Outcome.FAIL, Outcome.WARN, Outcome.UNKNOWN, Outcome.PASS, Outcome.NOT_APPLICABLE)


@ROUTER.get("/o/{organisation}/findings")
def findings(request: Request, organisation: str) -> HTMLResponse:
    """Show the findings, all or those of one outcome."""
    entered = enter(request, organisation)
    view = entered.view()
    wanted = request.query_params.get("outcome", "")
    counted = Counter(each.outcome for each in view.audit.findings)
    shown = sorted(
        (each for each in view.audit.findings if not wanted or each.outcome.value == wanted), key=_gravity
    )
    return page(
        request,
        "findings.html",
        entered.who,
        entered.organisation,
        view=view,
        findings=shown,
        wanted=wanted,
        counted=[(each, counted[each]) for each in _OUTCOMES],
        base=f"/o/{entered.organisation.id}/findings",
    )


def _gravity(finding: Finding) -> tuple[int, int, str]:
    return _OUTCOMES.index(finding.outcome), list(Severity).index(finding.severity), finding.id
