"""Maester results: another tool's tests of the tenant, counted, with the failed ones about mail said by their ids."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from portero.core.evidence import Gap, Origin
from portero.core.text import Text
from portero.sources.document import Counted, Document, Head, Item, Note, Source
from portero.sources.json_text import json_values

_MAIL = re.compile(
    r"\bEXO\b|Exchange|ORCA|\b(?:SPF|DKIM|DMARC|SMTP|MX|ARC)\b|connector|transport rule|direct ?send|spoof|anti-?phish|mail",
    re.IGNORECASE,
)
_SHOWN = 20


def recognise(head: Head) -> bool:
    """Tell by the counts of tests beside the tests."""
    return head.keys >= {"Tests", "TotalCount", "PassedCount"} and bool(
        head.keys & {"TenantId", "ExecutedAt", "Account", "CurrentVersion"}
    )


def read(document: Document) -> Iterator[Item]:
    """Count the tests by result, and name the failed ones about mail: they are its word, our checks judge on their own."""
    total, results, failed = 0, Counter[str](), list[tuple[str, str]]()
    when: datetime | None = None
    for found in json_values(document):
        if isinstance(found, Gap):
            yield found
            continue
        line, value = found
        tests = value.get("Tests") if isinstance(value, dict) else None
        if not isinstance(value, dict) or not isinstance(tests, list):
            yield Gap(
                Origin(document.name, line),
                Text("These are no Maester results: the list of tests is missing."),
            )
            continue
        when = _time(value.get("ExecutedAt")) or when
        for test in tests:
            if not isinstance(test, dict):
                continue
            total += 1
            result = str(test.get("Result") or "?")[:40]
            results[result] += 1
            title = str(test.get("Title") or test.get("Name") or "?")
            if result.lower() in {"failed", "fail"} and _MAIL.search(f"{title} {test.get('Id')}"):
                failed.append((str(test.get("Id") or "?")[:60], title[:200]))
    if not total:
        return
    yield Counted(total, when, when)
    yield Note(
        Text(
            "Maester's tests by result: {results}. They are counted only; the checks here judge the settings themselves.",
            results=tuple(f"{name}: {number}" for name, number in sorted(results.items())),
        )
    )
    for name, title in failed[:_SHOWN]:
        yield Note(Text("Maester says that {id} failed: {title}", id=name, title=title))


def _time(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", str(value)))
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


SOURCE = Source("maester", Text("Maester results"), recognise, read)
