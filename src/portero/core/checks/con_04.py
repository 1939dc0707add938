"""
Connectors of type OnPremises know our servers by our own certificate, and are those of the hybrid wizard.

Before: such a connector goes by an address that others share, or by a provider's certificate; whoever meets it may relay to the internet
through the tenant and be taken for internal.

After: each names a certificate in one of our domains, and was made by the hybrid wizard or has an owner in its comment.

Mend: bind it to our certificate; where only delivery inside is needed, replace it by a Partner connector.

Verify: Get-InboundConnector shows the certificate; a session without it is not attributed to the connector.

May break: relay to recipients outside stops when it becomes a Partner connector; mail on it to others in the trace shows how much.

Exceptions: the connectors of the Hybrid Configuration Wizard.

Severity: high: this type relays outside and promotes mail to internal.
"""

from __future__ import annotations

from portero.core.checks.certificates import is_shared, subject
from portero.core.checks.origins import of_objects
from portero.core.checks.ranges import OWN_USES, places_of, read
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
        posture,
        "Get-InboundConnector",
        _standing,
        Text("Every connector of type OnPremises is bound to our own certificate."),
        nothing,
    )


def _standing(posture: Posture, item: ConfigObject) -> Standing:
    name, origins, kind = identity(item), of_objects([item]), prop(item, "ConnectorType")
    if isinstance(kind, Absent) or kind is None or isinstance(flag(item, "Enabled"), Absent):
        return unread(item, ("ConnectorType", "Enabled"))
    if str(kind).lower() != "onpremises" or flag(item, "Enabled") is False:
        reason = Text("connector “{name}” is not one of type OnPremises in force", name=name)
        return Standing(name, Outcome.NOT_APPLICABLE, reason, origins)
    certificate = prop(item, "TlsSenderCertificateName")
    if isinstance(certificate, Absent):
        return unread(item, ("TlsSenderCertificateName",))
    if isinstance(certificate, str) and certificate.strip():
        return _by_certificate(posture, item, certificate)
    return _by_address(posture, item)


def _by_certificate(posture: Posture, item: ConfigObject, certificate: str) -> Standing:
    name, origins = identity(item), of_objects([item])
    if is_shared(certificate) or not posture.settings.names_us(subject(certificate)):
        reason = Text(
            "connector “{name}” believes whoever presents {certificate}, which is not ours",
            name=name,
            certificate=certificate,
        )
        shut = setting(item, {"Enabled": False})
        return Standing(name, Outcome.FAIL, reason, origins, changes=shut)
    return _owned(item, Text("connector “{name}” is bound to our certificate", name=name))


def _by_address(posture: Posture, item: ConfigObject) -> Standing:
    name, origins, entries = identity(item), of_objects([item]), texts(item, "SenderIPAddresses")
    if entries is None:
        return unread(item, ("SenderIPAddresses",))
    shut = setting(item, {"Enabled": False})
    networks = [network for held in read(entries)[0].values() for network in held]
    if not networks:
        reason = Text("connector “{name}” goes by neither certificate nor address", name=name)
        return Standing(name, Outcome.FAIL, reason, origins, changes=shut)
    places = [places_of(network, posture) for network in networks]
    if any(held and all(place.use not in OWN_USES for place in held) for held in places):
        reason = Text("connector “{name}” goes by addresses that others share", name=name)
        return Standing(name, Outcome.FAIL, reason, origins, changes=shut)
    if not all(places):
        reason = Text(
            "connector “{name}” goes by addresses, and whose they are is not in portero.toml", name=name
        )
        return Standing(name, Outcome.UNKNOWN, reason, origins)
    return _owned(item, Text("connector “{name}” goes by addresses that are ours alone", name=name))


def _owned(item: ConfigObject, reason: Text) -> Standing:
    """Warn where neither the hybrid wizard made a connector nor anybody stands in its comment."""
    name, origins = identity(item), of_objects([item])
    source, comment = prop(item, "ConnectorSource"), prop(item, "Comment")
    if str(source).lower() == "hybridwizard" or (isinstance(comment, str) and comment.strip()):
        return Standing(name, Outcome.PASS, reason, origins)
    if isinstance(source, Absent):
        return unread(item, ("ConnectorSource",))
    owner = Text(
        "connector “{name}” was not made by the hybrid wizard, and its comment names no owner", name=name
    )
    return Standing(name, Outcome.WARN, owner, origins)


CHECK = Check(
    id="CON-04",
    title=Text("OnPremises-type connectors are few, justified and bound to our own certificate"),
    severity=Severity.HIGH,
    needs=("Get-InboundConnector", "domains"),
    judge=_judge,
    fix=run(
        [
            "Set-InboundConnector -Identity 'NAME' -TlsSenderCertificateName 'mail.OUR-DOMAIN' -RequireTls $true"
        ]
    ),
    undo=run(
        ["Set-InboundConnector -Identity 'NAME' -TlsSenderCertificateName 'PREVIOUS' -RequireTls $false"]
    ),
    maps={"Microsoft365DSC": "EXOInboundConnector", "NIST": "AC-6, SC-7", "ATT&CK": "T1672, T1534, T1199"},
)
