"""
The domain that came with the tenant has a DMARC policy, and nobody sends from it.

Before: the onmicrosoft.com domain has no DMARC record; anybody may write as it, and its name looks official.

After: it publishes p=reject or p=quarantine, and no person or service sends from it.

Mend: add the record in the admin centre; move senders to a domain of our own.

Verify: ask DNS for _dmarc below the domain.

May break: services that still send under it; the trace by sender domain shows them.

Exceptions: none.

Severity: medium: mail from it is throttled and easily abused.
"""

from __future__ import annotations

from dataclasses import replace

from portero.core.address import is_at_or_below
from portero.core.checks.origins import of_senders
from portero.core.checks.standing import Standing, conclude, silence, txt_line, unanswered
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.mail.dmarc_record import Policy, parse_record
from portero.core.text import Text

_MICROSOFT = ("onmicrosoft.com", "onmicrosoft.us", "onmicrosoft.mil")


def _judge(posture: Posture) -> Verdict:
    domains = [
        held.name
        for held in posture.settings.accepted_domains
        if any(is_at_or_below(held.name, name) for name in _MICROSOFT)
        and not held.name.endswith("mail.onmicrosoft.com")
    ]
    if not domains:
        none = Text("The evidence names no onmicrosoft.com domain of the tenant.")
        return Verdict(Outcome.NOT_APPLICABLE, none)
    verdict = conclude(
        [_standing(posture, domain) for domain in domains],
        Text("The tenant's onmicrosoft.com domain has an enforcing policy, and nobody sends from it."),
        Text("No domain was judged."),
    )
    if verdict.fix is None:
        return verdict
    # Microsoft keeps that zone; its page in the admin centre is the one way to change it.
    where = Text(
        "In the admin centre, on the page of the domain, publish: {records}",
        records=dict(verdict.fix.values)["records"],
    )
    return replace(verdict, fix=where)


def _standing(posture: Posture, domain: str) -> Standing:
    answer = posture.dns.lookup(f"_dmarc.{domain}", "TXT")
    if unanswered(answer):
        return silence(domain, answer)
    origins = () if answer.origin is None else (answer.origin,)
    records = [record for record in map(parse_record, answer.answers) if record is not None]
    none = len(records) != 1 or not records[0].usable
    if none or records[0].policy(inherited=False, exists=True) is Policy.NONE:
        reason = (
            Text("{domain} has no DMARC policy", domain=domain)
            if none
            else Text("the policy for {domain} is none", domain=domain)
        )
        name = f"_dmarc.{domain}"
        return Standing(
            domain,
            Outcome.FAIL,
            reason,
            origins,
            wanted=(txt_line(name, "v=DMARC1; p=reject"),),
            previous=tuple(txt_line(name, text) for text in answer.answers),
        )
    using = [
        each
        for each in posture.senders
        if each.legitimate and domain in (*each.header_from_domains, *each.mail_from_domains)
    ]
    if using:
        reason = Text(
            "{senders} send from {domain}", senders=tuple(each.label for each in using), domain=domain
        )
        return Standing(domain, Outcome.WARN, reason, (*origins, *of_senders(using)))
    if not posture.mail_seen:
        reason = Text(
            "{domain} has a policy; whether anybody sends from it is not in the evidence", domain=domain
        )
        return Standing(domain, Outcome.UNKNOWN, reason, origins)
    return Standing(domain, Outcome.PASS, Text("{domain} is not left open", domain=domain), origins)


CHECK = Check(
    id="DNS-12",
    title=Text("The tenant's own onmicrosoft.com domain is not left open"),
    severity=Severity.MEDIUM,
    needs=("dns", "domains", "Get-AcceptedDomain"),
    judge=_judge,
    fix=Text(
        "In the admin centre, on the page of the onmicrosoft.com domain, add the TXT record _dmarc with v=DMARC1; p=reject."
    ),
    undo=Text("Remove that TXT record on the same page."),
    maps={
        "CIS": "2.1.10",
        "Maester": "MT.1074, MT.1076",
        "CIPP": "AddDMARCToMOERA",
        "Prowler": "exchange_mailbox_primary_smtp_uses_custom_domain",
        "NIST": "SI-8",
        "ATT&CK": "T1672",
    },
)
