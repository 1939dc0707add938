"""
The SPF record of every domain ends by failing whoever it does not name.

Before: a record ends in ?all or +all, or in nothing, or includes one that passes everyone; whoever is not named is not refused
either.

After: the record, followed through its redirects, ends in ~all or -all.

Mend: edit the last qualifier: ~all first, -all where DMARC reports show that nothing legitimate fails.

Verify: ask DNS for the record, and follow redirect= to the record that ends it.

May break: with -all some receivers refuse forwarded mail before they look at DKIM; DMARC reports show it as spf=fail with
dkim=pass.

Exceptions: record the position chosen for each domain; ~all beside an enforcing DMARC policy is as good as -all.

Severity: medium, and critical where the record passes everyone.
"""

from __future__ import annotations

from portero.core.checks.standing import (
    Standing,
    judge_domains,
    silence,
    txt_line,
    unanswered,
)
from portero.core.dns import Dns
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.mail.dmarc import effective_policy
from portero.core.mail.dmarc_discovery import Site
from portero.core.mail.dmarc_record import Policy
from portero.core.mail.spf_expansion import SpfExpansion, expansion
from portero.core.mail.spf_record import Qualifier, SpfRecord
from portero.core.text import Text


def _judge(posture: Posture) -> Verdict:
    return judge_domains(
        posture,
        _standing,
        lambda domains: Text(
            "The SPF record of each domain ends in ~all or -all: {domains}.", domains=domains
        ),
    )


def _standing(posture: Posture, domain: str) -> Standing:
    dns = posture.dns
    answer = dns.lookup(domain, "TXT")
    if unanswered(answer):
        return silence(domain, answer)
    found = expansion(dns, domain)
    record = found.root.record
    if record is None:
        reason = Text("{domain} has no single SPF record that could end by failing the rest", domain=domain)
        return Standing(domain, Outcome.FAIL, reason, found.origins)
    if found.open:
        reason = Text(
            "the SPF record of {domain} passes everyone by {terms}", domain=domain, terms=found.open
        )
        return _fault(domain, record, found, reason, Severity.CRITICAL)
    if not found.terminal_known:
        unseen = tuple(map(str, (*found.unknown, *found.failed)))
        reason = Text(
            "how the SPF record of {domain} ends depends on {questions}", domain=domain, questions=unseen
        )
        return Standing(domain, Outcome.UNKNOWN, reason, found.origins)
    if found.terminal is None:
        reason = Text("the SPF record of {domain} ends without all", domain=domain)
        return _fault(domain, record, found, reason, None)
    if found.terminal is Qualifier.NEUTRAL:
        reason = Text(
            "the SPF record of {domain} ends in ?all, which says nothing of the rest", domain=domain
        )
        return _fault(domain, record, found, reason, None)
    if found.terminal is Qualifier.SOFTFAIL:
        return _softfail(dns, domain, found)
    reason = Text("the SPF record of {domain} ends in -all", domain=domain)
    return Standing(domain, Outcome.PASS, reason, found.origins)


def _softfail(dns: Dns, domain: str, found: SpfExpansion) -> Standing:
    """~all leaves the decision to DMARC, so it is enough only where DMARC enforces."""
    dmarc = effective_policy(dns, domain)
    origins = tuple(dict.fromkeys((*found.origins, *dmarc.own.origins)))
    if dmarc.own.site in {Site.UNKNOWN, Site.FAILED}:
        reason = Text(
            "{domain} ends in ~all, and whether its DMARC policy enforces is not in the evidence",
            domain=domain,
        )
        return Standing(domain, Outcome.UNKNOWN, reason, origins)
    record = dmarc.own.record
    if record is None or dmarc.exact is None or record.applied(dmarc.exact) is Policy.NONE:
        reason = Text("{domain} ends in ~all, and no DMARC policy enforces what fails", domain=domain)
        return Standing(domain, Outcome.WARN, reason, origins)
    reason = Text("{domain} ends in ~all beside an enforcing DMARC policy", domain=domain)
    return Standing(domain, Outcome.PASS, reason, origins)


def _fault(
    domain: str, record: SpfRecord, found: SpfExpansion, reason: Text, severity: Severity | None
) -> Standing:
    # Where an include or a redirect is at fault, the domain's own record has nothing to edit but that term.
    own = not found.open or found.open[0].startswith(f"{domain}: ")
    if record.redirect is not None and record.all is None:
        own = False
    kept = [each.text for each in record.mechanisms if each.kind != "all"]
    modifiers = [f"{name}={value}" for name, value in record.modifiers]
    ended = " ".join(["v=spf1", *kept, "~all", *modifiers])
    wanted = (txt_line(domain, ended),) if own else ()
    return Standing(
        domain, Outcome.FAIL, reason, found.origins, severity, wanted, (txt_line(domain, record.text),)
    )


CHECK = Check(
    id="DNS-02",
    title=Text("SPF ends by failing the rest"),
    severity=Severity.MEDIUM,
    needs=("dns", "domains"),
    judge=_judge,
    fix=Text(
        "End the record in ~all, or in -all where nothing legitimate fails; take out what passes everyone."
    ),
    undo=Text("Publish the previous TXT record."),
    maps={
        "SCuBA": "MS.EXO.2.2v3",
        "CIS": "2.1.8",
        "NIST": "SI-8",
        "ATT&CK": "T1672",
    },
)
