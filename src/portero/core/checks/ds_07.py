"""
Names below our domains, as senders in the envelope, are each known or covered by DMARC.

Before: MatchSubDomains is true somewhere, and nobody knows whether Reject Direct Send follows it; or spoofs use names below ours, which
it does not look at.

After: MatchSubDomains is false everywhere, and each sub-domain used in an envelope is an accepted domain or covered by an enforcing policy.

Mend: DNS-09 with sp and np.

Verify: DMARC reports by sub-domain show no mail that passes without being ours.

May break: platforms on sub-domains; reports by header_from show them.

Exceptions: sub-domains delegated to a platform.

Severity: medium: it is what remains after DS-01.
"""

from __future__ import annotations

from portero.core.address import is_at_or_below
from portero.core.checks.origins import of_objects, of_senders
from portero.core.checks.standing import Standing, conclude
from portero.core.evidence import ConfigObject
from portero.core.exchange.settings import Absent, flag
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.mail.dmarc import effective_policy
from portero.core.mail.dmarc_discovery import Site
from portero.core.mail.dmarc_record import Policy
from portero.core.sender import DecidedBy
from portero.core.text import Text


def _judge(posture: Posture) -> Verdict:
    standings = [_domain(item) for item in posture.tenant.objects("Get-AcceptedDomain") or ()]
    accepted = {held.name for held in posture.settings.accepted_domains}
    used: dict[str, None] = {}
    for sender in posture.senders:
        used.update(dict.fromkeys(name for name in sender.mail_from_domains if name not in accepted))
    below = [name for name in used if any(is_at_or_below(name, mine) for mine in accepted)]
    standings += [_below(posture, name) for name in below]
    return conclude(
        standings,
        Text("Nothing below our domains sends that is not known or covered by DMARC."),
        Text("No domain was judged."),
    )


def _domain(item: ConfigObject) -> Standing:
    name, origins, matching = (
        str(item.properties.get("DomainName") or ""),
        of_objects([item]),
        flag(item, "MatchSubDomains"),
    )
    if isinstance(matching, Absent):
        return Standing(
            name, Outcome.UNKNOWN, Text("the export lacks MatchSubDomains of {domain}", domain=name), origins
        )
    if matching:
        reason = Text(
            "MatchSubDomains of {domain} is true, and whether Reject Direct Send follows it is not documented",
            domain=name,
        )
        return Standing(name, Outcome.WARN, reason, origins)
    return Standing(name, Outcome.PASS, Text("{domain} stands for itself alone", domain=name), origins)


def _below(posture: Posture, name: str) -> Standing:
    using = [each for each in posture.senders if name in each.mail_from_domains]
    origins = of_senders(using)
    if all(each.legitimate and each.decided_by is not DecidedBy.EVIDENCE for each in using):
        return Standing(name, Outcome.PASS, Text("{domain} is a registered sender's", domain=name), origins)
    policy = effective_policy(posture.dns, name)
    if policy.own.site in {Site.UNKNOWN, Site.FAILED}:
        reason = Text(
            "{domain} is used in envelopes, and its DMARC policy is not in the evidence", domain=name
        )
        return Standing(name, Outcome.UNKNOWN, reason, origins)
    if policy.exact is None or policy.exact is Policy.NONE:
        reason = Text("{domain} is used in envelopes, and no DMARC policy enforces for it", domain=name)
        return Standing(name, Outcome.WARN, reason, origins)
    return Standing(name, Outcome.PASS, Text("DMARC enforces for {domain}", domain=name), origins)


CHECK = Check(
    id="DS-07",
    title=Text("Sub-domain reach of the accepted-domain test is understood"),
    severity=Severity.MEDIUM,
    needs=("Get-AcceptedDomain", "mail", "dns"),
    judge=_judge,
    fix=Text("Publish sp=reject, or np=reject for names that do not exist, in the DMARC record (DNS-09)."),
    undo=Text("Publish the previous TXT record."),
    maps={"NIST": "SI-8", "ATT&CK": "T1672, T1583.001"},
)
