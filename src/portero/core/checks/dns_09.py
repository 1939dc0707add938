"""
The DMARC policy that takes effect is quarantine or reject for every name an attacker can use.

Before: the domain, the names below it or names that do not exist carry no policy or p=none, so a spoof that fails authentication
is delivered as if nothing were wrong.

After: p, and sp and np where they are published, ask for quarantine or reject, of all mail and not as a test.

Mend: step the policy from none to quarantine to reject, each for as long as a month of reports shows no legitimate sender that
fails.

Verify: ask DNS for the record; then send from outside without authentication and read dmarc=fail with the action taken.

May break: legitimate senders that are not aligned, mailing lists, forwarders: 30 days of DMARC reports by source, judged at the
policy aimed at, show which. Receivers keep the old record for its time to live.

Exceptions: records with an end date at a sub-domain, for a platform that is being mended. An own policy of reject does not close
Direct Send: see DS-01.

Severity: critical while Reject Direct Send is not known to be on, high after.
"""

from __future__ import annotations

from dataclasses import replace

from portero.core.checks.standing import Standing, judge_domains, txt_line
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.mail.dmarc import EffectivePolicy, effective_policy
from portero.core.mail.dmarc_discovery import Discovery, Site
from portero.core.mail.dmarc_record import DmarcRecord, Policy
from portero.core.text import Text


def _judge(posture: Posture) -> Verdict:
    # Until Reject Direct Send is known to be on, a policy is all that stands between a spoof and a mailbox.
    severity = Severity.HIGH if posture.settings.reject_direct_send is True else Severity.CRITICAL
    verdict = judge_domains(
        posture,
        _standing,
        lambda domains: Text(
            "The DMARC policy enforces for each domain and the names below it: {domains}.", domains=domains
        ),
    )
    weak = tuple(f"dmarc={domain}:reject" for domain in verdict.subjects)
    return replace(verdict, severity=severity, controls=weak)


def _standing(posture: Posture, domain: str) -> Standing:
    dns = posture.dns
    enough = Policy.REJECT if posture.limits.reject else Policy.QUARANTINE
    found = effective_policy(dns, domain)
    origins = tuple(dict.fromkeys((*found.own.origins, *found.below.origins)))
    if found.own.site in {Site.UNKNOWN, Site.FAILED}:
        return _unseen(domain, found.own)
    record = found.own.record
    if record is None or found.exact is None:
        reason = Text("no DMARC policy applies to {domain}", domain=domain)
        start = txt_line(f"_dmarc.{domain}", f"v=DMARC1; p=none; rua=mailto:dmarc@{domain}")
        return Standing(domain, Outcome.FAIL, reason, origins, wanted=(start,))
    if found.exact.strength < enough.strength:
        reason = Text("the policy for {domain} is {policy}", domain=domain, policy=found.exact.value)
        wanted, previous = _stricter(domain, found, record)
        return Standing(domain, Outcome.FAIL, reason, origins, wanted=wanted, previous=previous)
    if found.below.site in {Site.UNKNOWN, Site.FAILED}:
        return _unseen(domain, found.below)
    weakness = _weakness(domain, found)
    if weakness is not None:
        return Standing(domain, Outcome.WARN, weakness, origins)
    reason = Text("the policy for {domain} is {policy}", domain=domain, policy=found.exact.value)
    return Standing(domain, Outcome.PASS, reason, origins)


def _unseen(domain: str, discovery: Discovery) -> Standing:
    names = tuple(
        f"_dmarc.{held.domain}"
        for held in discovery.walk
        if held.site in {Site.UNKNOWN, Site.FAILED} and held.domain not in discovery.presumed
    )
    reason = Text(
        "the policy for {domain} depends on {names}, of which the evidence holds no answer",
        domain=domain,
        names=names,
    )
    return Standing(domain, Outcome.UNKNOWN, reason, discovery.origins)


def _weakness(domain: str, found: EffectivePolicy) -> Text | None:
    """Name what lets mail through although the policy enforces."""
    if found.testing:
        return Text("the policy for {domain} is marked as a test (t=y)", domain=domain)
    if found.percent < 100:
        return Text(
            "the policy for {domain} asks for {percent} % of the mail only",
            domain=domain,
            percent=found.percent,
        )
    exact = found.exact or Policy.NONE
    for policy, template in (
        (found.subdomain, Text("sub-domains of {domain} carry a weaker policy than it", domain=domain)),
        (
            found.nonexistent,
            Text("names below {domain} that do not exist carry a weaker policy", domain=domain),
        ),
    ):
        if (policy or Policy.NONE).strength < exact.strength:
            return template
    return None


def _stricter(
    domain: str, found: EffectivePolicy, record: DmarcRecord
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give the record one step stricter: none becomes quarantine, quarantine becomes reject."""
    step = Policy.QUARANTINE if found.exact is Policy.NONE else Policy.REJECT
    name = f"_dmarc.{found.own.found_at}"
    if found.own.inherited:
        # The record above serves others too, so the domain gets its own.
        reports = f"; rua={','.join(record.rua)}" if record.rua else ""
        return (txt_line(f"_dmarc.{domain}", f"v=DMARC1; p={step.value}{reports}"),), ()
    tags = {"p": step.value, **{tag: value for tag, value in record.tags if tag != "p"}}
    for tag in {"sp", "np"} & tags.keys():
        # What names below are asked for must not stay weaker than the domain itself.
        weaker = tags[tag].lower() not in set(Policy) or Policy(tags[tag].lower()).strength < step.strength
        tags[tag] = step.value if weaker else tags[tag]
    text = "; ".join(["v=DMARC1", *(f"{tag}={value}" for tag, value in tags.items())])
    return (txt_line(name, text),), (txt_line(name, record.text),)


CHECK = Check(
    id="DNS-09",
    title=Text("The effective DMARC policy is quarantine or reject for every name an attacker can use"),
    severity=Severity.CRITICAL,
    needs=("dns", "domains"),
    judge=_judge,
    fix=Text(
        "Step p from none to quarantine to reject, sub-domains first, and keep sp and np as strict as p."
    ),
    undo=Text("Publish the previous TXT record; receivers keep the new one for its time to live."),
    maps={
        "SCuBA": "MS.EXO.4.2v1",
        "CIS": "2.1.10",
        "Maester": "CISA.MS.EXO.4.2, MT.1182",
        "NIST": "SI-8",
        "ATT&CK": "T1672, T1656",
    },
)
