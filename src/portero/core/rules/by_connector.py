"""A connector took it, which an administrator made for its source.

A connector for a whole provider also lets that provider's other customers in, so it does not settle the matter.
"""

from __future__ import annotations

from portero.core.message.case import Case, Rule
from portero.core.sender import Path
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match mail that came by a connector."""
    held = case.arrival
    return held.why if held.path is Path.CONNECTOR and not held.boundary.forged else None


RULE = Rule(
    id="by-connector",
    title="taken by a connector",
    level="informational",
    weight=-2.8,
    match=match,
    falsepositives=("A connector that covers more than the organisation's own servers.",),
    references=("reference exchange-online 1.5",),
)
