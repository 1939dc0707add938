"""Markdown: findings for a ticket or a page."""

from __future__ import annotations

import re
from collections.abc import Iterator

from portero.core.finding import Finding, Outcome
from portero.core.remedy import effect
from portero.core.text import Text
from portero.exports.export import Export, Report

_ORDER = (Outcome.FAIL, Outcome.UNKNOWN, Outcome.WARN, Outcome.PASS, Outcome.NOT_APPLICABLE)
# What Markdown or the HTML behind it would obey.
_SIGNS = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def write(report: Report) -> bytes:
    """Write a table of all checks, then what is to be mended with its way back."""
    findings = sorted(report.audit.findings, key=lambda each: (_ORDER.index(each.outcome), each.id))
    lines = [f"# {report.say(Text('Posture'))}", ""]
    heads = (Text("Check"), Text("Outcome"), Text("Severity"), Text("Finding"))
    lines += ["| " + " | ".join(map(report.say, heads)) + " |", "|---|---|---|---|"]
    lines += [_row(each, report) for each in findings]
    for each in findings:
        if each.at_fault:
            lines += ["", *_section(each, report)]
    return ("\n".join(lines) + "\n").encode()


def _row(finding: Finding, report: Report) -> str:
    cells = (
        finding.id,
        report.say(finding.outcome),
        report.say(finding.severity),
        report.say(Text("{title}: {because}", title=finding.title, because=finding.because)),
    )
    return "| " + " | ".join(_plain(cell) for cell in cells) + " |"


def _section(finding: Finding, report: Report) -> Iterator[str]:
    yield f"## {finding.id} {_plain(report.say(finding.title))}"
    yield ""
    yield _plain(report.say(finding.because))
    if finding.effect is not None:
        yield ""
        yield _plain(report.say(effect(finding.effect)))
    for label, text in ((Text("Fix"), finding.fix), (Text("Way back"), finding.undo)):
        yield ""
        yield f"**{report.say(label)}**"
        yield ""
        yield _fenced(report.say(text))


def _fenced(text: str) -> str:
    """Fence a text with more backticks than it holds in a row. Source: CommonMark 0.31 section 4.5."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}powershell\n{text}\n{fence}"


def _plain(text: str) -> str:
    return _SIGNS.sub(r"\\\1", " ".join(text.split()))


EXPORT = Export("markdown", "findings.md", Text("Markdown, for tickets and pages"), write)
