"""
Every way out of the tenant is one that somebody made on purpose and still answers for.

Before: an outbound connector sends mail for some or all domains to a host that nobody knows; replies go through strange hands.

After: each connector that is on has an owner in its comment, and its smart hosts are ours or in known networks.

Mend: switch the connector off; record its hosts and its owner if it is wanted.

Verify: Get-OutboundConnector lists only connectors with an owner.

May break: mail to the domains of the connector; the outbound connector report shows how much.

Exceptions: encryption gateways and signature services, recorded.

Severity: high: a rogue way out reads every reply.
"""

from __future__ import annotations

from portero.core.address import a_label, is_at_or_below
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
    nothing = Verdict(Outcome.PASS, Text("There is no outbound connector."))
    return judge_objects(
        posture, "Get-OutboundConnector", _standing, Text("Every outbound connector is known."), nothing
    )


def _standing(posture: Posture, item: ConfigObject) -> Standing:
    name, origins, on = identity(item), of_objects([item]), flag(item, "Enabled")
    if isinstance(on, Absent):
        return unread(item, ("Enabled",))
    if on is False:
        return Standing(name, Outcome.NOT_APPLICABLE, Text("connector “{name}” is off", name=name), origins)
    shut = setting(item, {"Enabled": False})
    hosts, comment = texts(item, "SmartHosts"), prop(item, "Comment")
    if hosts is None:
        return unread(item, ("SmartHosts",))
    wizard = str(prop(item, "ConnectorSource")).lower() == "hybridwizard"
    if not wizard and not (isinstance(comment, str) and comment.strip()):
        if isinstance(comment, Absent):
            return unread(item, ("Comment",))
        reason = Text("outbound connector “{name}” names no owner in its comment", name=name)
        return Standing(name, Outcome.FAIL, reason, origins, changes=shut)
    strange = tuple(host for host in hosts if not _known(posture, host))
    if strange and not posture.configuration.networks:
        reason = Text(
            "outbound connector “{name}” sends to {hosts}, and portero.toml names no networks",
            name=name,
            hosts=strange,
        )
        return Standing(name, Outcome.UNKNOWN, reason, origins)
    if strange:
        reason = Text(
            "outbound connector “{name}” sends to {hosts}, which nobody recorded", name=name, hosts=strange
        )
        return Standing(name, Outcome.FAIL, reason, origins, changes=shut)
    tls = prop(item, "TlsSettings")
    if isinstance(tls, Absent):
        return unread(item, ("TlsSettings",))
    if not tls:
        reason = Text("outbound connector “{name}” does not ask for TLS", name=name)
        wanted = setting(item, {"TlsSettings": "EncryptionOnly"})
        return Standing(name, Outcome.WARN, reason, origins, changes=wanted)
    return Standing(name, Outcome.PASS, Text("outbound connector “{name}” is known", name=name), origins)


def _known(posture: Posture, host: str) -> bool:
    """Tell whether a smart host is ours, Microsoft's endpoint of the tenant, or an address in a known network."""
    bare = host.strip().strip("[]")
    networks = [each for held in read([bare])[0].values() for each in held]
    if networks:
        return all(places_of(each, posture) for each in networks)
    name = a_label(bare)
    greetings = [a_label(each) for entry in posture.configuration.register for each in entry.ehlo]
    return posture.settings.names_us(name) or any(is_at_or_below(name, each) for each in greetings)


CHECK = Check(
    id="CON-13",
    title=Text("Outbound connectors are all known"),
    severity=Severity.HIGH,
    needs=("Get-OutboundConnector",),
    judge=_judge,
    fix=run(["Set-OutboundConnector -Identity 'NAME' -Enabled $false"]),
    undo=run(["Set-OutboundConnector -Identity 'NAME' -Enabled $true"]),
    maps={
        "SCuBA": "MS.SECURITYSUITE.4.1v1 (alert)",
        "SCuBA before 2026": "MS.EXO.16.1v1 (alert)",
        "NIST": "AC-4",
        "ATT&CK": "T1114.003, T1048",
    },
)
