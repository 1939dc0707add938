"""A short mail has a document attached whose only purpose is a link."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.message.lures import DIRECT_SEND_LURES
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match documents that lead away in mail that touches a lure."""
    found = next((each for each in case.away if each.kind == "document"), None)
    lure = next((each for each in DIRECT_SEND_LURES if each in case.met), None)
    if found is None or lure is None or case.reply or len(case.content.text) > 3000:
        return None
    return Text("An attachment leads to {host}: {place}.", host=found.host, place=found.place)


RULE = Rule(
    id="document-leads-away",
    title="document with a link",
    level="medium",
    weight=1.0,
    match=match,
    falsepositives=("Invoices with a link to pay.",),
)
