"""
A relay of our own takes mail from hosts it knows, and writes down from whom.

Before: the relay's connector trusts a whole segment, or the internet; whatever it hands to Exchange Online is trusted in turn.

After: each connector that trusts without authentication names the hosts that need it, and logs every session.

Mend: narrow the ranges; ask for authentication where a host can.

Verify: a session from another host is refused; the protocol log names each source.

May break: hosts in the range that was removed; 90 days of the relay's log by source show them.

Exceptions: none.

Severity: high: a relay on a connector is the whole trust.
"""

from __future__ import annotations

from portero.core.checks.origins import of_objects
from portero.core.checks.ranges import read, sharing
from portero.core.checks.standing import Standing, judge_objects, unread
from portero.core.evidence import ConfigObject
from portero.core.exchange.powershell import identity
from portero.core.exchange.settings import flag, prop, texts
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

# A connector for more addresses than a segment of devices holds trusts whoever plugs in.
_WIDEST = 256


def _judge(posture: Posture) -> Verdict:
    return judge_objects(
        posture,
        "Get-ReceiveConnector",
        _standing,
        Text("Relays of our own take mail from known hosts alone, and log it."),
        Verdict(Outcome.NOT_APPLICABLE, Text("There is no receive connector on a server of ours.")),
    )


def _standing(posture: Posture, item: ConfigObject) -> Standing:
    name, origins, ranges = identity(item), of_objects([item]), texts(item, "RemoteIPRanges")
    mechanisms, groups = texts(item, "AuthMechanism"), texts(item, "PermissionGroups")
    if ranges is None or mechanisms is None or groups is None:
        return unread(item, ("RemoteIPRanges", "AuthMechanism", "PermissionGroups"))
    if flag(item, "Enabled") is False:
        return Standing(name, Outcome.NOT_APPLICABLE, Text("connector “{name}” is off", name=name), origins)
    # ExternalAuthoritative trusts whoever connects as if it were an Exchange server. Source: New-ReceiveConnector.
    trusted = "externalauthoritative" in " ".join(mechanisms).lower()
    anonymous = "anonymoususers" in " ".join(groups).lower()
    held, _ = read(ranges)
    networks = [network for found in held.values() for network in found]
    number = sum(network.num_addresses for network in networks)
    shared = any(sharing(network, posture) for network in networks)
    if trusted and (number > _WIDEST or shared):
        reason = Text(
            "receive connector “{name}” trusts {number} addresses without authentication",
            name=name,
            number=number,
        )
        return Standing(name, Outcome.FAIL, reason, origins)
    if anonymous and not trusted:
        reason = Text(
            "whether anonymous hosts may relay by receive connector “{name}” stands in its permissions, which were not exported",
            name=name,
        )
        return Standing(name, Outcome.UNKNOWN, reason, origins)
    if str(prop(item, "ProtocolLoggingLevel")).lower() != "verbose":
        reason = Text("receive connector “{name}” does not log its sessions", name=name)
        return Standing(name, Outcome.WARN, reason, origins)
    return Standing(
        name, Outcome.PASS, Text("receive connector “{name}” knows its hosts", name=name), origins
    )


CHECK = Check(
    id="NET-04",
    title=Text("Internal relays accept only known hosts and log them"),
    severity=Severity.HIGH,
    needs=("Get-ReceiveConnector",),
    judge=_judge,
    fix=Text(
        "On the Exchange server, narrow RemoteIPRanges of the connector to the hosts that need it, and set ProtocolLoggingLevel to Verbose."
    ),
    undo=Text("Put the previous ranges back."),
    maps={"NIST": "AC-4, AU-12", "ATT&CK": "T1071.003, T1199"},
)
