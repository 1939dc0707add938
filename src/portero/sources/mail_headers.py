"""What the header of one mail tells of how Exchange Online took it, as a row of ``mail_rows``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import pyarrow as pa

from portero.core.address import domain_of
from portero.core.evidence_rows import MAIL_ROWS
from portero.core.exchange.headers import ExchangeHeaders
from portero.core.mail.authres import AuthenticationResults
from portero.core.mail.mime import Mail
from portero.core.mail.received import Hop
from portero.core.message.boundary import Boundary, EntryKind, find_boundary
from portero.sources.custom_data import called
from portero.sources.document import Batch
from portero.sources.mail_rows import mail_batch

_TYPES = {field.name: field.type for field in MAIL_ROWS if field.name not in {"document", "witness"}}
_DESTINATIONS = {
    "I": "delivered",
    "J": "junked",
    "C": "delivered",
}  # X-Microsoft-Antispam-Mailbox-Delivery, dest
Row = dict[str, object]


def header_row(mail: Mail) -> Row | None:
    """
    Give a mail's row, or None where its header does not show that Exchange Online was the last to take it.

    Only what Exchange Online itself wrote is used, besides From, Subject and Message-ID, which are anybody's.
    Recipients are left out: the header names whom the sender wrote to, not where the mail went.
    """
    boundary = find_boundary(mail)
    entry = boundary.entry
    if entry is None or not boundary.trusted:
        return None
    stamps = boundary.stamps
    if not (stamps.network_message_id or stamps.auth_as or stamps.report or boundary.results):
        return None
    client_ip, ehlo, ptr = _client(boundary, entry)
    author = next((box for box in mail.mailboxes("From") if box.address), None)
    report = stamps.report
    return {
        "network_message_id": stamps.network_message_id,
        "message_id": _text((mail.first("Message-ID") or "").strip(" <>")) or None,
        "observed_at": _naive(entry.observed_at),
        "mail_from": _mail_from(mail, boundary.results),
        "header_from": _text(author.address) if author else None,
        "display_name": _text(author.name) or None if author else None,
        "client_ip": client_ip,
        "ehlo": _text(ehlo) or None,
        "ptr": None if ptr is None else _text(ptr),
        # The one stamp that says so; no header names the connector that took a mail.
        "connector": "" if stamps.direct_send is True else None,
        "direction": _direction(stamps),
        **_results(boundary),
        "outcome": _DESTINATIONS.get((stamps.destination or "").upper()),
        "threat": None
        if report is None or not (report.category or report.verdict)
        else called(report.category, report.verdict),
        "subject": _text(mail.text("Subject")) or None,
    }


def header_batch(witness: str, rows: Sequence[Row]) -> Batch:
    """Make a batch of rows that carry their ``line``."""
    columns: dict[str, pa.Array | None] = {
        name: pa.array([row.get(name) for row in rows], kind) for name, kind in _TYPES.items()
    }
    return mail_batch(witness, columns.pop("line"), columns)


def _client(boundary: Boundary, entry: Hop) -> tuple[str | None, str, str | None]:
    """Give address, greeting and reverse name of the client; an address of ``""`` for a mailbox program."""
    if boundary.kind is EntryKind.MAILBOX:
        return "", "", None
    if boundary.kind is EntryKind.SUBMISSION:
        return entry.client_ip, entry.helo, entry.client_name or None
    if boundary.kind is not EntryKind.FRONT_DOOR:
        return None, "", None
    report, results = boundary.stamps.report, boundary.results
    seen = (report.client_ip if report else None) or (results.client_ip if results else None)
    return (
        seen or entry.client_ip,
        (report.ehlo if report else None) or entry.helo,
        report.ptr if report and report.ptr is not None else entry.client_name or None,
    )


def _direction(stamps: ExchangeHeaders) -> str | None:
    said = (stamps.directionality or "").lower()
    if said in {"incoming", "originating"}:
        return said
    return "incoming" if (stamps.auth_as or "").lower() == "anonymous" else None


def _mail_from(mail: Mail, results: AuthenticationResults | None) -> str | None:
    """Give P1: Return-Path, which delivery writes, unless the results name another domain; then that domain alone."""
    spf = results.first("spf") if results else None
    checked = (
        domain_of(f"@{named.rpartition('@')[2]}") if spf and (named := spf.named("smtp.mailfrom")) else None
    )
    path = mail.first("Return-Path")
    written = None if path is None else _text(path.strip(" <>"))
    if written is not None and (checked is None or domain_of(written) == checked):
        return written
    return f"@{checked}" if checked else None


def _results(boundary: Boundary) -> Mapping[str, str | None]:
    found, composite = boundary.results, boundary.stamps.compauth
    told: dict[str, str | None] = {
        "compauth": composite.result if composite else None,
        "compauth_reason": composite.reason if composite else None,
    }
    if found is None:
        return told
    signatures = found.all("dkim")
    best = next((each for each in signatures if each.result == "pass"), next(iter(signatures), None))
    domain = best.named("header.d") if best else None
    spf, dmarc = found.first("spf"), found.first("dmarc")
    return told | {
        "spf": spf.result if spf else None,
        "dkim": best.result if best else None,
        "dkim_domain": None if domain in (None, "", "none") else domain.lower(),
        "dmarc": dmarc.result if dmarc else None,
    }


def _naive(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=None)


def _text(text: str) -> str:
    """Give a text that any table holds: no lone surrogates."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
