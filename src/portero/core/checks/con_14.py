"""
Only sister tenants are trusted, and no other tenant's mail passes for ours because both come from Microsoft.

Before: a connector trusts a tenant by name; or mail under our domain arrives from Microsoft's own addresses without our tenant having sent
it, and SPF passes for it.

After: no connector trusts another tenant but those of the group; no such mail was delivered in 30 days.

Mend: empty TrustedOrganizations; against look-alike tenants: DNS-06, DNS-09 and DS-01.

Verify: Get-InboundConnector shows it empty; the inventory shows no such sender.

May break: an organisation of several tenants; the tenant's id in headers shows which mail that is.

Exceptions: sister tenants, accepted in portero.toml.

Severity: medium: SPF passes for every tenant behind Microsoft's include.
"""

from __future__ import annotations

from datetime import timedelta

from portero.core.address import is_at_or_below
from portero.core.checks.origins import of_objects, of_senders
from portero.core.checks.standing import Standing, conclude, unread
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import setting
from portero.core.exchange.powershell import identity, run
from portero.core.exchange.settings import flag, texts
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.sender import Path, Sender
from portero.core.text import Text

_DAYS = 30
# Names to which the addresses resolve by which Microsoft 365 sends. Source: reference exchange-online 1.1.
_MICROSOFT = ("outbound.protection.outlook.com", "prod.outlook.com")
_ANONYMOUS = {Path.DIRECT_SEND, Path.FOREIGN_ENVELOPE}


def _judge(posture: Posture) -> Verdict:
    items = posture.tenant.objects("Get-InboundConnector") or ()
    standings = [_standing(item) for item in items]
    standings += [_sender(each) for each in posture.senders if _others(each, posture)]
    if not standings:
        return Verdict(
            Outcome.PASS, Text("No connector trusts another tenant, and no other tenant writes as us.")
        )
    return conclude(
        standings,
        Text("No connector trusts another tenant, and no other tenant writes as us."),
        Text("It concerns none of them."),
    )


def _standing(item: ConfigObject) -> Standing:
    name, origins, trusted = identity(item), of_objects([item]), texts(item, "TrustedOrganizations")
    if flag(item, "Enabled") is False:
        return Standing(name, Outcome.PASS, Text("connector “{name}” is off", name=name), origins)
    if trusted is None:
        return unread(item, ("TrustedOrganizations",))
    if trusted:
        reason = Text("connector “{name}” trusts the tenants {tenants}", name=name, tenants=trusted)
        empty = setting(item, {"TrustedOrganizations": None})
        return Standing(name, Outcome.WARN, reason, origins, changes=empty)
    return Standing(name, Outcome.PASS, Text("connector “{name}” trusts no other tenant", name=name), origins)


def _sender(sender: Sender) -> Standing:
    reason = Text("{sender} writes as us from Microsoft's addresses without our tenant", sender=sender.label)
    return Standing(str(sender.label), Outcome.WARN, reason, of_senders([sender]))


def _others(sender: Sender, posture: Posture) -> bool:
    return (
        sender.path in _ANONYMOUS
        and sender.last_seen is not None
        and posture.now - sender.last_seen <= timedelta(days=_DAYS)
        and any(is_at_or_below(name.lower(), held) for name in sender.facts.ptr for held in _MICROSOFT)
    )


CHECK = Check(
    id="CON-14",
    title=Text("Cross-tenant trust is deliberate, and mail of other tenants does not count as ours"),
    severity=Severity.MEDIUM,
    needs=("Get-InboundConnector", "mail"),
    judge=_judge,
    fix=run(["Set-InboundConnector -Identity 'NAME' -TrustedOrganizations $null"]),
    undo=run(["Set-InboundConnector -Identity 'NAME' -TrustedOrganizations @('PREVIOUS')"]),
    maps={"NIST": "SI-8", "ATT&CK": "T1672, T1586.002"},
)
