"""
Whoever sends us mail insists on TLS to the hosts we name, and tells us when that fails.

Before: nobody on the line between two mail servers is kept from reading along, or from answering for our host.

After: the policy is enforced and lists every mail exchanger; reports on TLS go to a mailbox that is read.

Mend: publish the records and the policy with mode testing, and raise it to enforce when two weeks of reports show no failure.

Verify: ask DNS for _mta-sts and _smtp._tls; fetch the policy and hand it over as a file named mta-sts.DOMAIN.txt.

May break: a wrong list of hosts makes senders hold mail back; testing shows it first.

Exceptions: none; a gateway that takes no TLS has to be replaced first.

Severity: low, and medium where the policy leaves out a live host: it protects the way, not the sender.
"""

from __future__ import annotations

from portero.core.checks.standing import Standing, judge_domains, origins_of, silence, txt_line, unanswered
from portero.core.dns import DnsAnswer
from portero.core.evidence import Origin
from portero.core.exchange.exchangers import read_exchangers
from portero.core.exchange.settings import prop
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.mail.transport import StsPolicy, parse_sts_policy, parse_sts_record, parse_tls_reporting
from portero.core.text import Text

# What the source of policy files calls them.
POLICIES = "mta-sts-policy"


def _judge(posture: Posture) -> Verdict:
    return judge_domains(
        posture,
        _standing,
        lambda domains: Text("Senders insist on TLS to {domains} and report on it.", domains=domains),
        Text("No domain takes mail."),
    )


def _standing(posture: Posture, domain: str) -> Standing:
    mx = posture.dns.lookup(domain, "MX")
    if unanswered(mx):
        return silence(domain, mx)
    hosts = [each.host for each in read_exchangers(mx.answers) if each.host]
    if not hosts:
        return Standing(
            domain, Outcome.NOT_APPLICABLE, Text("{domain} takes no mail", domain=domain), origins_of(mx)
        )
    record, reporting = (posture.dns.lookup(f"{name}.{domain}", "TXT") for name in ("_mta-sts", "_smtp._tls"))
    if unanswered(record):
        return silence(domain, record)
    origins = origins_of(mx, record, reporting)
    published = [held for held in map(parse_sts_record, record.answers) if held is not None]
    if len(published) != 1 or published[0].faults:
        reason = (
            Text("{domain} publishes no MTA-STS record", domain=domain)
            if not published
            else Text("the MTA-STS record of {domain} is not valid, or not the only one", domain=domain)
        )
        return Standing(domain, Outcome.FAIL, reason, origins)
    policy, place = _policy(posture, domain)
    if policy is None:
        reason = Text("the MTA-STS policy of {domain} is not among the evidence", domain=domain)
        return Standing(domain, Outcome.UNKNOWN, reason, origins)
    return _by_policy(domain, hosts, policy, reporting, (*origins, *place))


def _by_policy(
    domain: str, hosts: list[str], policy: StsPolicy, reporting: DnsAnswer, origins: tuple[Origin, ...]
) -> Standing:
    left_out = tuple(host for host in hosts if not any(_matches(host, pattern) for pattern in policy.mx))
    if policy.mode == "enforce" and left_out:
        reason = Text("the MTA-STS policy of {domain} leaves out {hosts}", domain=domain, hosts=left_out)
        return Standing(domain, Outcome.FAIL, reason, origins, Severity.MEDIUM)
    if policy.faults:
        reason = Text(
            "the MTA-STS policy of {domain} is faulty: {faults}", domain=domain, faults=policy.faults
        )
        return Standing(domain, Outcome.FAIL, reason, origins)
    if policy.mode != "enforce":
        reason = Text(
            "the MTA-STS policy of {domain} is in mode {mode}", domain=domain, mode=policy.mode or "?"
        )
        return Standing(domain, Outcome.WARN, reason, origins)
    if unanswered(reporting):
        return silence(domain, reporting)
    if not any(held is not None and held.rua for held in map(parse_tls_reporting, reporting.answers)):
        reason = Text("{domain} asks nobody for reports on TLS", domain=domain)
        name = f"_smtp._tls.{domain}"
        return Standing(
            domain,
            Outcome.WARN,
            reason,
            origins,
            wanted=(txt_line(name, f"v=TLSRPTv1; rua=mailto:tls-reports@{domain}"),),
            previous=tuple(txt_line(name, text) for text in reporting.answers),
        )
    return Standing(domain, Outcome.PASS, Text("senders insist on TLS to {domain}", domain=domain), origins)


def _policy(posture: Posture, domain: str) -> tuple[StsPolicy | None, tuple[Origin, ...]]:
    for item in posture.tenant.objects(POLICIES) or ():
        if str(prop(item, "Domain")).casefold() == domain:
            return parse_sts_policy(str(prop(item, "Text"))), (item.origin,)
    return None, ()


def _matches(host: str, pattern: str) -> bool:
    """A star stands for exactly one label. Source: RFC 8461 section 4.1; RFC 6125 section 6.4.3."""
    return host == pattern or (pattern.startswith("*.") and host.partition(".")[2] == pattern[2:])


CHECK = Check(
    id="DNS-14",
    title=Text("MTA-STS is enforced and TLS reports arrive"),
    severity=Severity.LOW,
    needs=("dns", "domains", "Get-AcceptedDomain"),
    judge=_judge,
    fix=Text(
        "Publish the policy at https://mta-sts.DOMAIN/.well-known/mta-sts.txt and the records _mta-sts and _smtp._tls; raise mode from testing to enforce after two weeks of reports."
    ),
    undo=Text("Set mode to none and give the record _mta-sts a new id."),
    maps={"CIPP": "domain analyser", "NIST": "SC-8", "ATT&CK": "T1557"},
)
