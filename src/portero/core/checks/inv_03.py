"""
For every domain it is known whether it sends, only receives, or is only kept, and what it does fits that.

Before: a domain counts as parked and sends, or may send and never does; its SPF, its DMARC and what Reject Direct Send hits are aimed at
something else.

After: domains that send are open for it; those that sent nothing in 90 days are shut by SendingFromDomainDisabled.

Mend: shut sending for a domain that does not send.

Verify: Get-AcceptedDomain shows it; a test message from an alias in that domain bounces.

May break: people and applications with an alias there bounce when they send; mailboxes whose primary address is in it are the sign.

Exceptions: a merger, with an end date.

Severity: medium: a wrong class aims every other setting wrong.
"""

from __future__ import annotations

from portero.core.address import a_label, is_at_or_below
from portero.core.checks.origins import of_objects
from portero.core.checks.standing import Standing, judge_objects, unread
from portero.core.checks.window import days_covered
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import setting
from portero.core.exchange.powershell import run
from portero.core.exchange.settings import Absent, flag
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.sender import Kind
from portero.core.text import Text

_DAYS = 90


def _judge(posture: Posture) -> Verdict:
    return judge_objects(
        posture, "Get-AcceptedDomain", _standing, Text("Every domain's use is known and fits what it does.")
    )


def _standing(posture: Posture, item: ConfigObject) -> Standing:
    domain, origins = a_label(str(item.properties.get("DomainName") or "")), of_objects([item])
    if flag(item, "InitialDomain") is True or is_at_or_below(domain, "onmicrosoft.com"):
        return Standing(
            domain,
            Outcome.NOT_APPLICABLE,
            Text("{domain} is Microsoft's name for routing", domain=domain),
            origins,
        )
    if flag(item, "PendingRemoval") is True:
        return Standing(domain, Outcome.PASS, Text("{domain} is leaving", domain=domain), origins)
    closed = flag(item, "SendingFromDomainDisabled")
    if isinstance(closed, Absent):
        return unread(item, ("SendingFromDomainDisabled",), domain)
    using = [
        each
        for each in posture.senders
        if each.legitimate and domain in (*each.header_from_domains, *each.mail_from_domains)
    ]
    if closed and using:
        reason = Text(
            "{domain} is shut for sending, and {senders} send as it",
            domain=domain,
            senders=tuple(each.label for each in using),
        )
        opened = setting(item, {"SendingFromDomainDisabled": False})
        return Standing(domain, Outcome.FAIL, reason, origins, changes=opened)
    if closed:
        return Standing(domain, Outcome.PASS, Text("{domain} does not send", domain=domain), origins)
    if using:
        return Standing(domain, Outcome.PASS, Text("{domain} sends", domain=domain), origins)
    sees_people = any(each.kind is Kind.MAILBOX for each in posture.senders)
    if not sees_people or days_covered(posture.coverage) < _DAYS:
        reason = Text(
            "whether {domain} sends does not show in the days that the evidence covers", domain=domain
        )
        return Standing(domain, Outcome.UNKNOWN, reason, origins)
    reason = Text("{domain} is open for sending and sent nothing in {days} days", domain=domain, days=_DAYS)
    shut = setting(item, {"SendingFromDomainDisabled": True})
    return Standing(domain, Outcome.FAIL, reason, origins, changes=shut)


CHECK = Check(
    id="INV-03",
    title=Text("Accepted domains are classified by use"),
    severity=Severity.MEDIUM,
    needs=("Get-AcceptedDomain", "mail"),
    judge=_judge,
    fix=run(["Set-AcceptedDomain -Identity 'DOMAIN' -SendingFromDomainDisabled $true"]),
    undo=run(["Set-AcceptedDomain -Identity 'DOMAIN' -SendingFromDomainDisabled $false"]),
    maps={
        "CIS": "2.1.8, 2.1.10 (scope)",
        "Maester": "MT.1182 (scope)",
        "ORCA": "108, 235 (scope)",
        "NIST": "CM-8",
        "ATT&CK": "T1672",
    },
)
