"""Microsoft's filter stamped it as phish, spoof or malware."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text

_CATEGORIES = frozenset(["PHSH", "HPHSH", "HPHISH", "SPOOF", "MALW", "INTOS", "UIMP", "DIMP", "GIMP", "BIMP"])


def match(case: Case) -> Text | None:
    """Match the anti-spam report's category where Exchange's own lines stand on top."""
    held = case.arrival
    category = (held.stamps.report.category or "") if held.stamps.report else ""
    if held.boundary.trusted and category.upper() in _CATEGORIES and not case.passed_on:
        return Text("Microsoft's filter called it {verdict}.", verdict=category)
    return None


RULE = Rule(
    id="filter-verdict",
    title="Microsoft's filter says so",
    level="medium",
    weight=1.0,
    match=match,
    falsepositives=("Microsoft's filter errs too; it junks a tenth of what it should not.",),
    references=("reference exchange-online 4.5",),
)
