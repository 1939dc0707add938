"""A second SPF set, of other authors, in its own dialect of YAML with repeated keys."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from portero.core.mail.spf import SpfResult, SpfVerdict, evaluate
from portero.core.mail.spf_names import reverse
from support.suite_dns import SHARED, SuiteDns, shared

FOLDER = "samples/spf-tests/stalwartlabs--mail-auth"

# Where this set and the RFC part; docs/standards.md says why. By scenario, domain and address: our result.
DISPUTED = {
    # Ten terms that ask in vain: its authors set no limit on void look-ups. RFC 7208 section 4.6.4.
    ("DNS Lookup Limits", "ok.test.org", "172.168.0.1"): SpfResult.PERMERROR,
    # "ip:" is no mechanism, and a syntax error counts wherever it stands. RFC 7208 section 4.6.
    ("All test", "test.org", "10.0.0.1"): SpfResult.PERMERROR,
    # "exists" asks for A, whatever the client's family; the set has an AAAA. RFC 7208 section 5.7.
    ("Macro expansion 2", "mx.example.org", "2001:db8::cb01"): SpfResult.FAIL,
}


class Case(NamedTuple):
    scenario: str
    zone: SuiteDns
    domain: str
    sender: str
    ip: str
    result: str
    explanation: str | None


class Failing(SuiteDns):
    """Names with ``_dns_error`` time out."""

    def __init__(self, records: dict[tuple[str, str], list[str]], names: set[str]) -> None:
        super().__init__(records, frozenset(name for name in names if "_dns_error" in name))


def read(path: Path) -> Iterator[Case]:
    for scenario in re.split(r"^---$", path.read_text("utf-8"), flags=re.MULTILINE):
        name, records, names = "", {}, {"_dns_error.org", "_dns_error.test.org"}
        case: dict[str, str] = {}
        cases = []
        for line in scenario.splitlines():
            found = re.match(r"\s*(?:- )?(\w+):(.*)", line)
            if line.startswith("#") or not found:
                continue
            key, value = found[1], found[2].lstrip()
            if key == "name":
                name = value
            elif key in {"spf", "exp", "a", "aaaa", "mx", "ptr"}:
                owner, _, data = value.partition(" ")
                add(records, key, owner.lower(), data)
            elif key in {"domain", "sender", "ip", "expect"}:
                case[key] = value.strip()
                if key == "expect":
                    cases.append(case)
                    case = {}
        zone = Failing(records, names)
        for each in cases:
            result, _, explanation = each["expect"].partition(" ")
            yield Case(name, zone, each["domain"], each["sender"], each["ip"], result, explanation or None)


def add(records: dict[tuple[str, str], list[str]], key: str, owner: str, data: str) -> None:
    if key in {"spf", "exp"}:
        records.setdefault((owner, "TXT"), []).append(data)
        return
    values = [value.strip() for value in data.split(",")]
    if key == "mx":
        for number, address in enumerate(values):
            host = f"mx{number}.{owner}"
            records.setdefault((owner, "MX"), []).append(f"{number} {host}")
            records.setdefault((host, "AAAA" if ":" in address else "A"), []).append(address)
    elif key == "ptr":
        address = ipaddress.ip_address(owner)
        records.setdefault((reverse(address.version, int(address)), "PTR"), []).extend(values)
    else:
        records.setdefault((owner, key.upper()), []).extend(values)


CASES = [case for path in sorted((SHARED / FOLDER).glob("*.yml")) for case in read(path)]


def judged(case: Case) -> SpfVerdict:
    """The set judges the greeting first and the envelope sender where the greeting does not fail."""
    greeting = evaluate(case.zone, case.ip, case.domain, case.sender, case.domain)
    own = case.sender.rpartition("@")[2]
    if own in {"", case.domain} or greeting.result is SpfResult.FAIL:
        return greeting
    return evaluate(case.zone, case.ip, own, case.sender, case.domain)


def test_the_set_is_here() -> None:
    shared(FOLDER)
    assert len(CASES) == 103


@pytest.mark.parametrize("case", CASES, ids=[f"{case.scenario}: {case.domain} {case.ip}" for case in CASES])
def test_the_set_agrees(case: Case) -> None:
    found = judged(case)

    assert found.result == DISPUTED.get((case.scenario, case.domain, case.ip), case.result)
    assert found.explanation == case.explanation
