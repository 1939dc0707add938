"""What the header of one mail tells of how Exchange Online took it, as a row of ``mail_rows``."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from portero.core.address import domain_of
from portero.core.evidence import MAIL_ROWS
from portero.core.exchange.headers import ExchangeHeaders, read_exchange_headers
from portero.core.mail.authres import AuthenticationResults, parse_authentication_results
from portero.core.mail.mime import Mail
from portero.core.mail.received import Hop, parse_received
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
_HOPS = 100
# Exchange Online's own servers, and among them the doors at which mail of others comes in. Source: exchange-online 4.1.
_SERVERS = re.compile(
    r"(?:^|\.)(?:outlook\.com|outlook\.office365\.com|exchangelabs\.com|mx\.microsoft|office365\.us|partner\.outlook\.cn)\Z",
    re.IGNORECASE,
)
_DOORS = re.compile(r"\.(?:mail\.protection\.|mail\.eo\.)|\.mx\.microsoft\Z", re.IGNORECASE)
# Addresses by which its servers talk to one another.
_BETWEEN = tuple(
    ipaddress.ip_network(text)
    for text in (
        "2603:1000::/24",
        "2a01:111:f400::/48",
        "2a01:111:f403::/48",
        "fe80::/10",
        "::1/128",
        "10.0.0.0/8",
        "127.0.0.0/8",
        "25.0.0.0/8",
    )
)


@dataclass(frozen=True, slots=True)
class _Taken:
    """
    How Exchange Online took a mail.

    entry:    the Received line with which it did.
    outside:  whether the client of that line is none of its servers; a mailbox program is inside.
    mailbox:  whether a mailbox program handed it in.
    results:  its own Authentication-Results, or None.
    """

    entry: Hop
    outside: bool
    mailbox: bool
    stamps: ExchangeHeaders
    results: AuthenticationResults | None


def _taken(mail: Mail) -> _Taken | None:
    """Find how Exchange Online took a mail; None where another server took it last, so that its stamps prove nothing."""
    places = [at for at, (name, _) in enumerate(mail.fields) if name.lower() == "received"][:_HOPS]
    hops = [parse_received(mail.fields[at][1]) for at in places]
    if not hops or not _SERVERS.search(hops[0].by.rstrip(".")):
        return None
    number = next((n for n in range(len(hops)) if _ends(hops, n)), len(hops) - 1)
    entry = hops[number]
    mailbox = entry.protocol.lower().startswith("mapi")
    results = None
    for name, value in mail.fields[: places[number]]:
        if name.lower() == "authentication-results":
            found = parse_authentication_results(value)
            # Exchange Online writes no name of a server before its results. Source: exchange-online 4.2.
            if found.authserv_id is None and found.first("spf"):
                results = found
                break
    door = _DOORS.search(entry.by) is not None
    outside = not mailbox and entry.client_ip is not None and (door or not _between(entry.client_ip))
    return _Taken(entry, outside, mailbox, read_exchange_headers(mail.fields), results)


def _ends(hops: Sequence[Hop], number: int) -> bool:
    """Tell whether the way through Exchange Online begins with this line: the one below it is somebody else's."""
    hop = hops[number]
    # At a door a client may be another tenant's server, whose address is Microsoft's too.
    if hop.protocol.lower().startswith("mapi") or _DOORS.search(hop.by):
        return True
    if hop.client_ip is not None and not _between(hop.client_ip):
        return True
    return number + 1 == len(hops) or not _SERVERS.search(hops[number + 1].by.rstrip("."))


def _between(address: str) -> bool:
    held = ipaddress.ip_address(address)
    return any(held in network for network in _BETWEEN if network.version == held.version)


def header_row(mail: Mail) -> Row | None:
    """
    Give a mail's row, or None where its header does not show that Exchange Online was the last to take it.

    Only what Exchange Online itself wrote is used, besides From, Subject and Message-ID, which are anybody's.
    Recipients are left out: the header names whom the sender wrote to, not where the mail went.
    """
    taken = _taken(mail)
    if taken is None:
        return None
    stamps, entry = taken.stamps, taken.entry
    if not (stamps.network_message_id or stamps.auth_as or stamps.report or taken.results):
        return None
    client_ip, ehlo, ptr = _client(taken)
    author = next((box for box in mail.mailboxes("From") if box.address), None)
    report = stamps.report
    return {
        "network_message_id": stamps.network_message_id,
        "message_id": _text((mail.first("Message-ID") or "").strip(" <>")) or None,
        "observed_at": _naive(entry.observed_at),
        "mail_from": _mail_from(mail, taken.results),
        "header_from": _text(author.address) if author else None,
        "display_name": _text(author.name) or None if author else None,
        "client_ip": client_ip,
        "ehlo": _text(ehlo) or None,
        "ptr": None if ptr is None else _text(ptr),
        # The one stamp that says so; no header names the connector that took a mail.
        "connector": "" if stamps.direct_send is True else None,
        "direction": _direction(taken),
        **_results(taken),
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


def _client(taken: _Taken) -> tuple[str | None, str, str | None]:
    """Give address, greeting and reverse name of the client; an address of ``""`` for a mailbox program."""
    entry, report, results = taken.entry, taken.stamps.report, taken.results
    if taken.mailbox:
        return "", "", None
    if not taken.outside:
        return None, "", None
    if not _DOORS.search(entry.by):
        return entry.client_ip, entry.helo, entry.client_name or None
    seen = (report.client_ip if report else None) or (results.client_ip if results else None)
    return (
        seen or entry.client_ip,
        (report.ehlo if report else None) or entry.helo,
        report.ptr if report and report.ptr is not None else entry.client_name or None,
    )


def _direction(taken: _Taken) -> str | None:
    said = (taken.stamps.directionality or "").lower()
    if said in {"incoming", "originating"}:
        return said
    return "incoming" if (taken.stamps.auth_as or "").lower() == "anonymous" else None


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


def _results(taken: _Taken) -> Mapping[str, str | None]:
    found, composite = taken.results, taken.stamps.compauth
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
