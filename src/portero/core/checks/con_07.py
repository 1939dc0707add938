"""
Whoever delivers on a Partner connector does so under TLS.

Before: the connector takes mail in the clear; who stands on the line reads and changes it.

After: RequireTls is true, but for connectors of devices that cannot do TLS.

Mend: switch it on, after the connector report shows no mail without TLS.

Verify: Get-InboundConnector shows RequireTls True; a session without STARTTLS is refused.

May break: old devices without STARTTLS or TLS 1.2; the connector report by TLS version shows them.

Exceptions: printers: put a local relay on the connector instead.

Severity: medium: it protects the way, not the sender.
"""

from __future__ import annotations

from portero.core.checks.origins import of_objects
from portero.core.checks.ranges import places_of, read
from portero.core.checks.standing import Standing, judge_objects, unread
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import setting
from portero.core.exchange.powershell import identity, run
from portero.core.exchange.settings import Absent, flag, prop, texts
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text


def _judge(posture: Posture) -> Verdict:
    nothing = Verdict(Outcome.NOT_APPLICABLE, Text("There is no inbound connector."))
    return judge_objects(
        posture, "Get-InboundConnector", _standing, Text("Every Partner connector demands TLS."), nothing
    )


def _standing(posture: Posture, item: ConfigObject) -> Standing:
    name, origins, kind = identity(item), of_objects([item]), prop(item, "ConnectorType")
    if isinstance(kind, Absent) or isinstance(flag(item, "Enabled"), Absent):
        return unread(item, ("ConnectorType", "Enabled"))
    if str(kind).lower() != "partner" or flag(item, "Enabled") is False:
        reason = Text("connector “{name}” is not a Partner connector in force", name=name)
        return Standing(name, Outcome.NOT_APPLICABLE, reason, origins)
    tls = flag(item, "RequireTls")
    if isinstance(tls, Absent):
        return unread(item, ("RequireTls",))
    if tls:
        return Standing(name, Outcome.PASS, Text("connector “{name}” demands TLS", name=name), origins)
    reason = Text("connector “{name}” takes mail without TLS", name=name)
    outcome = Outcome.WARN if _devices_alone(posture, item) else Outcome.FAIL
    return Standing(name, outcome, reason, origins, changes=setting(item, {"RequireTls": True}))


def _devices_alone(posture: Posture, item: ConfigObject) -> bool:
    """Tell whether a connector lists addresses of known device networks and nothing else."""
    networks = [each for held in read(texts(item, "SenderIPAddresses") or ())[0].values() for each in held]
    return bool(networks) and all(
        any(place.use == "devices" for place in places_of(each, posture)) for each in networks
    )


CHECK = Check(
    id="CON-07",
    title=Text("Inbound connectors demand TLS"),
    severity=Severity.MEDIUM,
    needs=("Get-InboundConnector",),
    judge=_judge,
    fix=run(["Set-InboundConnector -Identity 'NAME' -RequireTls $true"]),
    undo=run(["Set-InboundConnector -Identity 'NAME' -RequireTls $false"]),
    maps={"CIPP": "connector templates", "NIST": "SC-8", "ATT&CK": "T1557, T1040"},
)
