"""
No anti-spam policy that applies lets mail pass because it bears an address of ours.

Before: the scanner's address is an allowed sender; whoever writes it passes spam filtering.

After: AllowedSenders holds no address of ours, and every other entry has an owner.

Mend: take the entries out; give the device a connector instead (DS-03).

Verify: Get-HostedContentFilterPolicy shows the list without them.

May break: the device whose mail only arrived thanks to the entry; its mail by sender in the trace shows it.

Exceptions: move it to DS-03.

Severity: high: the address of a device is easy to know and to write.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from portero.core.address import domain_of
from portero.core.checks.effective import Stance, judge_policies
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import taking_out
from portero.core.exchange.powershell import run
from portero.core.exchange.protection import Family
from portero.core.exchange.settings import Absent, prop
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text


def _judge(posture: Posture) -> Verdict:
    return judge_policies(
        posture,
        Family.ANTI_SPAM,
        partial(_stance, posture),
        Text("No policy that applies to somebody allows a sender."),
    )


def _stance(posture: Posture, policy: ConfigObject) -> Stance:
    entries = _entries(policy)
    if entries is None:
        return Stance(Outcome.UNKNOWN, (Text("{name} was not exported", name="AllowedSenders"),))
    ours = tuple(entry for entry in entries if posture.settings.names_us(domain_of(entry)))
    if ours:
        what = Text("our own addresses pass spam filtering: {addresses}", addresses=ours)
        return Stance(Outcome.FAIL, (what,), taking_out(policy, "AllowedSenders", ours))
    if entries:
        what = Text("addresses pass spam filtering: {addresses}", addresses=entries)
        return Stance(Outcome.WARN, (what,), taking_out(policy, "AllowedSenders", entries))
    return Stance(Outcome.PASS)


def _entries(policy: ConfigObject) -> tuple[str, ...] | None:
    """Read the list: texts, or objects with a Sender as PowerShell 7 writes them; None where the export lacks it."""
    value = prop(policy, "AllowedSenders")
    if isinstance(value, Absent):
        return None
    found = []
    for entry in value if isinstance(value, list | tuple) else (value,):
        sender = entry.get("Sender") if isinstance(entry, Mapping) else entry
        address = sender.get("Address") if isinstance(sender, Mapping) else sender
        found.append("" if address is None else str(address).strip())
    return tuple(filter(None, found))


CHECK = Check(
    id="SPAM-02",
    title=Text("No allowed senders with our addresses"),
    severity=Severity.HIGH,
    needs=("Get-HostedContentFilterPolicy", "domains"),
    judge=_judge,
    fix=run(["Set-HostedContentFilterPolicy -Identity 'POLICY' -AllowedSenders @{Remove='ADDRESS'}"]),
    undo=run(["Set-HostedContentFilterPolicy -Identity 'POLICY' -AllowedSenders @{Add='ADDRESS'}"]),
    maps={"ORCA": "109", "NIST": "SI-8", "ATT&CK": "T1672"},
)
