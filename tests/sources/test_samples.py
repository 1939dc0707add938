"""
Every sample file of the shared folder, file by file: recognised and read, or refused with its true reason.

``samples.tsv`` names each file with the source that reads it, or with the reason why nobody does. How many records each
gives is counted a second time by other means than the readers (`support.sample_counts`).
"""

import csv
import re
from functools import cache
from pathlib import Path

import pytest

from portero.core.evidence import ConfigObject, Gap
from portero.sources import sources
from portero.sources.document import Batch, Counted, Document
from portero.sources.walk import walk
from support.sample_counts import COUNTS

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "samples"
# What test_network_samples counts.
FOLDERS = {"dhcp", "firewall", "netflow", "other-mta", "postfix", "zeek"}
TABLE = Path(__file__).with_name("samples.tsv")
pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="../shared/samples is not here")


def table():
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {row["file"]: row["kind"] for row in csv.DictReader(file, delimiter="\t")}


@cache
def walked():
    return tuple(walk([SAMPLES]))


def kind_of(document):
    return next((source.id for source in sources() if source.recognise(document.head)), "unknown")


def read(document):
    """Give records read, and the gaps."""
    source = next(source for source in sources() if source.recognise(document.head))
    rows, counted, objects, gaps = 0, 0, 0, []
    for item in source.read(document):
        if isinstance(item, Batch):
            rows += item.rows.num_rows
        elif isinstance(item, Counted):
            counted = item.rows
        elif isinstance(item, ConfigObject):
            objects += 1
        elif isinstance(item, Gap):
            gaps.append(item)
    return rows or counted or objects, gaps


def test_every_file_is_in_the_table_and_is_what_it_says():
    actual = {}
    for found in walked():
        if isinstance(found, Gap):
            actual.setdefault(found.origin.document, f"refused: {found.reason}")
        else:
            # What of a file is damaged is named too; what is sound of it is read.
            actual[found.name] = kind_of(found)
    assert actual == table()


def test_no_file_of_the_folder_is_missing_from_the_walk():
    files = [path.relative_to(SAMPLES).as_posix() for path in SAMPLES.rglob("*") if path.is_file()]
    names = table()
    assert [
        file for file in files if not any(name == file or name.startswith(f"{file}!") for name in names)
    ] == []


def test_every_kind_of_sample_is_counted_a_second_time():
    """Those of network devices and relays in test_network_samples, all others here."""
    kinds = {
        kind
        for file, kind in table().items()
        if kind != "unknown" and not kind.startswith("refused: ") and file.partition("/")[0] not in FOLDERS
    }
    assert kinds <= COUNTS.keys()


def countable():
    return (
        [found for found in walked() if isinstance(found, Document) and kind_of(found) in COUNTS]
        if SAMPLES.is_dir()
        else []
    )


@pytest.mark.parametrize("document", countable(), ids=lambda document: document.name)
def test_as_many_records_are_read_or_refused_as_another_count_finds(document):
    records, gaps = read(document)
    with document.open() as stream:
        raw = stream.read()
    # A refused record is a gap with its place; damage of the XML itself is one without.
    refused = sum(
        gap.count
        for gap in gaps
        if gap.origin.line is not None or re.search("of another kind|of an Exchange server", str(gap.reason))
    )
    assert records + refused == COUNTS[kind_of(document)](raw)


def test_what_is_read_of_dmarc_reports():
    """75 of the 79 reports that are known to parse elsewhere: of those at hand, all but the ones whose only record is none."""
    reports = [
        found for found in walked() if isinstance(found, Document) and kind_of(found) == "dmarc-aggregate"
    ]
    empty = [document.name.rpartition("/")[2] for document in reports if not read(document)[0]]
    assert len(reports) >= 46
    assert sorted(empty) == ["invalid_xml.xml", "test_empty.xml"]
