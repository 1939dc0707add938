"""
Only the connectors of the hybrid wizard, bound to our own certificate, may promote headers from the other side.

Before: a connector made by hand has CloudServicesMailEnabled true; headers that say "authenticated as internal" are believed from
whoever matches it.

After: the switch is on only where the Hybrid Configuration Wizard set it and the certificate is in one of our domains.

Mend: switch it off on every other connector.

Verify: Get-InboundConnector and Get-OutboundConnector show CloudServicesMailEnabled False on them.

May break: trust between the two sides of a hybrid organisation, and rules keyed on internal scope; free/busy is not affected.

Exceptions: documented third-party products that act on behalf of the tenant, each with its vendor's statement.

Severity: high: headers that say "authenticated as internal" are believed from that source.
"""

from __future__ import annotations

from portero.core.checks.certificates import subject
from portero.core.checks.origins import of_answers, of_objects
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import setting
from portero.core.exchange.powershell import identity, run
from portero.core.exchange.settings import Absent, flag, prop
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

_INBOUND, _OUTBOUND = "Get-InboundConnector", "Get-OutboundConnector"


def _judge(posture: Posture) -> Verdict:
    items = [
        item
        for cmdlet in (_INBOUND, _OUTBOUND)
        for item in posture.tenant.objects(cmdlet) or ()
        if flag(item, "Enabled") is not False
    ]
    standing = [(item, _standing(item, posture)) for item in items]
    wrong = [item for item, stands in standing if stands is Outcome.FAIL]
    if wrong:
        return Verdict(
            Outcome.FAIL,
            Text(
                "Connectors that promote headers from the other side without being the hybrid wizard's with our certificate: {names}.",
                names=tuple(map(identity, wrong)),
            ),
            of_objects(wrong),
            changes=tuple(
                change for item in wrong for change in setting(item, {"CloudServicesMailEnabled": False})
            ),
            subjects=tuple(map(identity, wrong)),
        )
    unclear = [item for item, stands in standing if stands is Outcome.UNKNOWN]
    if unclear:
        return Verdict(
            Outcome.UNKNOWN,
            Text(
                "Source, certificate or switch of connectors {names} is not in the export, or they are known by address "
                "alone, of which nobody says whose it is.",
                names=tuple(map(identity, unclear)),
            ),
            of_objects(unclear),
        )
    if not posture.tenant.complete(_OUTBOUND):
        return Verdict(
            Outcome.UNKNOWN,
            Text("The inbound connectors are in order; Get-OutboundConnector was not exported whole."),
            of_answers(posture.tenant, _INBOUND),
        )
    return Verdict(
        Outcome.PASS,
        Text("No connector but the hybrid wizard's promotes headers from the other side."),
        of_answers(posture.tenant, _INBOUND, _OUTBOUND),
    )


def _standing(item: ConfigObject, posture: Posture) -> Outcome:
    promotes, source = flag(item, "CloudServicesMailEnabled"), prop(item, "ConnectorSource")
    if isinstance(promotes, Absent):
        return Outcome.UNKNOWN
    if not promotes:
        return Outcome.PASS
    if isinstance(flag(item, "Enabled"), Absent) or isinstance(source, Absent):
        return Outcome.UNKNOWN
    if str(source).lower() != "hybridwizard":
        return Outcome.FAIL
    if item.cmdlet == _OUTBOUND:
        return Outcome.PASS
    certificate = prop(item, "TlsSenderCertificateName")
    if not isinstance(certificate, str) or not certificate or not posture.settings.accepted_domains:
        return Outcome.UNKNOWN
    return Outcome.PASS if posture.settings.names_us(subject(certificate)) else Outcome.FAIL


CHECK = Check(
    id="CON-06",
    title=Text("CloudServicesMailEnabled only on the hybrid wizard's connectors"),
    severity=Severity.HIGH,
    needs=(_INBOUND,),
    judge=_judge,
    fix=run(["Set-InboundConnector -Identity 'NAME' -CloudServicesMailEnabled $false"]),
    undo=run(["Set-InboundConnector -Identity 'NAME' -CloudServicesMailEnabled $true"]),
    maps={"NIST": "SC-7(10), AC-4", "ATT&CK": "T1672, T1562.001"},
)
