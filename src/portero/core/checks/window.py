"""How many days the mail evidence covers, which decides what its silence is worth."""

from __future__ import annotations

from collections.abc import Iterable

from portero.core.evidence import Coverage

# What other people's receivers reported, and DNS, say nothing about which days of our own mail were read.
_NOT_OUR_MAIL = ("dmarc", "dns", "zone")


def mail_documents(coverage: Iterable[Coverage]) -> tuple[Coverage, ...]:
    """Give the documents that recorded this tenant's mail, with the times of their records."""
    return tuple(
        each
        for each in coverage
        if each.first is not None and each.last is not None and not each.kind.startswith(_NOT_OUR_MAIL)
    )


def days_covered(coverage: Iterable[Coverage]) -> int:
    """
    Count the UTC days from first to last record of each mail document, every day once.

    A document cannot show quiet days at its edges, so the count may be low and is never high.
    """
    spans = sorted(
        (each.first.toordinal(), each.last.toordinal() + 1)
        for each in mail_documents(coverage)
        if each.first is not None and each.last is not None
    )
    days, reached = 0, 0
    for start, end in spans:
        days += max(0, end - max(start, reached))
        reached = max(reached, end)
    return days
