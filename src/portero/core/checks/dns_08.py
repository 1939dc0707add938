"""
Exactly one valid DMARC record applies to every domain.

Before: neither the domain nor the organisation above it publishes a DMARC record, or one name publishes several, which receivers
discard, or the record names no valid policy; nothing tells receivers what to do with mail that fails.

After: the search ends at exactly one valid record, for receivers of RFC 9989 and of RFC 7489 alike.

Mend: publish v=DMARC1; p=none with a report address to start; keep one of several and delete the others.

Verify: ask DNS for the TXT records at _dmarc below the domain; exactly one begins with v=DMARC1.

May break: nothing; p=none changes no delivery.

Exceptions: the coexistence domain below mail.onmicrosoft.com; the initial domain is DNS-12's.

Severity: high: receivers apply nothing where none or several records stand.
"""

from __future__ import annotations

from portero.core.checks.standing import Standing, judge_domains, txt_line
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.mail.conversation import converse
from portero.core.mail.dmarc_discovery import Discovery, Site, Standard, discover
from portero.core.text import Text


def _judge(posture: Posture) -> Verdict:
    return judge_domains(
        posture,
        _standing,
        lambda domains: Text(
            "Exactly one valid DMARC record applies to each domain: {domains}.", domains=domains
        ),
    )


def _standing(posture: Posture, domain: str) -> Standing:
    """Judge by both standards: receivers of both are in the field, and a record must serve them all."""
    dns = posture.dns
    found = [converse(dns, discover(domain, standard)) for standard in Standard]
    origins = tuple(dict.fromkeys(origin for each in found for origin in each.origins))
    several = [held.domain for each in found for held in each.walk if _counts(held.site, held.domain, each)]
    name = f"_dmarc.{several[0] if several else domain}"
    start = txt_line(name, f"v=DMARC1; p=none; rua=mailto:dmarc@{domain}")
    if several:
        answer = dns.lookup(name, "TXT")
        reason = Text("{name} publishes several DMARC records, which receivers discard", name=name)
        previous = tuple(txt_line(name, text) for text in answer.answers if text.startswith("v=DMARC1"))
        return Standing(
            domain, Outcome.FAIL, reason, origins, wanted=previous[:1] or (start,), previous=previous
        )
    unsure = [each for each in found if each.site in {Site.UNKNOWN, Site.FAILED}]
    if unsure:
        names = tuple(
            dict.fromkeys(
                f"_dmarc.{held.domain}"
                for each in unsure
                for held in each.walk
                if held.site in {Site.UNKNOWN, Site.FAILED} and held.domain not in each.presumed
            )
        )
        reason = Text(
            "which DMARC record applies to {domain} depends on {names}, of which the evidence holds no answer",
            domain=domain,
            names=names,
        )
        return Standing(domain, Outcome.UNKNOWN, reason, origins)
    if any(each.record is None for each in found):
        reason = Text("no DMARC record applies to {domain}", domain=domain)
        return Standing(domain, Outcome.FAIL, reason, origins, wanted=(start,))
    unusable = [each for each in found if each.record is not None and not each.record.usable]
    if unusable:
        record = unusable[0].record
        text = record.text if record is not None else ""
        name = f"_dmarc.{unusable[0].found_at}"
        reason = Text("the record at {name} names no valid policy", name=name)
        return Standing(
            domain, Outcome.FAIL, reason, origins,
            wanted=(txt_line(name, f"v=DMARC1; p=none; rua=mailto:dmarc@{domain}"),),
            previous=(txt_line(name, text),),
        )  # fmt: skip
    where = tuple(dict.fromkeys(f"_dmarc.{each.found_at}" for each in found))
    reason = Text("the DMARC record for {domain} stands at {names}", domain=domain, names=where)
    return Standing(domain, Outcome.PASS, reason, origins)


def _counts(site: Site, domain: str, discovery: Discovery) -> bool:
    """Tell whether several records at a name are in the way of this domain's policy."""
    if site is not Site.SEVERAL:
        return False
    return discovery.record is None or domain == discovery.domain


CHECK = Check(
    id="DNS-08",
    title=Text("Exactly one DMARC record applies to each domain"),
    severity=Severity.HIGH,
    needs=("dns", "domains"),
    judge=_judge,
    fix=Text("Publish one TXT record at _dmarc below the domain: v=DMARC1; p=none; rua=mailto:MAILBOX"),
    undo=Text("Publish the previous TXT record, or remove the new one."),
    maps={
        "SCuBA": "MS.EXO.4.1v1",
        "CIS": "2.1.10",
        "Maester": "CISA.MS.EXO.4.1, MT.1182",
        "Prowler": "defender_domain_dmarc_records_published",
        "NIST": "SI-8",
        "ATT&CK": "T1672, T1656",
    },
)
