"""An attachment is a web page or a drawing that leads to the web."""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match HTML and SVG attachments with a way out."""
    for each in case.content.attachments:
        if each.kind in {"html", "svg"} and any(link.kind in {"document", "form"} for link in case.away):
            return Text(
                "Attachment {name} is a page that leads to the web.", name=each.name or str(each.number)
            )
    return None


RULE = Rule(
    id="attachment-page",
    title="web page as attachment",
    level="medium",
    weight=1.3,
    match=match,
    falsepositives=("Secure mail of banks and gateways comes so.",),
)
