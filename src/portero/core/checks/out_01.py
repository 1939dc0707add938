"""
Mailboxes cannot forward mail outside by themselves.

Before: an outbound policy lets rules forward to anywhere, or leaves it to what the tenant's age makes of Automatic, and the default remote
domain agrees.

After: AutoForwardingMode is Off in every outbound policy that applies, and the default remote domain forbids it.

Mend: switch both off; allow named remote domains or a named group where a need is approved.

Verify: Get-HostedOutboundSpamFilterPolicy and Get-RemoteDomain show it.

May break: people who forward their mail; the forwarding report names them.

Exceptions: a remote domain, or an outbound policy for a group.

Severity: high: it carries mail out of a mailbox taken over, and forwarders are the main legitimate casualty of Reject Direct Send when the
far end sends back.
"""

from __future__ import annotations

from functools import partial

from portero.core.checks.effective import Want, off, one_of, policy_standings, stance
from portero.core.checks.origins import of_objects
from portero.core.checks.standing import Standing, conclude
from portero.core.evidence import ConfigObject
from portero.core.exchange.powershell import identity, run
from portero.core.exchange.protection import Family
from portero.core.exchange.settings import prop
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

# What Automatic means depends on the tenant's age, so it is neither off nor on.
_MODE: tuple[Want, ...] = (
    Want("AutoForwardingMode", lambda value: value in {"off", "automatic"}, "Off"),
    one_of("AutoForwardingMode", "Off", otherwise=Outcome.WARN),
)


def _judge(posture: Posture) -> Verdict:
    policies = policy_standings(posture, Family.OUTBOUND, partial(stance, wants=_MODE))
    if not policies:
        because = Text("{cmdlet} came back empty.", cmdlet="Get-HostedOutboundSpamFilterPolicy")
        return Verdict(Outcome.UNKNOWN, because)
    domains = posture.tenant.objects("Get-RemoteDomain") or ()
    default = [item for item in domains if str(prop(item, "DomainName")).strip() == "*"]
    if not default:
        return Verdict(Outcome.UNKNOWN, Text("The default remote domain was not exported."))
    return conclude(
        [*policies, *map(_remote, default)],
        Text("No policy and no default remote domain lets mailboxes forward outside."),
        Text("It concerns no policy that applies to somebody."),
    )


def _remote(item: ConfigObject) -> Standing:
    found, name = stance(item, (off("AutoForwardEnabled"),)), identity(item)
    reason = Text("remote domain “{name}”: {what}", name=name, what=found.what)
    return Standing(name, found.outcome, reason, of_objects([item]), changes=found.changes)


CHECK = Check(
    id="OUT-01",
    title=Text("Automatic external forwarding is off"),
    severity=Severity.HIGH,
    needs=("Get-HostedOutboundSpamFilterPolicy", "Get-RemoteDomain"),
    judge=_judge,
    fix=run(
        [
            "Set-HostedOutboundSpamFilterPolicy -Identity Default -AutoForwardingMode Off",
            "Set-RemoteDomain -Identity Default -AutoForwardEnabled $false",
        ]
    ),
    undo=run(
        [
            "Set-HostedOutboundSpamFilterPolicy -Identity Default -AutoForwardingMode Automatic",
            "Set-RemoteDomain -Identity Default -AutoForwardEnabled $true",
        ]
    ),
    maps={
        "SCuBA": "MS.EXO.1.1v2",
        "CIS": "6.2.1",
        "Maester": "CISA.MS.EXO.1.1",
        "Prowler": "defender_antispam_outbound_policy_forwarding_disabled, exchange_transport_rules_mail_forwarding_disabled",
        "CIPP": "EXODisableAutoForwarding",
        "NIST": "AC-4",
        "ATT&CK": "T1114.003",
    },
)
