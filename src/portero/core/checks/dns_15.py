"""
No record of ours leads to a name that nobody holds.

Before: SPF includes, MX records, DKIM aliases or report addresses name a domain that has lapsed; whoever registers it passes SPF, signs,
or takes our mail.

After: every name that our mail records lead to exists.

Mend: remove the reference.

Verify: ask DNS for each name again.

May break: by definition nothing alive depends on it; DMARC reports confirm it.

Exceptions: none.

Severity: high: the price of being us is that of a domain.
"""

from __future__ import annotations

from collections.abc import Iterator

from portero.core.address import a_label
from portero.core.checks.standing import (
    Standing,
    judge_domains,
    mx_line,
    origins_of,
    silence,
    txt_line,
    unanswered,
)
from portero.core.dns import DnsAnswer, DnsStatus
from portero.core.exchange.exchangers import read_exchangers
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.mail.dmarc import effective_policy
from portero.core.mail.dmarc_record import mailto_domain
from portero.core.mail.spf_expansion import SpfNode, expansion
from portero.core.text import Text


def _judge(posture: Posture) -> Verdict:
    return judge_domains(
        posture,
        _standing,
        lambda domains: Text(
            "Every name that the mail records of {domains} lead to exists.", domains=domains
        ),
    )


def _standing(posture: Posture, domain: str) -> Standing:
    own = [posture.dns.lookup(domain, kind) for kind in ("TXT", "MX")]
    for answer in own:
        if unanswered(answer):
            return silence(domain, answer)
    gone: list[Text] = []
    ways: list[tuple[str, str]] = []
    void: list[Text] = []
    unseen: list[str] = []
    for via, answers in _targets(posture, domain):
        name = answers[0].name
        if any(answer.answers for answer in answers):
            continue
        if any(answer.status is DnsStatus.NXDOMAIN for answer in answers):
            gone.append(Text("{name} ({via})", name=name, via=via))
            ways.append((via, name))
        elif any(map(unanswered, answers)):
            unseen.append(name)
        else:
            void.append(Text("{name} ({via})", name=name, via=via))
    origins = origins_of(*own)
    if gone:
        reason = Text("{domain} leads to names that do not exist: {names}", domain=domain, names=tuple(gone))
        wanted, previous = _without(posture, domain, ways)
        return Standing(domain, Outcome.FAIL, reason, origins, wanted=wanted, previous=previous)
    if unseen:
        reason = Text(
            "whether {names}, to which {domain} leads, exist is not in the evidence",
            names=tuple(dict.fromkeys(unseen)),
            domain=domain,
        )
        return Standing(domain, Outcome.UNKNOWN, reason, origins)
    if void:
        reason = Text(
            "{domain} leads to names without the record asked for: {names}", domain=domain, names=tuple(void)
        )
        return Standing(domain, Outcome.WARN, reason, origins)
    return Standing(
        domain, Outcome.PASS, Text("every name that {domain} leads to exists", domain=domain), origins
    )


def _without(
    posture: Posture, domain: str, gone: list[tuple[str, str]]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """
    Write our own SPF and MX records without what leads nowhere, and those they take the place of.

    None at all where some of it is in another's record, or would leave no record: then a person must choose.
    """
    record = expansion(posture.dns, domain).root.record
    exchangers = posture.dns.lookup(domain, "MX").answers
    vias, hosts = {via for via, _ in gone}, {name for via, name in gone if via == "MX"}
    terms = {each.text for each in record.mechanisms} if record else set()
    if not all(via == "MX" or via in terms for via in vias):
        return (), ()
    wanted: list[str] = []
    previous: list[str] = []
    if record and vias & terms:
        wanted.append(txt_line(domain, " ".join(term for term in record.text.split() if term not in vias)))
        previous.append(txt_line(domain, record.text))
    if hosts:
        kept = [text for text in exchangers if a_label(text.split()[-1]) not in hosts]
        if not kept:
            return (), ()
        wanted += [mx_line(domain, text) for text in kept]
        previous += [mx_line(domain, text) for text in exchangers]
    return tuple(wanted), tuple(previous)


def _targets(posture: Posture, domain: str) -> Iterator[tuple[str, list[DnsAnswer]]]:
    """Give what leads away from a domain's records, and the answers that say whether it exists."""
    ask = posture.dns.lookup
    for node in _nodes(expansion(posture.dns, domain).root):
        if node.via:
            yield node.via, [ask(node.domain, "TXT")]
    for each in read_exchangers(ask(domain, "MX").answers):
        if each.host:
            yield "MX", [ask(each.host, "A"), ask(each.host, "AAAA")]
    for selector in ("selector1", "selector2"):
        for alias in ask(f"{selector}._domainkey.{domain}", "CNAME").answers:
            yield f"{selector} CNAME", [ask(a_label(alias), "TXT")]
    record = effective_policy(posture.dns, domain).own.record
    for uri in record.rua if record else ():
        target = mailto_domain(uri)
        if target and target != domain:
            yield "rua", [ask(target, "MX"), ask(target, "A")]


def _nodes(node: SpfNode) -> list[SpfNode]:
    return [node, *(held for child in node.children for held in _nodes(child))]


CHECK = Check(
    id="DNS-15",
    title=Text("No dangling names in the mail DNS"),
    severity=Severity.HIGH,
    needs=("dns", "domains"),
    judge=_judge,
    fix=Text("Remove the reference to the name that does not exist."),
    undo=Text("Publish the previous record."),
    maps={"NIST": "CM-8, SI-2", "ATT&CK": "T1584.001, T1583.001"},
)
