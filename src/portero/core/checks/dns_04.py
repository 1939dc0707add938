"""
The SPF record of every domain lets in the senders it needs and not half a cloud.

Before: terms let in a million addresses besides those of known platforms, or go by ptr, or pass everyone inside an include.

After: fewer than 2^20 IPv4 addresses besides known platforms, no ptr, no +all anywhere.

Mend: narrow the term to the addresses used, or drop it; move a platform to a sub-domain.

Verify: expand the record again and count.

May break: a platform that was taken out while it still sends; DMARC reports show it.

Exceptions: platforms that publish wide ranges, where their DKIM signature is aligned.

Severity: medium: whoever rents an address there passes SPF as us.
"""

from __future__ import annotations

import ipaddress

from portero.core.address import is_at_or_below, parse_network
from portero.core.checks.standing import Standing, judge_domains, silence, txt_line, unanswered
from portero.core.dns import Dns
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.mail.spf_expansion import SpfExpansion, SpfNode, expansion
from portero.core.text import Text

# Platforms whose published ranges are theirs and wide. As of November 2026, from their own set-up pages.
_PLATFORMS = (
    "spf.protection.outlook.com", "_spf.google.com", "amazonses.com", "sendgrid.net", "servers.mcsv.net",
    "spf.mandrillapp.com", "_spf.salesforce.com", "mailgun.org", "spf.mtasv.net", "pphosted.com", "mimecast.com",
)  # fmt: skip


def _judge(posture: Posture) -> Verdict:
    return judge_domains(
        posture,
        _standing,
        lambda domains: Text(
            "The SPF record of each domain lets in no more than is needed: {domains}.", domains=domains
        ),
        Text("No domain publishes a single SPF record; DNS-01 says why."),
    )


def _standing(posture: Posture, domain: str) -> Standing:
    answer = posture.dns.lookup(domain, "TXT")
    if unanswered(answer):
        return silence(domain, answer)
    found = expansion(posture.dns, domain)
    record = found.root.record
    if record is None:
        reason = Text("{domain} has no single SPF record", domain=domain)
        return Standing(domain, Outcome.NOT_APPLICABLE, reason, found.origins)
    pointers = tuple(
        term for term in found.macros if term.partition(": ")[2].lstrip("+?~-").startswith("ptr")
    )
    if found.open or pointers:
        reason = Text(
            "the SPF record of {domain} lets in whom it cannot know, by {terms}",
            domain=domain,
            terms=(*found.open, *pointers),
        )
        kept = [each.text for each in record.mechanisms if each.kind not in {"ptr", "all"}]
        end = "~all" if record.all is None or found.open else record.all.text
        wanted = (txt_line(domain, " ".join(["v=spf1", *kept, end])),)
        return Standing(
            domain, Outcome.FAIL, reason, found.origins, None, wanted, (txt_line(domain, record.text),)
        )
    number = _addresses(posture.dns, found)
    if number > posture.limits.spf_addresses:
        reason = Text(
            "the SPF record of {domain} lets in {number} IPv4 addresses besides known platforms",
            domain=domain,
            number=number,
        )
        return Standing(domain, Outcome.FAIL, reason, found.origins)
    unseen = (*found.unknown, *found.failed)
    if unseen:
        reason = Text(
            "the SPF record of {domain} leads to {questions}, of which the evidence holds no answer",
            domain=domain,
            questions=tuple(map(str, unseen)),
        )
        return Standing(domain, Outcome.UNKNOWN, reason, found.origins)
    if found.macros:
        reason = Text(
            "whom the SPF record of {domain} lets in by {terms} cannot be listed",
            domain=domain,
            terms=found.macros,
        )
        return Standing(domain, Outcome.WARN, reason, found.origins)
    reason = Text("the SPF record of {domain} is narrow", domain=domain)
    return Standing(domain, Outcome.PASS, reason, found.origins)


def _addresses(dns: Dns, found: SpfExpansion) -> int:
    """Count the IPv4 addresses that pass, without those of known platforms."""
    theirs = {
        network
        for node in _nodes(found.root)
        if _platform(node.domain)
        for network in expansion(dns, node.domain).networks
    }
    networks = [parse_network(text) for text in found.networks if text not in theirs]
    four = [network for network in networks if isinstance(network, ipaddress.IPv4Network)]
    return sum(network.num_addresses for network in ipaddress.collapse_addresses(four))


def _platform(domain: str) -> bool:
    return any(is_at_or_below(domain, name) for name in _PLATFORMS)


def _nodes(node: SpfNode) -> list[SpfNode]:
    return [node, *(held for child in node.children for held in _nodes(child))]


CHECK = Check(
    id="DNS-04",
    title=Text("SPF authorises no more than needed"),
    severity=Severity.MEDIUM,
    needs=("dns", "domains"),
    judge=_judge,
    fix=Text("Narrow or drop the term that lets in more than is needed."),
    undo=Text("Publish the previous TXT record."),
    maps={"NIST": "AC-6, SI-8", "ATT&CK": "T1672, T1583.003"},
)
