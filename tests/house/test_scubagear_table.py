"""docs/scubagear.md explains every difference between ScubaGear's own verdicts and ours, and no other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from portero.core.checks import checks
from portero.core.dns import Dns, DnsAnswer, DnsZone
from portero.core.evidence import ConfigAnswer, ConfigObject
from portero.core.exchange.settings import Tenant, read_settings
from portero.core.finding import Posture, find
from portero.sources import sources
from portero.sources.walk import walk

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT.parent / "shared" / "samples" / "tenant-config"
PAGE = ROOT / "docs" / "scubagear.md"
VERDICTS = sorted(SAMPLES.glob("scubagear-verdicts-*.json"))
KINDS = {"theirs right", "ours right", "different question", "not in the export"}
# ScubaGear's policies, without version, that ask what a check of ours asks.
PAIRS = {
    "MS.DEFENDER.1.1": "SPOOF-05", "MS.DEFENDER.1.2": "SPOOF-05", "MS.DEFENDER.2.1": "SPOOF-06",
    "MS.DEFENDER.2.2": "SPOOF-06", "MS.DEFENDER.5.1": "LOG-02", "MS.DEFENDER.6.1": "LOG-01", "MS.EXO.1.1": "OUT-01",
    "MS.EXO.2.2": "DNS-01", "MS.EXO.3.1": "DNS-06", "MS.EXO.4.1": "DNS-08", "MS.EXO.4.2": "DNS-09",
    "MS.EXO.4.3": "DNS-10", "MS.EXO.4.4": "DNS-10", "MS.EXO.5.1": "AUTH-01", "MS.EXO.7.1": "RULE-04",
    "MS.EXO.10.3": "SPAM-08", "MS.EXO.12.1": "SPAM-03", "MS.EXO.12.2": "SPAM-04", "MS.EXO.13.1": "LOG-01",
    "MS.EXO.14.1": "SPAM-05", "MS.EXO.14.3": "SPAM-01", "MS.EXO.16.1": "LOG-02", "MS.EXO.17.1": "LOG-01",
}  # fmt: skip
# What their words are in ours; a Should that is not met is a Warning there.
SAME = {"Pass": {"pass"}, "Fail": {"fail"}, "Warning": {"fail", "warn"}, "N/A": {"not-applicable"}}
Difference = tuple[str, str, str, str]


def read(path: Path) -> tuple[Tenant, Dns]:
    """Read an export through the door that the command line uses."""
    known = sources()
    held: dict[type, list[Any]] = {ConfigObject: [], ConfigAnswer: [], DnsAnswer: [], DnsZone: []}
    for document in walk([path]):
        source = next(each for each in known if each.recognise(document.head))  # type: ignore[union-attr]
        for item in source.read(document):
            held.get(type(item), []).append(item)
    return Tenant(held[ConfigObject], held[ConfigAnswer]), Dns(held[DnsAnswer], held[DnsZone])


def verdicts(path: Path) -> Iterator[tuple[str, str]]:
    for groups in json.loads(path.read_text("utf-8"))["Results"].values():
        for control in (control for group in groups for control in group["Controls"]):
            yield re.sub(r"v\d+$", "", control["Control ID"]), control["Result"]


@pytest.fixture(scope="module")
def differences() -> dict[Difference, list[str]]:
    if not VERDICTS:
        pytest.skip(f"no verdicts of ScubaGear beside the checkout, in {SAMPLES.name}")
    found: dict[Difference, list[str]] = {}
    for path in VERDICTS:
        day = path.stem.removeprefix("scubagear-verdicts-")
        [export] = SAMPLES.glob(f"scubagear-v[0-9]*-{day}.json")
        ours = outcomes(export, day)
        for policy, theirs in verdicts(path):
            check = PAIRS.get(policy)
            if check and ours[check] not in SAME[theirs]:
                found.setdefault((policy, check, theirs, ours[check]), []).append(day)
    return found


def outcomes(export: Path, day: str) -> dict[str, str]:
    tenant, dns = read(export)
    posture = Posture(
        tenant=tenant,
        settings=read_settings(tenant),
        dns=dns,
        senders=(),
        outside=(),
        simulations=(),
        coverage=(),
        gaps=(),
        now=datetime.fromisoformat(f"{day}T12:00:00+00:00"),
        mail_seen=False,
    )
    return {check.id: find(check, posture).outcome.value for check in checks()}


def table() -> list[list[str]]:
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| MS.")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_table_holds_each_difference_once_with_its_days(differences: dict[Difference, list[str]]) -> None:
    written = {(row[0], row[1], row[2], row[3]): row[4].split(", ") for row in table()}

    assert written == differences


def test_each_row_says_who_is_right_and_why() -> None:
    assert table()
    for row in table():
        assert row[5] in KINDS
        assert row[6].endswith(".")


@pytest.mark.parametrize(
    "path",
    sorted(SAMPLES.glob("scubagear-v[0-9]*.json")) or [None],
    ids=lambda path: path.name if path else "absent",
)
def test_no_versions_shape_breaks_a_check(path: Path | None) -> None:
    if path is None:
        pytest.skip(f"no exports of ScubaGear beside the checkout, in {SAMPLES.name}")
    assert len(outcomes(path, "2026-05-04")) == len(checks())
