"""
The unified audit log and mailbox auditing are on, and no person is exempt.

Before: changes to connectors, rules and the Direct Send switch leave no trace, or some mailboxes are exempt from auditing.

After: UnifiedAuditLogIngestionEnabled is true, AuditDisabled is false, and no person's mailbox bypasses auditing.

Mend: switch both on, and take people off the bypass list.

Verify: read the three again in Exchange Online PowerShell; the compliance session always answers false for the first.

May break: nothing.

Exceptions: service accounts on the bypass list, each by name.

Severity: high: without it nobody can tell who changed what.
"""

from __future__ import annotations

from portero.core.checks.origins import of_answers, of_objects
from portero.core.checks.standing import unsaid
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import Change, setting
from portero.core.exchange.powershell import identity, run
from portero.core.exchange.settings import Absent, flag
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

_LOG, _ORGANISATION, _BYPASS = (
    "Get-AdminAuditLogConfig",
    "Get-OrganizationConfig",
    "Get-MailboxAuditBypassAssociation",
)
# Mailboxes of the service itself. Source: names that Exchange Online gives them.
_SYSTEM = ("systemmailbox{", "healthmailbox", "discoverysearchmailbox", "migration.", "federatedemail.")


def _judge(posture: Posture) -> Verdict:
    log, organisation = posture.tenant.single(_LOG), posture.tenant.single(_ORGANISATION)
    ingestion = flag(log, "UnifiedAuditLogIngestionEnabled") if log else None
    disabled = flag(organisation, "AuditDisabled") if organisation else None
    bypassing = _bypassing(posture, True)
    read = of_answers(posture.tenant, _LOG, _ORGANISATION, _BYPASS)
    faults: list[Text] = []
    changes: list[Change] = []
    if log and ingestion is False:
        faults.append(
            Text(
                "UnifiedAuditLogIngestionEnabled is false (a compliance session always says so: read it in Exchange Online)"
            )
        )
        changes += setting(log, {"UnifiedAuditLogIngestionEnabled": True})
    if organisation and disabled is True:
        faults.append(Text("AuditDisabled is true"))
        changes += setting(organisation, {"AuditDisabled": False})
    if bypassing:
        faults.append(Text("mailboxes are exempt: {names}", names=tuple(map(identity, bypassing))))
        changes += [change for item in bypassing for change in setting(item, {"AuditBypassEnabled": False})]
    if faults:
        origins = of_objects(bypassing) or of_objects(
            item for item in (log, organisation) if item is not None
        )
        return Verdict(
            Outcome.FAIL,
            Text("Auditing has holes: {faults}.", faults=tuple(faults)),
            origins,
            changes=tuple(changes),
        )
    return _unclear(posture, log, organisation) or Verdict(
        Outcome.PASS, Text("The audit log and mailbox auditing are on, and no person is exempt."), read
    )


def _unclear(posture: Posture, log: ConfigObject | None, organisation: ConfigObject | None) -> Verdict | None:
    read = of_answers(posture.tenant, _LOG, _ORGANISATION, _BYPASS)
    for item, cmdlet, name, wanted in (
        (log, _LOG, "UnifiedAuditLogIngestionEnabled", True),
        (organisation, _ORGANISATION, "AuditDisabled", False),
    ):
        if item is None:
            empty = Text("{cmdlet} came back empty, so nothing was seen.", cmdlet=cmdlet)
            return Verdict(Outcome.UNKNOWN, empty, read)
        if flag(item, name) is not wanted:
            return Verdict(Outcome.UNKNOWN, Text("{what}.", what=unsaid(item, (name,))), read)
    if not posture.tenant.complete(_BYPASS):
        return Verdict(
            Outcome.UNKNOWN,
            Text("Both switches are right; who is exempt is not known without {cmdlet}.", cmdlet=_BYPASS),
            read,
        )
    silent = _bypassing(posture, None)
    if silent:
        return Verdict(
            Outcome.UNKNOWN,
            Text(
                "Whether {names} are exempt is not known: {what}.",
                names=tuple(identity(item) for item in silent[:20]),
                what=tuple(
                    dict.fromkeys(
                        each for item in silent[:20] for each in unsaid(item, ("AuditBypassEnabled",))
                    )
                ),
            ),
            of_objects(silent[:20]),
        )
    return None


def _bypassing(posture: Posture, wanted: bool | None) -> list[ConfigObject]:
    """Give the people's mailboxes that are exempt (True), or of which the export does not say (None)."""
    found = []
    for item in posture.tenant.objects(_BYPASS) or ():
        value = flag(item, "AuditBypassEnabled")
        said = None if value is None or isinstance(value, Absent) else value
        if said is wanted and not identity(item).lower().startswith(_SYSTEM):
            found.append(item)
    return found


CHECK = Check(
    id="LOG-01",
    title=Text("Unified audit and mailbox audit are on"),
    severity=Severity.HIGH,
    needs=(_LOG, _ORGANISATION),
    judge=_judge,
    fix=run(
        [
            "Set-AdminAuditLogConfig -UnifiedAuditLogIngestionEnabled $true",
            "Set-OrganizationConfig -AuditDisabled $false",
        ]
    ),
    undo=run(
        [
            "Set-AdminAuditLogConfig -UnifiedAuditLogIngestionEnabled $false",
            "Set-OrganizationConfig -AuditDisabled $true",
        ]
    ),
    maps={
        "SCuBA": "MS.SECURITYSUITE.5.1v1, 5.2v1, MS.EXO.13.1v1",
        "SCuBA before 2026": "MS.EXO.17.1v1, 17.3v1, MS.EXO.13.1v1",
        "CIS": "3.1.1, 6.1.1-6.1.3",
        "Prowler": "purview_audit_log_search_enabled",
        "NIST": "AU-12",
        "ATT&CK": "T1562.008",
    },
)
