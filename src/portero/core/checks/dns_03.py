"""
The SPF record of every domain stays within the limits at which receivers stop evaluating it.

Before: a record and what it includes hold more than ten terms that ask DNS, or more than two that ask in vain, or include a
record that is broken; receivers answer permerror, and mail that SPF should carry fails DMARC.

After: at most ten such terms, at most two void ones, and no fault in any record included.

Mend: take out includes nobody uses any more; move platforms to sub-domains with records of their own; list fixed addresses.

Verify: count again from the published records, includes and all.

May break: a platform whose include was taken out while it still sends; the DMARC reports show it by platform.

Exceptions: none.

Severity: high: past the limit receivers answer permerror for all mail of the domain.
"""

from __future__ import annotations

from portero.core.checks.standing import Standing, judge_domains, silence, unanswered
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.mail.spf import MAX_LOOKUPS, MAX_VOIDS
from portero.core.mail.spf_expansion import SpfExpansion, expansion
from portero.core.text import Text

# From here on one more include of a vendor's is too many. Source: controls catalogue DNS-03.
NEAR = 9
# The size up to which an answer ought to fit in one UDP packet. Source: RFC 7208 section 3.4.
MAX_OCTETS = 450


def _judge(posture: Posture) -> Verdict:
    return judge_domains(
        posture,
        _standing,
        lambda domains: Text(
            "The SPF record of each domain stays within ten look-ups and two void ones: {domains}.",
            domains=domains,
        ),
        Text("No domain publishes a single SPF record to count in; DNS-01 says why."),
    )


def _standing(posture: Posture, domain: str) -> Standing:
    dns = posture.dns
    answer = dns.lookup(domain, "TXT")
    if unanswered(answer):
        return silence(domain, answer)
    found = expansion(dns, domain)
    if found.root.record is None:
        reason = Text("{domain} has no single SPF record", domain=domain)
        return Standing(domain, Outcome.NOT_APPLICABLE, reason, found.origins)
    fault = _over(domain, found)
    if fault is not None:
        return Standing(domain, Outcome.FAIL, fault, found.origins)
    unseen = (*found.unknown, *found.failed)
    if unseen:
        reason = Text(
            "the SPF record of {domain} leads to {questions}, of which the evidence holds no answer",
            domain=domain,
            questions=tuple(map(str, unseen)),
        )
        return Standing(domain, Outcome.UNKNOWN, reason, found.origins)
    if found.lookups >= NEAR:
        reason = Text(
            "the SPF record of {domain} needs {number} of ten look-ups: {costs}",
            domain=domain,
            number=found.lookups,
            costs=_costs(found),
        )
        return Standing(domain, Outcome.WARN, reason, found.origins)
    if len(found.root.records[0]) > MAX_OCTETS:
        reason = Text(
            "the SPF record of {domain} is {number} octets long, more than fits a small answer",
            domain=domain,
            number=len(found.root.records[0]),
        )
        return Standing(domain, Outcome.WARN, reason, found.origins)
    reason = Text(
        "the SPF record of {domain} needs {number} of ten look-ups", domain=domain, number=found.lookups
    )
    return Standing(domain, Outcome.PASS, reason, found.origins)


def _over(domain: str, found: SpfExpansion) -> Text | None:
    """Say what makes receivers answer permerror; what is not known could only add to it."""
    included = [fault for fault in found.faults if fault not in found.root.faults]
    if included:
        return Text(
            "the SPF record of {domain} is broken at {term}: {reason}",
            domain=domain,
            term=included[0].term,
            reason=included[0].reason,
        )
    if found.cut or found.lookups > MAX_LOOKUPS:
        return Text(
            "the SPF record of {domain} needs {number} look-ups and receivers stop at ten: {costs}",
            domain=domain,
            number=found.lookups,
            costs=_costs(found),
        )
    if found.voids > MAX_VOIDS:
        return Text(
            "the SPF record of {domain} asks in vain for {names}, and receivers stop after two",
            domain=domain,
            names=found.void_names,
        )
    return None


def _costs(found: SpfExpansion) -> tuple[str, ...]:
    """Give what each include costs with everything below it, dearest first."""
    costs = sorted(((child.lookups + 1, child.via) for child in found.root.children), reverse=True)
    return tuple(f"{via} {number}" for number, via in costs) or (found.root.domain,)


CHECK = Check(
    id="DNS-03",
    title=Text("SPF stays within evaluation limits"),
    severity=Severity.HIGH,
    needs=("dns", "domains"),
    judge=_judge,
    fix=Text(
        "Take unused includes out of the SPF record, or move their platforms to sub-domains of their own."
    ),
    undo=Text("Publish the previous TXT record."),
    maps={"NIST": "SI-8", "ATT&CK": "T1672"},
)
