"""The linter never disagrees with the evaluator, on the OpenSPF suite and on cases of our own."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from portero.core.dns import Dns, DnsAnswer, DnsStatus
from portero.core.mail.spf import SpfResult, evaluate
from portero.core.mail.spf_lint import Soundness, lint
from support.suite_dns import SHARED, SuiteDns, openspf_zone, shared

SUITE = "suites/rfc7208-tests.yml"
DEFINITE = {"pass", "fail", "softfail", "neutral", "none"}


def cases() -> list[tuple[dict[str, Any], str, set[str]]]:
    found = []
    for scenario in yaml.safe_load_all((SHARED / SUITE).read_text("latin-1")):
        for name, case in scenario["tests"].items():
            allowed = case["result"] if isinstance(case["result"], list) else [case["result"]]
            found.append((scenario, name, set(allowed)))
    return found


def test_no_disagreement_with_the_suite() -> None:
    shared(SUITE)
    said: Counter[tuple[str, str]] = Counter()
    wrong = []
    for scenario, name, allowed in cases():
        if "temperror" in allowed:
            continue  # DNS's fault, and no record's
        case = scenario["tests"][name]
        domain = case["mailfrom"].rpartition("@")[2] if case["mailfrom"] else case["helo"]
        found = lint(openspf_zone(scenario["zonedata"]), domain).soundness
        expected = "permerror" if "permerror" in allowed else "definite"
        said[found.value, expected] += 1
        # Where the RFC leaves both open, either is right.
        against = {Soundness.UNKNOWN}
        against |= {Soundness.SOUND} if allowed == {"permerror"} else set()
        against |= {Soundness.BROKEN} if "permerror" not in allowed else set()
        if found in against or (found is Soundness.NONE) != (allowed == {"none"}):
            wrong.append((name, found.value, allowed))
    assert wrong == []
    assert sum(said.values()) == 198
    # Saying "partly" of everything would disagree with nobody; few of these cases depend on the client at all.
    assert said["broken", "permerror"] == 71
    assert said["partly", "permerror"] + said["partly", "definite"] == 8


def zone(**records: str) -> Dns:
    answers = [
        DnsAnswer(f"{name}.example", "TXT", DnsStatus.NOERROR, (text,)) for name, text in records.items()
    ]
    hosts = [DnsAnswer(f"h{number}.example", "A", DnsStatus.NXDOMAIN) for number in range(4)]
    hosts += [DnsAnswer(f"h{number}.example", "AAAA", DnsStatus.NXDOMAIN) for number in range(4)]
    return Dns([*answers, *hosts, DnsAnswer("gone.example", "TXT", DnsStatus.NXDOMAIN)])


MANY = " ".join(f"include:i{number}.example" for number in range(11))
EMPTY = {f"i{number}": "v=spf1 ?all" for number in range(11)}


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ({"a": "v=spf1 ip4:192.0.2.0/24 -all"}, "sound"),
        ({"a": "v=spf1 ip4:192.0.2 -all"}, "broken"),
        ({"a": "v=spf1 include:gone.example -all"}, "broken"),
        ({"a": "v=spf1 ip4:192.0.2.0/24 include:gone.example -all"}, "partly"),
        ({"a": "v=spf1 -all include:gone.example"}, "sound"),
        ({"a": "v=spf1 redirect=gone.example"}, "broken"),
        ({"a": "v=spf1 ip4:192.0.2.1 redirect=gone.example"}, "partly"),
        ({"a": "v=spf1 include:a.example -all"}, "broken"),
        ({"a": f"v=spf1 {MANY} -all", **EMPTY}, "broken"),
        ({"a": f"v=spf1 ip4:192.0.2.1 {MANY} -all", **EMPTY}, "partly"),
        ({"a": f"v=spf1 {MANY} -all", **EMPTY, "i0": "v=spf1 +all"}, "sound"),
        ({"a": "v=spf1 a:h0.example a:h1.example a:h2.example -all"}, "broken"),
        ({"a": "v=spf1 a:h0.example a:h1.example -all"}, "sound"),
        ({"a": "v=spf1 include:%{d}.x.example -all"}, "partly"),
        ({"a": "v=spf1 include:elsewhere.example -all"}, "unknown"),
        ({"b": "v=spf1 -all"}, "unknown"),
    ],
)
def test_cases_of_our_own(records: dict[str, str], expected: str) -> None:
    assert lint(zone(**records), "a.example").soundness == expected


def test_two_records_are_broken_and_none_is_none() -> None:
    two = Dns([DnsAnswer("a.example", "TXT", DnsStatus.NOERROR, ("v=spf1 -all", "v=spf1 ~all"))])

    assert lint(two, "a.example").soundness is Soundness.BROKEN
    assert lint(zone(), "gone.example").soundness is Soundness.NONE
    assert lint(zone(), "example").soundness is Soundness.NONE


TERMS = st.sampled_from(
    [
        "ip4:192.0.2.0/24", "ip6:2001:db8::/32", "a", "a:h1.example", "mx", "mx:n1.example", "exists:h1.example",
        "exists:none.example", "include:n1.example", "include:n2.example", "include:none.example", "ptr", "-all", "~all",
        "+all", "?include:n2.example", "a:none.example", "a:void.example", "moo", "redirect=n1.example", "redirect=n2.example",
        "include:%{l}.example", "exists:%{i}.example",
    ]
)  # fmt: skip


@given(st.lists(TERMS, max_size=8), st.lists(TERMS, max_size=5), st.lists(TERMS, max_size=3))
def test_on_random_zones_sound_is_never_permerror_and_broken_always(
    one: list[str], two: list[str], three: list[str]
) -> None:
    dns = SuiteDns(
        {
            ("d.example", "TXT"): [" ".join(["v=spf1", *one])],
            ("n1.example", "TXT"): [" ".join(["v=spf1", *two])],
            ("n2.example", "TXT"): [" ".join(["v=spf1", *three])],
            ("h1.example", "A"): ["192.0.2.7"],
            ("d.example", "MX"): ["10 h1.example"],
            ("n1.example", "MX"): [f"{number} h1.example" for number in range(12)],
            ("x.void.example", "A"): ["192.0.2.1"],
        }
    )
    found = lint(dns, "d.example").soundness

    for client in ("192.0.2.7", "198.51.100.1", "2001:db8::1", "2001:db9::1"):
        result = evaluate(dns, client, "d.example", "a@d.example", "h1.example").result
        if found is Soundness.SOUND:
            assert result is not SpfResult.PERMERROR
        if found is Soundness.BROKEN:
            assert result is SpfResult.PERMERROR
