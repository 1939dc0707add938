"""
The address that a connector trusts is used by registered senders alone.

Before: guests, laptops or VPN users leave by the same address as the printers; the connector hands all of them the exemption.

After: every address on a connector lies in a known network of devices or applications and in none of users or guests.

Mend: a NAT address for the devices' segment; then CON-12.

Verify: portero.toml names the network with use devices, and mail by source after the change comes from it.

May break: change connector and SPF first, then the NAT.

Exceptions: small sites: put a relay in between.

Severity: high: otherwise DS-03 exempts every laptop and visitor.
"""

from __future__ import annotations

from portero.core.checks.origins import of_objects
from portero.core.checks.ranges import OWN_USES, places_of, read, sharing
from portero.core.checks.standing import Standing, judge_objects, unread
from portero.core.evidence import ConfigObject
from portero.core.exchange.powershell import identity
from portero.core.exchange.settings import flag, texts
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text


def _judge(posture: Posture) -> Verdict:
    return judge_objects(
        posture,
        "Get-InboundConnector",
        _standing,
        Text("Every address on a connector is used by registered senders alone."),
        Verdict(Outcome.NOT_APPLICABLE, Text("There is no inbound connector.")),
    )


def _standing(posture: Posture, item: ConfigObject) -> Standing:
    name, origins, entries = identity(item), of_objects([item]), texts(item, "SenderIPAddresses")
    if flag(item, "Enabled") is False:
        return Standing(name, Outcome.NOT_APPLICABLE, Text("connector “{name}” is off", name=name), origins)
    if entries is None:
        return unread(item, ("SenderIPAddresses",))
    networks = [network for held in read(entries)[0].values() for network in held]
    if not networks:
        return Standing(
            name, Outcome.NOT_APPLICABLE, Text("connector “{name}” lists no address", name=name), origins
        )
    shared = tuple(dict.fromkeys(place for network in networks for place in sharing(network, posture)))
    if shared:
        reason = Text("connector “{name}” trusts addresses of {places}", name=name, places=shared)
        return Standing(name, Outcome.FAIL, reason, origins)
    strange = tuple(
        str(network)
        for network in networks
        if not any(place.use in OWN_USES or place.use == "partner" for place in places_of(network, posture))
    )
    if strange:
        reason = Text(
            "who else leaves by {ranges}, on connector “{name}”, is not in portero.toml",
            ranges=strange,
            name=name,
        )
        return Standing(name, Outcome.UNKNOWN, reason, origins)
    return Standing(
        name, Outcome.PASS, Text("connector “{name}” trusts registered senders alone", name=name), origins
    )


CHECK = Check(
    id="NET-03",
    title=Text("Mail-sending devices leave by an address nobody else uses"),
    severity=Severity.HIGH,
    needs=("Get-InboundConnector",),
    judge=_judge,
    fix=Text(
        "Give the devices' segment a NAT address of its own; put it on the connector and into SPF first, then change the NAT."
    ),
    undo=Text("Put the previous NAT rule back."),
    maps={"NIST": "SC-7, AC-4", "ATT&CK": "T1672"},
)
