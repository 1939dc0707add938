"""
What adding one day to a lake costs, with no day in it and with many: python benchmarks/lake_day.py [DAYS] [ROWS A DAY].

Measured on 2026-11-24 on two shared cores under heavy load, seconds of the processor. 90 days of 20,000 rows, medians of
six: one day into an empty lake 0.37; one day more into the lake of 90 days 0.48, 1.3 times as much (1.2 to 1.5); the same
day again, which reads nothing and judges the whole lake, 0.11. Of 111,000 rows a day, ten million in all: 0.98 and 1.33,
1.4 times. It was 1.6 and 2.8 times while a day's ids were looked for by three prints a mail and days merged in seven
spans. What is left is judging ninety days instead of one, 0.05, and looking for the new day's ids among those of all
others: a mail seen on days far apart counts once.
"""

import csv
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from portero import wiring
from portero.core.finding import Profile

CONFIG = '[organisation]\nname = "Contoso"\naccepted_domains = ["contoso.com"]\n'
COLUMNS = (
    "Received",
    "SenderAddress",
    "RecipientAddress",
    "Subject",
    "Status",
    "FromIP",
    "ToIP",
    "Size",
    "MessageId",
    "MessageTraceId",
)


def write_day(path: Path, at: datetime, rows: int) -> None:
    """Write a day's trace: two hundred devices and applications, mailboxes, and half of it mail of others."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for n in range(rows):
            mark = str(uuid5(NAMESPACE_URL, f"{at}/{n}"))
            sender, address = (
                (f"x{n % 997}@example.org", f"192.0.2.{n % 250}")
                if n % 2
                else (f"app{n % 200}@contoso.com", "" if n % 3 else f"198.51.100.{n % 200}")
            )
            when = at + timedelta(seconds=n * 86_000 / rows)
            writer.writerow(
                (
                    when.strftime("%Y-%m-%dT%H:%M:%S.0000000Z"),
                    sender,
                    f"r{n % 50}@contoso.com",
                    f"Report {n}",
                    "Delivered",
                    address,
                    "",
                    4000,
                    f"<{mark}@x>",
                    mark,
                )
            )


def add(folder: Path, store: Path) -> tuple[float, float]:
    """Audit a folder over a lake; gives seconds of the processor and on the clock."""
    cpu, clock = time.process_time(), time.perf_counter()
    wiring.audit([folder], config=None, profile=Profile.STANDARD, progress=lambda _: None, store=store)
    return time.process_time() - cpu, time.perf_counter() - clock


def main() -> None:
    """Print the costs and their ratio."""
    days, rows = (int(word) for word in (*sys.argv[1:], *("90", "20000")[len(sys.argv) - 1 :])[:2])
    start = datetime(2026, 8, 1, tzinfo=UTC)
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        for name in ("first", "many", "new"):
            (root / name).mkdir()
            (root / name / "portero.toml").write_text(CONFIG)
        for n in range(days):
            write_day(root / "many" / f"{n:03}.csv", start + timedelta(days=n), rows)
        write_day(root / "new" / "new.csv", start + timedelta(days=days), rows)
        write_day(root / "first" / "first.csv", start, rows)
        add(root / "first", root / "warm")
        alone = add(root / "new", root / "empty")
        whole = add(root / "many", root / "lake")
        added = add(root / "new", root / "lake")
        again = add(root / "new", root / "lake")
    print(f"{days} days of {rows} rows, seconds of the processor (on the clock)")
    for label, (cpu, clock) in (
        ("one day into an empty lake", alone),
        (f"{days} days into an empty lake", whole),
        (f"one day more into a lake of {days} days", added),
        ("the same day again", again),
    ):
        print(f"  {label:45} {cpu:8.2f} ({clock:.2f})")
    print(f"  one day more costs {added[0] / alone[0]:.2f} times one day alone")


if __name__ == "__main__":
    main()
