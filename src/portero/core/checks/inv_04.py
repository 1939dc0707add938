"""
Every platform that mails as us is known, and its mail is aligned before a stricter policy comes.

Before: a platform sends under our domain with neither SPF nor DKIM aligned; a policy of quarantine or reject loses its mail.

After: each platform in the DMARC reports is registered and aligned.

Mend: publish the platform's DKIM aliases, or use its return path below our domain, or remove its include.

Verify: the reports of the next week show dkim or spf aligned for it.

May break: a platform that sends rarely loses its include; 90 days of reports and its owner's word come first.

Exceptions: platforms that send from a sub-domain delegated to them.

Severity: high before a change of policy, medium otherwise.
"""

from __future__ import annotations

from portero.core.checks.origins import of_senders
from portero.core.checks.standing import Standing, conclude
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.mail.dmarc import effective_policy
from portero.core.mail.dmarc_discovery import Site
from portero.core.mail.dmarc_record import Policy
from portero.core.sender import DecidedBy, Judgement, Kind, Sender
from portero.core.text import Text


def _judge(posture: Posture) -> Verdict:
    services = [
        each
        for each in posture.senders
        if each.kind is Kind.SERVICE and each.judgement is not Judgement.ABUSE
    ]
    if not services:
        return Verdict(Outcome.NOT_APPLICABLE, Text("No platform of others sends as us in this evidence."))
    if not posture.outside and not any(each.facts.dmarc for each in services):
        because = Text(
            "Whether the mail of platforms is aligned shows in DMARC reports, of which there are none."
        )
        return Verdict(Outcome.UNKNOWN, because, of_senders(services))
    return conclude(
        [_standing(posture, each) for each in services],
        Text("Every platform that sends as us is registered and aligned."),
        Text("No platform was judged."),
    )


def _standing(posture: Posture, sender: Sender) -> Standing:
    name, origins = str(sender.label), of_senders([sender])
    aligned = _aligned(posture, sender)
    if aligned is None:
        reason = Text("whether mail of {sender} is aligned is not in the evidence", sender=sender.label)
        return Standing(name, Outcome.UNKNOWN, reason, origins)
    if not aligned:
        enforced = [_enforced(posture, domain) for domain in sender.header_from_domains]
        reason = Text("mail of {sender} is aligned neither by SPF nor by DKIM", sender=sender.label)
        if True in enforced:
            return Standing(name, Outcome.FAIL, reason, origins, Severity.HIGH)
        return Standing(name, Outcome.UNKNOWN if None in enforced else Outcome.WARN, reason, origins)
    if sender.decided_by is DecidedBy.EVIDENCE or not sender.owner:
        reason = Text("{sender} is aligned, and nobody has registered it", sender=sender.label)
        return Standing(name, Outcome.WARN, reason, origins)
    return Standing(
        name, Outcome.PASS, Text("{sender} is registered and aligned", sender=sender.label), origins
    )


def _aligned(posture: Posture, sender: Sender) -> bool | None:
    """Tell whether any mail of a sender was aligned, by others' receivers or ours; None where nobody says."""
    addresses = {text.partition("/")[0] for text in sender.client_networks}
    rows = [row for row in posture.outside if row.source_ip in addresses]
    if rows:
        return any(row.aligned_spf or row.aligned_dkim for row in rows)
    if sender.facts.dmarc:
        return any(result.startswith("pass") for result in sender.facts.dmarc)
    return None


def _enforced(posture: Posture, domain: str) -> bool | None:
    found = effective_policy(posture.dns, domain)
    if found.own.site in {Site.UNKNOWN, Site.FAILED}:
        return None
    return found.exact is not None and found.exact is not Policy.NONE


CHECK = Check(
    id="INV-04",
    title=Text("Third-party platforms sending as us are reconciled across DMARC reports, SPF and DKIM"),
    severity=Severity.MEDIUM,
    needs=("mail", "domains", "dns"),
    judge=_judge,
    fix=Text(
        "For each platform: publish its DKIM CNAMEs, use its custom return path below our domain, or remove its include."
    ),
    undo=Text("Publish the previous TXT and CNAME records."),
    maps={"CIS": "2.1.8, 2.1.10", "SCuBA": "MS.EXO.2.2v3", "NIST": "SA-9", "ATT&CK": "T1199, T1672"},
)
