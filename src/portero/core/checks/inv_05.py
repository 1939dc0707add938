"""
Applications that may send mail through the programming interface are few, and each only as the mailboxes it needs.

Before: an application holds Mail.Send for the whole tenant; it writes as anybody, fully authenticated, and closing Direct Send moves the
risk here.

After: each such application is limited by an access policy or a scope of role assignments.

Mend: assign the role with a scope, then take the permission for the whole tenant away.

Verify: Test-ServicePrincipalAuthorization for a mailbox outside the scope is denied.

May break: applications that send as mailboxes outside the scope; the audit log of sends over 30 days shows them.

Exceptions: backup and journaling products, approved and watched.

Severity: high: it is a spoof that passes every check.
"""

from __future__ import annotations

from portero.core.checks.origins import of_answers, of_objects
from portero.core.evidence import ConfigObject
from portero.core.exchange.powershell import run
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

_CMDLET = "Get-MgServicePrincipalAppRoleAssignment"
# Mail.Send as an application permission of Microsoft Graph. Source: Microsoft Graph permissions reference.
_MAIL_SEND = "b633e1c5-b582-4048-a93e-9f11b44c7e96"


def _judge(posture: Posture) -> Verdict:
    answers = of_answers(posture.tenant, _CMDLET)
    holders = {_app(item): item for item in posture.tenant.objects(_CMDLET) or () if _sends(item)}
    if not holders:
        return Verdict(Outcome.PASS, Text("No application may send mail as the whole tenant."), answers)
    policies = posture.tenant.objects("Get-ApplicationAccessPolicy")
    if policies is None:
        return Verdict(
            Outcome.UNKNOWN,
            Text(
                "Applications hold Mail.Send, and Get-ApplicationAccessPolicy was not exported: {names}.",
                names=tuple(map(_name, holders.values())),
            ),
            of_objects(holders.values()),
        )
    scoped = {
        str(item.properties.get("AppId") or "").lower()
        for item in policies
        if str(item.properties.get("AccessRight") or "").lower() == "restrictaccess"
    }
    loose = [item for app, item in holders.items() if app not in scoped]
    if loose:
        names = tuple(map(_name, loose))
        return Verdict(
            Outcome.FAIL,
            Text("Applications that may write as anybody in the tenant: {names}.", names=names),
            of_objects(loose),
            subjects=names,
        )
    names = tuple(map(_name, holders.values()))
    return Verdict(
        Outcome.PASS, Text("Each application with Mail.Send is limited: {names}.", names=names), answers
    )


def _sends(item: ConfigObject) -> bool:
    return str(_value(item, "appRoleId") or "").lower() == _MAIL_SEND


def _app(item: ConfigObject) -> str:
    return str(_value(item, "appId") or _value(item, "principalId") or "").lower()


def _name(item: ConfigObject) -> str:
    return str(_value(item, "principalDisplayName") or _app(item))


def _value(item: ConfigObject, name: str) -> object:
    return next((value for key, value in item.properties.items() if key.casefold() == name.casefold()), None)


CHECK = Check(
    id="INV-05",
    title=Text("Applications allowed to send mail by API are known and scoped"),
    severity=Severity.HIGH,
    needs=("Get-MgServicePrincipalAppRoleAssignment",),
    judge=_judge,
    fix=run(
        [
            "New-ManagementRoleAssignment -App 'APP-ID' -Role 'Application Mail.Send' -CustomResourceScope 'SCOPE'"
        ]
    ),
    undo=Text("Grant the Graph application permission again as the snapshot records it."),
    maps={
        "Maester": "MT.1058",
        "Prowler": "exchange_application_access_policy_restricts_mailbox_apps",
        "NIST": "AC-6",
        "ATT&CK": "T1098.001, T1534",
    },
)
