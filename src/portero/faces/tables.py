"""senders.csv and findings.csv: flat tables for a spreadsheet, in which no cell of evidence becomes a formula."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from io import StringIO

from portero.core.audit import Audit
from portero.core.sender import Reason
from portero.faces.audit_json import iso
from portero.faces.render import Renderer, plain

# What a spreadsheet takes for the start of a formula, full-width forms included.
_FORMULA = "=+\\-@＝＋－＠"
# The start of a cell, or what becomes one where the spreadsheet splits the line at semicolons (Spanish Excel does, and
# then quotation marks in mid-line protect nothing), tabs or commas; spaces and quotation marks do not stop a formula.
_START = re.compile(rf"(^|[;,|\t\r\n])([\s\"'“”]*)([{_FORMULA}])")
_SENDERS = (
    "id", "label", "kind", "judgement", "confidence", "decided_by", "owner", "path", "connector", "client_networks",
    "mail_from_domains", "header_from_domains", "header_from", "ehlo", "messages", "outside_messages", "recipients",
    "first_seen", "last_seen", "because", "purpose", "criticality", "decision",
)  # fmt: skip
_FINDINGS = ("id", "title", "outcome", "severity", "because", "origins", "fix", "undo", "maps")


def senders_csv(audit: Audit, renderer: Renderer) -> bytes:
    """Write the inventory as CSV, a row for each sender; lists are joined with semicolons. Source: contract section 3."""
    return table(
        _SENDERS,
        (
            (
                sender.id,
                renderer.text(sender.label),
                sender.kind.value,
                sender.judgement.value,
                round(sender.confidence, 4),
                sender.decided_by.value,
                sender.owner,
                sender.path.value,
                sender.connector,
                _joined(sender.client_networks),
                _joined(sender.mail_from_domains),
                _joined(sender.header_from_domains),
                _joined(sender.header_from),
                _joined(sender.ehlo),
                sender.mails,
                sender.outside,
                sender.recipients,
                iso(sender.first_seen),
                iso(sender.last_seen),
                _reasons(sender.because, renderer),
                sender.purpose,
                sender.criticality.value if sender.criticality else None,
                sender.ruling.standing.value if sender.ruling else None,
            )
            for sender in audit.senders
        ),
    )


def findings_csv(audit: Audit, renderer: Renderer) -> bytes:
    """Write the findings as CSV, a row for each check. Source: contract section 3."""
    return table(
        _FINDINGS,
        (
            (
                finding.id,
                renderer.text(finding.title),
                finding.outcome.value,
                finding.severity.value,
                renderer.text(finding.because),
                _joined(map(str, finding.origins)),
                _one_line(renderer.text(finding.fix)),
                _one_line(renderer.text(finding.undo)),
                _joined(f"{name} {identity}" for name, identity in sorted(finding.maps.items())),
            )
            for finding in audit.findings
        ),
    )


def defused(text: str) -> str:
    """
    Give a cell that no spreadsheet takes for a formula: an apostrophe goes before the sign that would start one.

    Source: OWASP, CSV Injection; contract section 3.
    """
    return _START.sub(r"\1\2'\3", plain(text))


def _one_line(commands: str) -> str:
    # PowerShell reads a semicolon as it reads the end of a line.
    return commands.replace("\n", "; ")


def _joined(items: Iterable[str]) -> str:
    return "; ".join(items)


def _reasons(reasons: Iterable[Reason], renderer: Renderer) -> str:
    return "; ".join(f"{renderer.text(reason.text)} ({reason.weight:.2f})" for reason in reasons)


def table(header: Sequence[str], rows: Iterable[Iterable[object]]) -> bytes:
    """Write rows as CSV in UTF-8 with a byte order mark; texts are defused."""
    out = StringIO()
    # RFC 4180 section 2: CRLF; the byte order mark makes Excel read UTF-8.
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([defused(cell) if isinstance(cell, str) else cell for cell in row])
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8")
