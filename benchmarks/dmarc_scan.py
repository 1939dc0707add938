"""
Measures the DMARC source beside parsedmarc and a bare expat pass: `dmarc_scan.py FOLDER [REPORTS [RECORDS]]`.

Two shapes: REPORTS reports of 50 records, and one report of RECORDS records as .gz. Each reader runs in a process of its
own that says how many records it read; counted are seconds of the processor from after its imports to the last record, and
its peak memory, imports included. Ours reads as an audit does: the walk over the folder, recognition by all sources, rows
in Arrow batches. parsedmarc is installed into FOLDER/parsedmarc by pip, once; of the many reports it is given every
tenth, for it is slow, and a .gz of a fifth of the records, for it refuses more than 100 MiB. It runs offline, so neither its DNS nor its country look-ups are counted.

Measured on 2026-11-24 on two shared cores under load: 20,000 reports of 50 records 47,166 records/s and 104 MiB, bare
expat 70,792, parsedmarc 3,064; one .gz of 500,000 records 5.98 s and 102 MiB, bare expat 7.67 s, parsedmarc (a fifth)
2,840 records/s and 697 MiB.
"""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
import time
import venv
from collections.abc import Callable
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
    plain = path.suffix != ".gz"
    with path.open("w", encoding="utf-8") if plain else gzip.open(path, "wt", encoding="utf-8") as file:
        file.write(HEAD.format(number=number))
        for _ in range(records):
            file.write(
                RECORD.format(
                    ip=".".join(str(chance.randrange(1, 224)) for _ in range(4)),
                    count=chance.randrange(1, 40),
                    dkim=chance.choice(("pass", "fail")),
                    spf=chance.choice(("pass", "fail")),
                    to=chance.randrange(500),
                )
            )
        file.write("</feedback>\n")


# The bars of the third issue, for ours.
BAR_RATE, BAR_SECONDS, BAR_MIB = 35_000, 14, 150
PARSEDMARC = "parsedmarc==11.1.0"
ONE_OF = 10


def opened(path: Path) -> bytes:
    """Give a report's XML."""
    raw = path.read_bytes()
    return gzip.decompress(raw) if path.suffix == ".gz" else raw


def bare(paths: list[Path]) -> int:
    """Parse with expat and count records by a single handler: the least that any reader by events must spend."""
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
        parser.Parse(opened(path), True)
    return total


def ours(paths: list[Path]) -> int:
    """Walk, recognise and read, as an audit does; anything but rows ends the run."""
    from portero.sources import sources
    from portero.sources.document import Batch, Document
    from portero.sources.walk import walk

    total = 0
    for document in walk(paths):
        if not isinstance(document, Document):
            raise SystemExit(str(document))
        source = next(each for each in sources() if each.recognise(document.head))
        for item in source.read(document):
            if not isinstance(item, Batch):
                raise SystemExit(str(item))
            total += item.rows.num_rows
    return total


def parsedmarc(paths: list[Path]) -> int:
    """Parse with parsedmarc, offline."""
    import parsedmarc as library  # type: ignore[import-not-found]

    return sum(len(library.parse_report_file(str(path), offline=True)["report"]["records"]) for path in paths)


READERS: dict[str, Callable[[list[Path]], int]] = {"bare": bare, "ours": ours, "parsedmarc": parsedmarc}


def work(reader: str, paths: list[Path]) -> None:
    """Read in this process, and print what was read and what it cost."""
    READERS[reader]([])  # imports
    if reader == "ours":
        from portero.sources import sources

        sources()
    before = time.process_time()
    records = READERS[reader](paths)
    spent = time.process_time() - before
    status = Path("/proc/self/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    print(json.dumps([records, spent, peak / 1024]))


def measured(python: str, reader: str, paths: list[Path]) -> tuple[int, float, float]:
    """Give records, seconds of the processor and MiB of a reader in a process of its own."""
    command = [python, __file__, "--read", reader]
    names = "\n".join(map(str, paths))
    done = subprocess.run(command, input=names, stdout=subprocess.PIPE, text=True, check=True)
    records, spent, peak = json.loads(done.stdout.splitlines()[-1])
    return records, spent, peak


def other(folder: Path) -> str:
    """Give the Python of an environment that holds parsedmarc."""
    python = folder / "bin" / "python"
    if not python.with_name("parsedmarc").exists():
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", PARSEDMARC], check=True)
    return str(python)


def main(folder: Path, reports: int, records: int) -> None:
    """Print records a CPU second, the ratios within the run, and whether the bars are met."""
    place = folder / f"{reports}-{records}"
    small, large, fifth = place / "small", place / "large.xml.gz", place / "fifth.xml.gz"
    if not large.exists():
        small.mkdir(parents=True, exist_ok=True)
        chance = random.Random(7)
        for number in range(reports):
            write_report(small / f"{number}.xml", number, 50, chance)
        write_report(large, reports, records, chance)
        write_report(fifth, reports, records // 5, chance)
    python = other(folder / "parsedmarc")
    many = sorted(small.iterdir())
    for name, paths, some in (
        (f"{reports} reports of 50", many, many[::ONE_OF]),
        (f"one .gz of {records}", [large], [fifth]),
    ):
        found, spent, peak = measured(sys.executable, "ours", paths)
        least_found, least, _ = measured(sys.executable, "bare", paths)
        if found != least_found:
            raise SystemExit(f"{name}: {found} rows of {least_found} records")
        other_found, other_spent, other_peak = measured(python, "parsedmarc", some)
        rate, other_rate = found / spent, other_found / other_spent
        print(name)
        print(f"  ours        {rate:9.0f} records/s  {spent:7.2f} s  {peak:5.0f} MiB")
        print(f"  bare expat  {found / least:9.0f} records/s  {least:7.2f} s")
        print(f"  parsedmarc  {other_rate:9.0f} records/s  {other_spent:7.2f} s  {other_peak:5.0f} MiB")
        print(f"  ours / parsedmarc {rate / other_rate:.1f}   ours / bare expat {rate * least / found:.2f}")
        fast = spent < BAR_SECONDS if len(paths) == 1 else rate >= BAR_RATE
        print(f"  bars: speed {'met' if fast else 'MISSED'}, memory {'met' if peak < BAR_MIB else 'MISSED'}")


if __name__ == "__main__":
    if sys.argv[1] == "--read":
        work(sys.argv[2], [Path(line) for line in sys.stdin.read().splitlines()])
    else:
        main(
            Path(sys.argv[1]),
            *(int(word) for word in (*sys.argv[2:], *("20000", "500000")[len(sys.argv) - 2 :])),
        )
