"""
No connector lets in more addresses than the senders behind it use.

Before: a list holds whole blocks, of a cloud or of a provider, because one sender once used an address of it; everybody who rents there is
inside.

After: each list holds at most 1,024 addresses, all of them in networks that portero.toml names with their use.

Mend: take the block out and list the addresses that senders really use; name networks in portero.toml.

Verify: Get-InboundConnector shows the list; each source on the connector in 90 days of trace is still in it.

May break: senders in the block that nobody knew go back to anonymous and are refused once Reject Direct Send is on.

Exceptions: ranges that a vendor publishes and a job refreshes, together with CON-08; record them as a network of use partner.

Severity: high: what a connector admits is exempt from Reject Direct Send.
"""

from __future__ import annotations

from functools import partial

from portero.core.address import IPNetwork, NetworkMap, lies_in, parse_network
from portero.core.checks.origins import of_objects
from portero.core.checks.ranges import places_of, read, reserved
from portero.core.checks.standing import Standing, custom_domains, judge_objects, unread
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import taking_out
from portero.core.exchange.powershell import identity, run
from portero.core.exchange.settings import flag, texts
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.mail.spf_expansion import expansion
from portero.core.text import Text

_Published = tuple[IPNetwork, str]  # a network, and the vendor whose SPF record names it


def _judge(posture: Posture) -> Verdict:
    return judge_objects(
        posture,
        "Get-InboundConnector",
        partial(_standing, published=_published(posture)),
        Text("No connector lets in more addresses than it needs."),
    )


def _published(posture: Posture) -> NetworkMap[_Published]:
    """Give the networks that others publish for all their customers: what our SPF records include of theirs."""
    found: list[_Published] = []
    for domain in custom_domains(posture):
        for child in expansion(posture.dns, domain).root.children:
            if not posture.settings.names_us(child.domain):
                theirs = expansion(posture.dns, child.domain).networks
                found += [(parse_network(text), child.domain) for text in theirs]
    return NetworkMap((network, (network, vendor)) for network, vendor in found)


def _standing(posture: Posture, item: ConfigObject, published: NetworkMap[_Published]) -> Standing:
    """
    Judge one connector.

    published:  vendors by the networks that they publish.
    """
    name, origins, entries = identity(item), of_objects([item]), texts(item, "SenderIPAddresses")
    if flag(item, "Enabled") is False:
        return Standing(name, Outcome.NOT_APPLICABLE, Text("connector “{name}” is off", name=name), origins)
    if entries is None:
        return unread(item, ("SenderIPAddresses",))
    held, broken = read(entries)
    private = tuple(text for text, networks in held.items() if any(map(reserved, networks)))
    if private or broken:
        bad = (*private, *broken)
        reason = Text("connector “{name}” lists {ranges}, from which no mail can come", name=name, ranges=bad)
        return Standing(
            name, Outcome.FAIL, reason, origins, changes=taking_out(item, "SenderIPAddresses", bad)
        )
    number = sum(network.num_addresses for networks in held.values() for network in networks)
    unplaced = {
        text: networks
        for text, networks in held.items()
        if not all(places_of(each, posture) for each in networks)
    }
    shared = {text: vendor for text, networks in unplaced.items() if (vendor := _vendor(networks, published))}
    loose = tuple(text for text in unplaced if text not in shared)
    if number > posture.limits.connector_addresses and loose:
        reason = Text("connector “{name}” lets in {number} addresses", name=name, number=number)
        return Standing(
            name, Outcome.FAIL, reason, origins, changes=taking_out(item, "SenderIPAddresses", loose)
        )
    if loose:
        reason = Text(
            "whose the ranges {ranges} of connector “{name}” are, a cloud's perhaps, is not in portero.toml",
            ranges=loose,
            name=name,
        )
        return Standing(name, Outcome.UNKNOWN, reason, origins)
    if shared:
        reason = Text(
            "connector “{name}” lists {ranges}, from which {vendors} send for all their customers",
            name=name,
            ranges=tuple(shared),
            vendors=tuple(dict.fromkeys(shared.values())),
        )
        return Standing(name, Outcome.WARN, reason, origins)
    return Standing(name, Outcome.PASS, Text("connector “{name}” is narrow", name=name), origins)


def _vendor(networks: list[IPNetwork], published: NetworkMap[_Published]) -> str:
    """Name the vendor in whose published networks all of a range lies, ``""`` where there is none."""
    names = [
        {vendor for held, vendor in published.covering(str(each.network_address)) if lies_in(each, held)}
        for each in networks
    ]
    return min(set.intersection(*names), default="") if names else ""


CHECK = Check(
    id="CON-03",
    title=Text("Connector address lists are narrow"),
    severity=Severity.HIGH,
    needs=("Get-InboundConnector",),
    judge=_judge,
    fix=run(["Set-InboundConnector -Identity 'NAME' -SenderIPAddresses @{Remove='RANGE'}"]),
    undo=run(["Set-InboundConnector -Identity 'NAME' -SenderIPAddresses @{Add='RANGE'}"]),
    maps={"NIST": "SC-7, AC-4", "ATT&CK": "T1583.003, T1672"},
)
