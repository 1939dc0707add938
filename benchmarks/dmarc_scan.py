"""Measures the DMARC source against a bare expat pass: many reports of 50 records, and one large report."""

from __future__ import annotations

import random
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from xml.parsers import expat

HEAD = """<?xml version="1.0" encoding="UTF-8" ?>
<feedback>
  <report_metadata>
    <org_name>Receiver {number}</org_name>
    <email>dmarc@receiver.example</email>
    <report_id>{number}</report_id>
    <date_range>
      <begin>1781568000</begin>
      <end>1781654400</end>
    </date_range>
  </report_metadata>
  <policy_published>
    <domain>contoso.com</domain>
    <adkim>r</adkim>
    <aspf>r</aspf>
    <p>none</p>
    <sp>none</sp>
    <pct>100</pct>
  </policy_published>
"""
RECORD = """  <record>
    <row>
      <source_ip>{ip}</source_ip>
      <count>{count}</count>
      <policy_evaluated>
        <disposition>none</disposition>
        <dkim>{dkim}</dkim>
        <spf>{spf}</spf>
      </policy_evaluated>
    </row>
    <identifiers>
      <envelope_to>receiver{to}.example</envelope_to>
      <envelope_from>contoso.com</envelope_from>
      <header_from>contoso.com</header_from>
    </identifiers>
    <auth_results>
      <dkim>
        <domain>contoso.com</domain>
        <selector>selector1</selector>
        <result>{dkim}</result>
      </dkim>
      <spf>
        <domain>contoso.com</domain>
        <scope>mfrom</scope>
        <result>{spf}</result>
      </spf>
    </auth_results>
  </record>
"""


def write_report(path: Path, number: int, records: int, chance: random.Random) -> None:
    """Write one report."""
    with path.open("w", encoding="utf-8") as file:
        file.write(HEAD.format(number=number))
        for _ in range(records):
            file.write(
                RECORD.format(
                    ip=f"{chance.randrange(1, 224)}.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randrange(256)}",
                    count=chance.randrange(1, 40),
                    dkim=chance.choice(("pass", "fail")),
                    spf=chance.choice(("pass", "fail")),
                    to=chance.randrange(500),
                )
            )
        file.write("</feedback>\n")


def bare(paths: list[Path]) -> int:
    """Parse with expat and count records by a single handler: the least that any reader of this XML must spend."""
    total = 0

    def start(name: str, _: object) -> None:
        nonlocal total
        total += name == "record"

    for path in paths:
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = start
        parser.EndElementHandler = lambda _: None
        parser.CharacterDataHandler = lambda _: None
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                parser.Parse(block, False)
        parser.Parse(b"", True)
    return total


def ours(paths: list[Path]) -> int:
    """Read through the walker and the source, as an audit does."""
    from portero.sources import dmarc_aggregate, walk
    from portero.sources.document import Batch, Document

    def rows() -> Iterator[int]:
        for document in walk.walk(paths):
            if not isinstance(document, Document):
                raise SystemExit(str(document))
            for item in dmarc_aggregate.read(document):
                if not isinstance(item, Batch):
                    raise SystemExit(str(item))
                yield item.rows.num_rows

    return sum(rows())


def main(folder: Path, reports: int, records: int) -> None:
    """Print CPU seconds, records a CPU second, and the ratio to bare expat for both shapes."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(7)
    small = [folder / f"small-{number}.xml" for number in range(reports)]
    large = folder / "large.xml"
    if not large.exists():
        for number, path in enumerate(small):
            write_report(path, number, 50, chance)
        write_report(large, reports, records, chance)
    for name, paths in ((f"{reports} reports of 50", small), (f"one report of {records}", [large])):
        before = time.process_time()
        expected = bare(paths)
        middle = time.process_time()
        found = ours(paths)
        after = time.process_time()
        if found != expected:
            raise SystemExit(f"{name}: {found} rows of {expected} records")
        spent, least = after - middle, middle - before
        print(
            f"{name:24} {spent:6.2f} s CPU  {found / spent:9.0f} records/s  {spent / least:.2f} x bare expat"
        )
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *(map(int, sys.argv[2:4]) if len(sys.argv) > 3 else (2000, 500_000)))
