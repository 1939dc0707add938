"""The page of a check: its docstring's paragraphs, each with what it is about."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

# The context under which the catalogue keeps the paragraphs.
CONTEXT = "page"
_LABEL = re.compile(r"^(Before|After|Mend|Verify|May break|Exceptions|Severity): ")


def paragraphs(docstring: str | None) -> Iterator[tuple[str | None, str]]:
    """Give each paragraph on one line, with the label that opens it, or None for the sentence that opens the page."""
    for paragraph in inspect.cleandoc(docstring or "").split("\n\n"):
        text = " ".join(paragraph.split())
        found = _LABEL.match(text)
        if text:
            yield (found[1], text[found.end() :]) if found else (None, text)
