"""Measures the trace sources against DuckDB's plain scan: writes a large trace pair, counts it, reads it, reports CPU seconds."""

from __future__ import annotations

import random
import resource
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

ENHANCED = (
    "origin_timestamp_utc,sender_address,recipient_status,message_subject,total_bytes,message_id,"
    "network_message_id,original_client_ip,directionality,connector_id,delivery_priority"
)
V2 = "MessageId,Received,SenderAddress,RecipientAddress,Subject,Status,ToIP,FromIP,Size,MessageTraceId"


def write_pair(folder: Path, rows: int) -> tuple[Path, Path, Path]:
    """Write the same mail as Enhanced CSV (UTF-8, and UTF-16LE without BOM) and as a V2 CSV; give the three paths."""
    chance = random.Random(7)
    plain, wide, v2 = (folder / name for name in ("enhanced-utf8.csv", "enhanced.csv", "v2.csv"))
    newest = datetime(2026, 11, 20)  # noqa: DTZ001  (the export writes UTC without saying so)
    with (
        plain.open("w", encoding="utf-8", newline="") as enhanced_utf8,
        wide.open("w", encoding="utf-16-le", newline="") as enhanced,
        v2.open("w", encoding="utf-8", newline="") as summary,
    ):
        for file in (enhanced_utf8, enhanced):
            file.write(ENHANCED + "\r\n")
        summary.write(",".join(f'"{name}"' for name in V2.split(",")) + "\r\n")
        for number in range(rows):
            at = newest - timedelta(seconds=number * 3)
            guid = f"{chance.getrandbits(128):032x}"
            guid = f"{guid[:8]}-{guid[8:12]}-{guid[12:16]}-{guid[16:20]}-{guid[20:]}"
            sender = f"sender{chance.randrange(80000)}@contoso{chance.randrange(40)}.com"
            recipient = f"user{chance.randrange(100000)}@contoso.com"
            subject = (
                f"Scanned document {number}, página {chance.randrange(99)}"
                if number % 9 == 0
                else f"Invoice {number}"
            )
            message_id = f"<{guid[:18]}.{number}@mail.contoso.com>"
            ip = f"203.0.{chance.randrange(256)}.{chance.randrange(256)}"
            size = chance.randrange(2000, 900000)
            row = (
                f'{at.isoformat()}.1234567Z,{sender},"{recipient}##Receive, Deliver","{subject}",{size},{message_id},'
                f"{guid},{ip},Incoming,,Normal\r\n"
            )
            enhanced_utf8.write(row)
            enhanced.write(row)
            summary.write(
                f'"{message_id}","{at.isoformat()}.1234567Z","{sender}","{recipient}","{subject}","Delivered","",'
                f'"{ip}","{size}","{guid}"\r\n'
            )
    return plain, wide, v2


def cpu(work: Callable[[], object]) -> tuple[float, object]:
    """Give the CPU seconds of a call, all threads counted, and its answer."""
    before = time.process_time()
    answer = work()
    return time.process_time() - before, answer


def main(folder: Path, rows: int) -> None:
    """Print one line a measurement."""
    folder.mkdir(parents=True, exist_ok=True)
    plain, wide, v2 = (folder / name for name in ("enhanced-utf8.csv", "enhanced.csv", "v2.csv"))
    if not v2.exists():
        write_pair(folder, rows)

    def count(path: Path, encoding: str) -> object:
        query = (
            f"SELECT count(*) FROM read_csv('{path}', header=true, all_varchar=true, encoding='{encoding}')"
        )
        return duckdb.connect().execute(query).fetchone()

    def count_through(path: Path) -> int:
        from portero.sources import sources, walk

        total = 0
        for document in walk.walk([path]):
            if not isinstance(document, walk.Document):
                raise SystemExit(str(document))
            source = next(item for item in sources() if item.recognise(document.head))
            total += sum(item.rows.num_rows for item in source.read(document) if hasattr(item, "rows"))
        return total

    for name, work in {
        "duckdb, enhanced as UTF-8": lambda: count(plain, "utf-8"),
        "duckdb, enhanced as UTF-16LE": lambda: count(wide, "utf-16"),
        "duckdb, v2": lambda: count(v2, "utf-8"),
        "portero, enhanced as UTF-16LE": lambda: count_through(wide),
        "portero, v2": lambda: count_through(v2),
    }.items():
        seconds, answer = cpu(work)
        print(f"{name:32} {seconds:6.2f} s CPU   {answer}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000)
