"""SPF answers for many clients are those that each would get by itself, whatever the record holds."""

from __future__ import annotations

import random
from ipaddress import IPv4Address, IPv6Address

import pytest

from portero.core.dns import Dns, DnsAnswer, DnsStatus
from portero.core.mail import spf_answers
from portero.core.mail.spf import SpfResult, evaluate
from portero.core.mail.spf_answers import SpfAnswers

# Narrow ground, so that random clients stand on both sides of every edge.
ADDRESSES = [
    *(str(IPv4Address(0xC0000200 + n)) for n in range(40)),
    *(str(IPv6Address((0x20010DB8 << 96) + n)) for n in range(20)),
    "198.51.100.7",
    "::ffff:0:1",
]
TERMS = (
    "ip4:192.0.2.8/29", "-ip4:192.0.2.10", "?ip4:192.0.2.0/28", "~ip4:192.0.2.16/30", "ip6:2001:db8::4/126",
    "-ip6:2001:db8::8/125", "a", "a/30", "a:host.example//126", "mx", "-mx:host.example/29", "include:other.example",
    "-include:other.example", "include:unrecorded.example", "a:unrecorded.example", "a:failing.example", "+all", "-all",
    "~all", "?all", "exists:%{i}.list.example", "include:%{d2}", "exists:host.example", "ptr", "redirect=other.example",
    "include:contoso.example", "a:gone.example", "mx:gone.example", "include:gone.example", "wrong:term",
)  # fmt: skip


def zone(chance: random.Random) -> Dns:
    def record() -> str:
        return " ".join(("v=spf1", *chance.sample(TERMS, chance.randrange(1, 7))))

    held = {
        ("contoso.example", "TXT"): (record(),),
        ("other.example", "TXT"): (record(),),
        ("contoso.example", "A"): ("192.0.2.20",),
        ("contoso.example", "AAAA"): ("2001:db8::2",),
        ("host.example", "A"): ("192.0.2.33", "192.0.2.4"),
        ("host.example", "AAAA"): ("2001:db8::10", "::ffff:192.0.2.5"),
        ("contoso.example", "MX"): ("10 host.example.", "20 contoso.example."),
        ("host.example", "MX"): ("10 host.example.",),
        ("192.0.2.3.list.example", "A"): ("127.0.0.2",),
    }
    answers = [DnsAnswer(name, kind, DnsStatus.NOERROR, found) for (name, kind), found in held.items()]
    answers += [
        DnsAnswer("gone.example", kind, DnsStatus.NXDOMAIN, ()) for kind in ("A", "AAAA", "MX", "TXT")
    ]
    answers += [DnsAnswer("failing.example", kind, DnsStatus.SERVFAIL, ()) for kind in ("A", "AAAA")]
    return Dns(answers)


@pytest.mark.parametrize("seed", range(300))
def test_answers_are_those_of_each_client_by_itself(seed: int) -> None:
    chance = random.Random(seed)
    dns = zone(chance)
    answers = SpfAnswers(dns)
    chance.shuffle(ADDRESSES)
    for domain in ("contoso.example", "other.example"):
        for address in ADDRESSES:
            alone = evaluate(dns, address, domain, f"postmaster@{domain}", domain).result
            assert answers.of(address, domain) is alone, (seed, domain, address, dns.lookup(domain, "TXT"))


def test_between_two_edges_one_evaluation_answers_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    dns = Dns([DnsAnswer("a.example", "TXT", DnsStatus.NOERROR, ("v=spf1 ip4:192.0.2.0/25 -all",))])
    asked = []

    def counted(held: Dns, address: str, *rest: str) -> object:
        asked.append(address)
        return evaluate(held, address, *rest)

    monkeypatch.setattr(spf_answers, "evaluate", counted)
    answers = SpfAnswers(dns)
    found = {f"192.0.2.{n}": answers.of(f"192.0.2.{n}", "a.example") for n in range(256)}
    assert list(found.values()) == [SpfResult.PASS] * 128 + [SpfResult.FAIL] * 128
    assert asked == ["192.0.2.0", "192.0.2.128"]
    assert answers.of("2001:db8::1", "a.example") is SpfResult.FAIL
    assert len(asked) == 3
