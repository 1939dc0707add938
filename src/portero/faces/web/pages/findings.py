"""Findings: what the checks say of the posture, gravest first; unknown is never green."""

from __future__ import annotations

from collections import Counter

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import HTMLResponse

from portero.core.finding import Finding, Outcome, Severity
from portero.faces.render import Renderer
from portero.faces.web.cases import View
from portero.faces.web.pages.frame import look
from portero.faces.web.view import fragment, page

ROUTER = APIRouter(include_in_schema=False)
_OUTCOMES = (Outcome.FAIL, Outcome.WARN, Outcome.UNKNOWN, Outcome.PASS, Outcome.NOT_APPLICABLE)


@ROUTER.get("/o/{organisation}/findings")
def findings(request: Request, organisation: str) -> HTMLResponse:
    """Show the findings, all or those of one outcome."""
    entered, view = look(request, organisation)
    asked = request.query_params.get("outcome", "")
    wanted = next((each for each in Outcome if each.value == asked), None)
    counted = Counter(each.outcome for each in view.audit.findings)
    return page(
        request,
        "findings.html",
        entered.who,
        entered.organisation,
        view=view,
        listed=shown(view, entered.who.renderer, wanted),
        wanted=wanted.value if wanted else "",
        counted=[(each, counted[each]) for each in _OUTCOMES],
        base=f"/o/{entered.organisation.id}/findings",
    )


def shown(view: View, renderer: Renderer, wanted: Outcome | None) -> Markup:
    """Give the list of findings of an audit, all or those of one outcome, in a language; made once for each audit."""

    def make() -> Markup:
        found = [each for each in view.audit.findings if wanted is None or each.outcome is wanted]
        return fragment(renderer.lang, "findings_list.html", findings=sorted(found, key=_gravity))

    return view.made.once(("findings", renderer.lang, wanted), make)


def _gravity(finding: Finding) -> tuple[int, int, str]:
    return _OUTCOMES.index(finding.outcome), list(Severity).index(finding.severity), finding.id
