"""
Every domain's mail enters at one kind of place, and each mail exchanger named still exists.

Before: a domain names mail exchangers at Microsoft and elsewhere at once, so that whoever chooses the Microsoft one walks around
the gateway; or it names a host that no longer resolves, which somebody else may come to own.

After: all of a domain's MX records point at Microsoft, or all at the gateway, or it has a null MX; every host named resolves.

Mend: remove the stray MX record.

Verify: ask DNS for the MX records and for the addresses of each host named.

May break: senders that keep the old records go on for their time to live; the trace shows them by source.

Exceptions: the window of a move from one place to the other.

Severity: high: a second mail exchanger is a public way around the gateway.
"""

from __future__ import annotations

from portero.core.checks.standing import (
    Standing,
    judge_domains,
    mx_line,
    origins_of,
    silence,
    unanswered,
)
from portero.core.dns import Dns, DnsAnswer
from portero.core.exchange.exchangers import Exchanger, MxPosture, mx_posture, read_exchangers
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text


def _judge(posture: Posture) -> Verdict:
    return judge_domains(
        posture,
        _standing,
        lambda domains: Text(
            "The mail of each domain enters at one kind of place, and its hosts resolve: {domains}.",
            domains=domains,
        ),
    )


def _standing(posture: Posture, domain: str) -> Standing:
    dns = posture.dns
    answer = dns.lookup(domain, "MX")
    if unanswered(answer):
        return silence(domain, answer)
    exchangers = read_exchangers(answer.answers)
    entering = mx_posture(exchangers)
    if entering is MxPosture.MIXED:
        return _mixed(domain, exchangers, answer)
    gone, unseen, asked = _resolved(dns, exchangers)
    origins = origins_of(answer, *asked)
    if gone:
        reason = Text(
            "{domain} names {hosts} as mail exchanger, which does not resolve",
            domain=domain,
            hosts=tuple(gone),
        )
        kept = tuple(mx_line(domain, each.text) for each in exchangers if each.host not in gone)
        return Standing(
            domain, Outcome.FAIL, reason, origins, None, kept, _lines(domain, exchangers) if kept else ()
        )
    if unseen:
        reason = Text(
            "whether {hosts}, mail exchanger of {domain}, resolves is not in the evidence",
            hosts=tuple(unseen),
            domain=domain,
        )
        return Standing(domain, Outcome.UNKNOWN, reason, origins)
    return Standing(domain, Outcome.PASS, _SAYS[entering](domain), origins)


_SAYS = {
    MxPosture.MICROSOFT: lambda domain: Text("the mail of {domain} enters at Microsoft", domain=domain),
    MxPosture.GATEWAY: lambda domain: Text("the mail of {domain} enters at a gateway", domain=domain),
    MxPosture.NULL: lambda domain: Text("{domain} says that it takes no mail", domain=domain),
    MxPosture.NONE: lambda domain: Text("{domain} names no mail exchanger", domain=domain),
}


def _mixed(domain: str, exchangers: tuple[Exchanger, ...], answer: DnsAnswer) -> Standing:
    """Take the place that is tried first for the intended one; the others are strays."""
    first = exchangers[0]
    kept = [
        each
        for each in exchangers
        if each.host and each.at_microsoft == first.at_microsoft and bool(first.host)
    ]
    strays = tuple(each.host or "." for each in exchangers if each not in kept)
    reason = Text(
        "{domain} names mail exchangers of two kinds; {hosts} is a second way in", domain=domain, hosts=strays
    )
    wanted = tuple(mx_line(domain, each.text) for each in kept)
    previous = _lines(domain, exchangers) if wanted else ()
    return Standing(domain, Outcome.FAIL, reason, origins_of(answer), Severity.HIGH, wanted, previous)


def _lines(domain: str, exchangers: tuple[Exchanger, ...]) -> tuple[str, ...]:
    return tuple(mx_line(domain, each.text) for each in exchangers)


def _resolved(dns: Dns, exchangers: tuple[Exchanger, ...]) -> tuple[list[str], list[str], list[DnsAnswer]]:
    """Sort hosts into those that do not resolve and those of which the evidence does not say."""
    gone: list[str] = []
    unseen: list[str] = []
    asked: list[DnsAnswer] = []
    for host in dict.fromkeys(each.host for each in exchangers if each.host):
        answers = [dns.lookup(host, kind) for kind in ("A", "AAAA")]
        asked += answers
        if any(answer.answers for answer in answers):
            continue
        (unseen if any(map(unanswered, answers)) else gone).append(host)
    return gone, unseen, asked


CHECK = Check(
    id="DNS-13",
    title=Text("MX posture is known and consistent"),
    severity=Severity.HIGH,
    needs=("dns", "domains"),
    judge=_judge,
    fix=Text("Remove the stray MX record."),
    undo=Text("Publish the previous MX records."),
    maps={"ORCA": "233", "NIST": "SC-20", "ATT&CK": "T1672, T1584.001"},
)
