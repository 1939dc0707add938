"""
No anti-spam policy that applies to somebody allows sender domains, and none of them ever ours.

Before: an allowed sender domain skips spam filtering for whoever writes it; with our own domain listed, spoofed mail of Direct Send
walks into the inbox.

After: AllowedSenderDomains is empty in every policy that applies.

Mend: remove the domains named; give senders that only arrived thanks to the entry a connector or a signature.

Verify: Get-HostedContentFilterPolicy shows an empty AllowedSenderDomains.

May break: scans and application mail that reached inboxes only thanks to the entry: delivered mail of that domain with failed
composite authentication.

Exceptions: none for our own domains; partners through rules that demand a DMARC pass.

Severity: critical for our own domains, medium for others.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from portero.core.address import a_label, is_at_or_below
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
        Text("No policy that applies to somebody allows a sender domain."),
    )


def _stance(posture: Posture, policy: ConfigObject) -> Stance:
    entries = _entries(policy)
    if entries is None:
        return Stance(Outcome.UNKNOWN, (Text("{name} was not exported", name="AllowedSenderDomains"),))
    if not entries:
        return Stance(Outcome.PASS)
    ours = tuple(entry for entry in entries if _ours(entry, posture))
    what = (
        Text("our own domains pass spam filtering: {domains}", domains=ours)
        if ours
        else Text("sender domains pass spam filtering: {domains}", domains=entries)
    )
    return Stance(
        Outcome.FAIL,
        (what,),
        taking_out(policy, "AllowedSenderDomains", entries),
        Severity.CRITICAL if ours else Severity.MEDIUM,
    )


def _entries(policy: ConfigObject) -> tuple[str, ...] | None:
    """Read the list: texts, or objects with a Domain as PowerShell 7 writes them; None where the export lacks it."""
    value = prop(policy, "AllowedSenderDomains")
    if isinstance(value, Absent):
        return None
    entries = value if isinstance(value, list | tuple) else (value,)
    read = (entry.get("Domain") if isinstance(entry, Mapping) else entry for entry in entries)
    return tuple(str(entry) for entry in read if entry is not None and str(entry) != "")


def _ours(entry: str, posture: Posture) -> bool:
    """An entry below our domain lets in mail in our name too, and so does one above it."""
    domain = a_label(entry.removeprefix("*."))
    return posture.settings.names_us(domain) or any(
        is_at_or_below(held.name, domain) for held in posture.settings.accepted_domains
    )


CHECK = Check(
    id="SPAM-01",
    title=Text("No allowed sender domains, and never our own"),
    severity=Severity.CRITICAL,
    needs=("Get-HostedContentFilterPolicy",),
    judge=_judge,
    fix=run(["Set-HostedContentFilterPolicy -Identity 'POLICY' -AllowedSenderDomains @{Remove='DOMAIN'}"]),
    undo=run(["Set-HostedContentFilterPolicy -Identity 'POLICY' -AllowedSenderDomains @{Add='DOMAIN'}"]),
    maps={
        "SCuBA": "MS.SECURITYSUITE.6.2v1",
        "SCuBA before 2026": "MS.EXO.14.3v2",
        "CIS": "2.1.14",
        "ORCA": "118.1, 118.3",
        "Prowler": "defender_antispam_policy_inbound_no_allowed_domains",
        "NIST": "SI-8",
        "ATT&CK": "T1672, T1562.001",
    },
)
