"""Writes docs/checks.md from the checks themselves: ``python -m portero.faces.check_pages > docs/checks.md``."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator

from portero.core.catalogues import CATALOGUES
from portero.core.checks import checks
from portero.core.finding import Check, called
from portero.core.text import Text
from portero.faces.page_text import paragraphs
from portero.faces.render import Renderer


def check_pages(found: Iterable[Check]) -> str:
    """Give the Markdown page of checks: an index, then one section for each, from its module's docstring."""
    held = sorted(found, key=lambda check: check.id)
    return "\n".join(
        [
            "# Posture checks",
            "",
            "Generated from `src/portero/core/checks`; change the check, not this page.",
            "A check whose needs were never read answers *unknown*, which is no pass.",
            "",
            "| id | check | severity |",
            "|---|---|---|",
            *(
                f"| [{check.id}](#{_anchor(check)}) | {_cell(check.title)} | {check.severity} |"
                for check in held
            ),
            "",
            *(line for check in held for line in _section(check)),
        ]
    )


def explanation(check: Check, renderer: Renderer) -> str:
    """Give a check's page for a terminal."""
    lines = [f"{check.id} {renderer.text(check.title)}", ""]
    for name, text in _paragraphs(check):
        said = renderer.page(text)
        lines += [f"{renderer.label('page', name)}: {said}" if name else said, ""]
    needs = tuple(map(called, check.needs)) or ("-",)
    lines += [renderer.text(Text("Needs: {needs}", needs=needs)), ""]
    lines += [
        f"{name}: {ids} ({renderer.text(CATALOGUES[name].edition)})" for name, ids in check.maps.items()
    ]
    return "\n".join(lines) + "\n"


def _section(check: Check) -> Iterator[str]:
    named = (str(said) if isinstance(said := called(need), Text) else f"`{said}`" for need in check.needs)
    needs = ", ".join(named) or "nothing in particular"
    yield f'<a id="{_anchor(check)}"></a>'
    yield ""
    yield f"## {check.id} {check.title}"
    yield ""
    yield f"Severity: {check.severity}. Needs: {needs}."
    yield ""
    for name, text in _paragraphs(check):
        yield f"**{name}:** {text}" if name else text
        yield ""
    yield "Maps to: " + "; ".join(f"{name} {ids}" for name, ids in check.maps.items()) + "."
    yield ""


def _paragraphs(check: Check) -> Iterator[tuple[str | None, str]]:
    """Give the paragraphs of the docstring that stands beside the check's judge."""
    module = inspect.getmodule(check.judge)
    return paragraphs(module.__doc__ if module else None)


def _anchor(check: Check) -> str:
    return check.id.lower()


def _cell(text: object) -> str:
    return str(text).replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # a text stream when run as a program
    sys.stdout.write(check_pages(checks()))
