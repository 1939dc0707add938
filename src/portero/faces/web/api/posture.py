"""The API's part about the posture: findings by a profile's thresholds, exceptions, and drift from approved settings."""

from __future__ import annotations

from fastapi import APIRouter, Response

from portero.core.acceptance import Acceptance, Kept
from portero.core.finding import Profile
from portero.faces.audit_json import drift_document, finding_document
from portero.faces.web.api import asked
from portero.faces.web.api import documents as out
from portero.faces.web.api.frame import PROBLEMS, ETag, Id, Reader, Signer, tagged
from portero.faces.web.pages.findings import approve_settings, drifted, keep
from portero.faces.web.visitor import now

ROUTER = APIRouter(prefix="/api/v1", responses=PROBLEMS)


@ROUTER.get("/organisations/{organisation}/findings", response_model=list[out.Finding])
def findings(entered: Reader, profile: Profile = Profile.STANDARD, if_none_match: ETag = None) -> Response:
    """List the findings by the thresholds of a profile, each with what is accepted of it."""
    held = entered.desk.cases.findings(entered.view(), profile)
    documents = [finding_document(each, entered.who.renderer) for each in held]
    return tagged(list[out.Finding], documents, if_none_match)


@ROUTER.get("/organisations/{organisation}/exceptions", response_model=list[out.KeptException])
def exceptions(entered: Reader, if_none_match: ETag = None) -> Response:
    """List the exceptions that were made here, newest first; those of `portero.toml` stand in the findings alone."""
    kept = entered.desk.state.rules(entered.organisation.id).accepted
    return tagged(list[out.KeptException], [_exception(each) for each in kept], if_none_match)


@ROUTER.post("/organisations/{organisation}/exceptions", response_model=out.KeptException, status_code=201)
def accept(entered: Signer, wanted: asked.MakeException) -> dict[str, object]:
    """Accept what a check finds, until a day and with it; for who may approve."""
    held = Acceptance(wanted.check, wanted.owner, wanted.until, wanted.reason, wanted.subject)
    return _exception(keep(entered, entered.view(), held))


@ROUTER.delete("/organisations/{organisation}/exceptions/{exception}", status_code=204)
def remove(entered: Signer, exception: Id) -> None:
    """Accept a fault no longer."""
    entered.desk.state.remove_acceptance(entered.organisation.id, exception, entered.name, now())


@ROUTER.get("/organisations/{organisation}/drift", response_model=out.Posture)
def drift(entered: Reader, if_none_match: ETag = None) -> Response:
    """Say which settings are approved, and what differs from them; null where there is nothing to compare."""
    view = entered.view()
    approval, found = view.rules.approval, drifted(view)
    held = {
        "run": approval.run if approval else None,
        "approved_by": approval.approved_by if approval else None,
        "approved_at": approval.approved_at if approval else None,
        "differences": None
        if found is None
        else [drift_document(each, entered.who.renderer) for each in found],
    }
    return tagged(out.Posture, held, if_none_match)


@ROUTER.put("/organisations/{organisation}/drift", status_code=204)
def approve(entered: Signer, wanted: asked.ApproveSettings) -> None:
    """Approve the settings of the newest run, which the caller names, as those that shall stand."""
    approve_settings(entered, entered.view(), wanted.run)


@ROUTER.delete("/organisations/{organisation}/drift", status_code=204)
def withdraw(entered: Signer) -> None:
    """Approve no settings any more."""
    entered.desk.state.withdraw_approval(entered.organisation.id, entered.name, now())


def _exception(held: Kept) -> dict[str, object]:
    fault = held.acceptance
    return {
        "id": held.id, "check": fault.check, "subject": fault.subject, "owner": fault.owner, "until": fault.until,
        "reason": fault.reason, "made_by": held.made_by, "created_at": held.created_at,
    }  # fmt: skip
