"""A QR code leads to the web: a telephone opens it outside every protection of the mailbox."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match codes with a web address that is neither the author's nor ours."""
    for each in case.content.of_kind("code"):
        if each.web and not case.domain_in_use_safely(each.host):
            return Text("A code leads to {host}: {place}.", host=each.host, place=each.place)
    return None


RULE = Rule(
    id="code-in-picture",
    title="QR code that leads away",
    level="high",
    weight=1.6,
    match=match,
    falsepositives=("Posters, tickets, invoices with a payment code.",),
    references=("reference exchange-online 7.1",),
)
