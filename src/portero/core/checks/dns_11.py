"""
Domains that send no mail say so to every receiver.

Before: a domain that is only kept, or only receives, publishes no SPF or DMARC record; anybody may write as it.

After: it publishes v=spf1 -all and a DMARC policy of reject; one that takes no mail either has a null MX.

Mend: publish the records.

Verify: ask DNS for them.

May break: a domain wrongly taken for one that does not send: INV-03 shows what it sends.

Exceptions: domains being sold.

Severity: medium: names that nobody watches are the easiest to borrow.
"""

from __future__ import annotations

from portero.core.address import a_label
from portero.core.checks.standing import Standing, judge_domains, origins_of, silence, txt_line, unanswered
from portero.core.exchange.settings import flag
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.mail.dmarc import effective_policy
from portero.core.mail.dmarc_discovery import Site
from portero.core.mail.dmarc_record import Policy
from portero.core.mail.spf_record import is_spf
from portero.core.text import Text


def _judge(posture: Posture) -> Verdict:
    return judge_domains(
        posture,
        _standing,
        lambda domains: Text("Of {domains}, those that do not send are shut.", domains=domains),
        Text("No domain is known not to send: none has sending switched off or a null MX."),
    )


def _standing(posture: Posture, domain: str) -> Standing:
    mx = posture.dns.lookup(domain, "MX")
    parked = bool(mx.answers) and all(text.split()[-1] == "." for text in mx.answers if text.split())
    if not parked and not _closed(posture, domain):
        if unanswered(mx):
            return silence(domain, mx)
        reason = Text("{domain} may send", domain=domain)
        return Standing(domain, Outcome.NOT_APPLICABLE, reason, origins_of(mx))
    spf = posture.dns.lookup(domain, "TXT")
    if unanswered(spf):
        return silence(domain, spf)
    dmarc = effective_policy(posture.dns, domain)
    if dmarc.own.site in {Site.UNKNOWN, Site.FAILED}:
        reason = Text("which DMARC record applies to {domain} is not in the evidence", domain=domain)
        return Standing(domain, Outcome.UNKNOWN, reason, dmarc.own.origins)
    records = [text for text in spf.answers if is_spf(text)]
    shut = len(records) == 1 and records[0].split() == ["v=spf1", "-all"]
    rejects = dmarc.exact is Policy.REJECT
    origins = tuple(dict.fromkeys((*origins_of(mx, spf), *dmarc.own.origins)))
    if shut and rejects:
        return Standing(domain, Outcome.PASS, Text("{domain} is shut", domain=domain), origins)
    wanted, previous = [], []
    if not shut:
        wanted.append(txt_line(domain, "v=spf1 -all"))
        previous += [txt_line(domain, text) for text in records]
    if not rejects:
        wanted.append(txt_line(f"_dmarc.{domain}", "v=DMARC1; p=reject"))
        if dmarc.own.record is not None and dmarc.own.found_at == domain:
            previous.append(txt_line(f"_dmarc.{domain}", dmarc.own.record.text))
    missing = not records or dmarc.own.record is None
    reason = Text("{domain} does not send, and its records do not say so", domain=domain)
    outcome = Outcome.FAIL if missing or not (shut or rejects) else Outcome.WARN
    return Standing(domain, outcome, reason, origins, None, tuple(wanted), tuple(previous))


def _closed(posture: Posture, domain: str) -> bool:
    return any(
        flag(item, "SendingFromDomainDisabled") is True
        for item in posture.tenant.objects("Get-AcceptedDomain") or ()
        if a_label(str(item.properties.get("DomainName") or "")) == domain
    )


CHECK = Check(
    id="DNS-11",
    title=Text("Parked and receive-only domains are shut"),
    severity=Severity.MEDIUM,
    needs=("dns", "domains", "Get-AcceptedDomain"),
    judge=_judge,
    fix=Text("Publish v=spf1 -all and v=DMARC1; p=reject; a parked domain also a null MX (0 .)."),
    undo=Text("Publish the previous records again, or remove the new ones."),
    maps={
        "CIS": "2.1.10 (parked domains)",
        "Maester": "issue 1739",
        "NIST": "SI-8",
        "ATT&CK": "T1672, T1583.001",
    },
)
