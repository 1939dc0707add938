"""
Every address entry of a connector is one that Exchange Online takes and means what its author meant.

Before: entries are private, IPv6, wider than /24, or bear host bits, so that they mean another range than they show.

After: each is a public IPv4 address or block of /24 to /32 written by its first address.

Mend: take the wrong entry out and put the right one in.

Verify: Get-InboundConnector shows the list.

May break: a vendor whose addresses moved: mail from the new ones is anonymous; its mail by address in the trace shows it.

Exceptions: none.

Severity: medium: a stale entry is somebody else's address tomorrow. Whether an entry has left its vendor's publication is not judged: no feed
of it is part of the evidence.
"""

from __future__ import annotations

import ipaddress

from portero.core.checks.origins import of_objects
from portero.core.checks.ranges import read, reserved
from portero.core.checks.standing import Standing, judge_objects, unread
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import putting_in, taking_out
from portero.core.exchange.powershell import identity, run
from portero.core.exchange.settings import texts
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

_SHORTEST = 24


def _judge(posture: Posture) -> Verdict:
    return judge_objects(
        posture,
        "Get-InboundConnector",
        _standing,
        Text("Every address entry is one that Exchange Online takes."),
    )


def _standing(_: Posture, item: ConfigObject) -> Standing:
    name, origins, entries = identity(item), of_objects([item]), texts(item, "SenderIPAddresses")
    if entries is None:
        return unread(item, ("SenderIPAddresses",))
    held, broken = read(entries)
    wrong = [
        text
        for text, networks in held.items()
        if any(net.version == 6 or net.prefixlen < _SHORTEST or reserved(net) for net in networks)
    ]
    if wrong or broken:
        bad = (*wrong, *broken)
        reason = Text("connector “{name}” lists {entries}, which cannot stand there", name=name, entries=bad)
        return Standing(
            name, Outcome.FAIL, reason, origins, changes=taking_out(item, "SenderIPAddresses", bad)
        )
    crooked = {text: str(held[text][0]) for text in held if _host_bits(text)}
    if crooked:
        reason = Text(
            "connector “{name}” writes blocks by an address inside them: {entries}",
            name=name,
            entries=tuple(crooked),
        )
        straight = (
            *putting_in(item, "SenderIPAddresses", [new for new in crooked.values() if new not in entries]),
            *taking_out(item, "SenderIPAddresses", crooked),
        )
        return Standing(name, Outcome.WARN, reason, origins, changes=straight)
    return Standing(
        name, Outcome.PASS, Text("the entries of connector “{name}” are valid", name=name), origins
    )


def _host_bits(text: str) -> bool:
    if "/" not in text:
        return False
    try:
        ipaddress.ip_network(text.strip())
    except ValueError:
        return True
    return False


CHECK = Check(
    id="CON-12",
    title=Text("Address entries are valid and current"),
    severity=Severity.MEDIUM,
    needs=("Get-InboundConnector",),
    judge=_judge,
    fix=run(["Set-InboundConnector -Identity 'NAME' -SenderIPAddresses @{Add='RIGHT'; Remove='WRONG'}"]),
    undo=run(["Set-InboundConnector -Identity 'NAME' -SenderIPAddresses @{Add='WRONG'; Remove='RIGHT'}"]),
    maps={"NIST": "SI-2, CM-6", "ATT&CK": "T1583.003"},
)
