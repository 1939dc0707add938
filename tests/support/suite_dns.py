"""DNS made of the zones that the shared suites write down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from portero.core.dns import Dns, DnsAnswer, DnsStatus

SHARED = Path(__file__).resolve().parents[3] / "shared"


def shared(name: str) -> Path:
    """Locate a shared test vector; skips aloud where it is not there."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{name} is not beside the checkout")
    return path


class SuiteDns(Dns):
    """Answers from records by (name, type); what is not there does not exist, unless its name times out."""

    def __init__(
        self, records: Mapping[tuple[str, str], Sequence[str]], timeouts: frozenset[str] = frozenset()
    ) -> None:
        super().__init__()
        self.records = {(name.lower(), kind): tuple(found) for (name, kind), found in records.items()}
        self.timeouts = frozenset(name.lower() for name in timeouts)
        self.asked: list[tuple[str, str]] = []

    def lookup(self, name: str, type_: str) -> DnsAnswer:
        self.asked.append((name, type_))
        asked = name.lower()
        for _ in range(9):
            alias = self.records.get((asked, "CNAME"))
            if alias is None or (asked, type_) in self.records:
                break
            asked = alias[0].rstrip(".").lower()
        else:
            return DnsAnswer(name, type_, DnsStatus.SERVFAIL)
        found = self.records.get((asked, type_))
        if found is not None:
            return DnsAnswer(name, type_, DnsStatus.NOERROR, found)
        if asked in self.timeouts:
            return DnsAnswer(name, type_, DnsStatus.TIMEOUT)
        exists = any(held == asked or held.endswith("." + asked) for held, _ in self.records)
        return DnsAnswer(name, type_, DnsStatus.NOERROR if exists else DnsStatus.NXDOMAIN)


def openspf_zone(zonedata: Mapping[str, Sequence[Any]]) -> SuiteDns:
    """Read a scenario's zone: SPF entries stand for TXT where the name has no TXT of its own."""
    records: dict[tuple[str, str], list[str]] = {}
    timeouts = set()
    for name, entries in zonedata.items():
        own_txt = any(isinstance(entry, dict) and "TXT" in entry for entry in entries)
        for entry in entries:
            if entry == "TIMEOUT":
                timeouts.add(name)
                continue
            [(kind, value)] = entry.items()
            if kind == "SPF" and not own_txt:
                kind = "TXT"
            if kind == "SPF" or value == "NONE":
                continue
            if kind == "MX":
                value = f"{value[0]} {value[1]}"
            text = "".join(value) if isinstance(value, list) else str(value)
            records.setdefault((name, kind), []).append(text)
    return SuiteDns(records, frozenset(timeouts))
