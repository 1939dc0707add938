"""Entra sign-in logs of Graph, the portal or Log Analytics: successful sign-ins by SMTP, by mailbox and client address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.address import client_address, mailbox_key
from portero.core.evidence import Gap, Origin
from portero.core.exchange.smtp_auth import SIGN_INS, use_object
from portero.core.text import Text, count
from portero.sources.csv_rows import plain
from portero.sources.document import Counted, Document, Head, Item, Note, Source
from portero.sources.json_rows import rows
from portero.sources.local_times import Times

_COLUMNS = {
    "user": ("userPrincipalName", "Username", "UserPrincipalName"),
    "address": ("ipAddress", "IP address", "IPAddress"),
    "app": ("clientAppUsed", "Client app", "ClientAppUsed"),
    "time": ("createdDateTime", "Date (UTC)", "TimeGenerated [UTC]", "TimeGenerated", "Date"),
    "status": ("status", "Status", "ResultType"),
    "protocol": ("authenticationProtocol", "Authentication Protocol", "AuthenticationProtocol"),
}
_SMTP = r"(?i)\bsmtp\b"  # "Authenticated SMTP" by today's name, "SMTP" by an older one
# Graph gives a structure, the portal a word, Log Analytics a code. Source: Graph resource type signIn.
_SUCCESS = re.compile(r'"errorCode"\s*:\s*"?0"?\s*[,}]|^\s*(?:success|0)\s*$', re.IGNORECASE)
_PROTOCOLS = {"oauth2": "oauth", "ropc": "basic"}
_KEPT = 100_000


@dataclass(slots=True)
class _Use:
    line: int
    uses: int = 0
    last: datetime | None = None


def recognise(head: Head) -> bool:
    """Tell by the user, the address and the client's kind side by side."""
    names = {plain(name) for name in head.columns or head.keys}
    return (
        bool(names & {"userprincipalname", "username"})
        and "ipaddress" in names
        and bool(names & {"clientappused", "clientapp"})
    )


def read(document: Document) -> Iterator[Item]:
    """
    Give each mailbox's use by client address.

    Graph's v1.0 does not tell the protocol behind "Authenticated SMTP"; the beta's ``authenticationProtocol`` does.
    """
    times, uses = (
        Times(document, "createdDateTime", _COLUMNS["time"]),
        dict[tuple[str, str | None, str | None], _Use](),
    )
    total, failed, other, forgotten = 0, 0, 0, 0
    for block in rows(document, _COLUMNS):
        if isinstance(block, Gap):
            yield block
            continue
        none = pa.nulls(len(block.lines), pa.string())
        smtp = pc.fill_null(pc.match_substring_regex(block.cells.get("app", none), _SMTP), False)
        lines = block.lines.filter(smtp)
        other += len(block.lines) - len(lines)
        total += len(lines)
        cells = {name: held.filter(smtp) for name, held in block.cells.items()}
        none = none.filter(smtp)
        moments = (
            times.read(cells["time"], block.lines) if "time" in cells and len(lines) else pa.nulls(len(lines))
        )
        for line, user, address, status, protocol, moment in zip(
            lines.to_pylist(),
            cells.get("user", none).to_pylist(),
            cells.get("address", none).to_pylist(),
            cells.get("status", none).to_pylist(),
            cells.get("protocol", none).to_pylist(),
            moments.to_pylist(),
            strict=True,
        ):
            if not _SUCCESS.search(status or "") or "@" not in (user or ""):
                failed += 1
                continue
            key = (mailbox_key(user), _PROTOCOLS.get(plain(protocol or "")), client_address(address or ""))
            if key not in uses and len(uses) >= _KEPT:
                forgotten += 1
                continue
            use = uses.setdefault(key, _Use(line))
            use.uses += 1
            seen = None if moment is None else moment.replace(tzinfo=UTC)
            use.last = max((each for each in (use.last, seen) if each), default=None)
    for (mailbox, kind, client), use in uses.items():
        yield use_object(SIGN_INS, mailbox, kind, client, use.uses, use.last, Origin(document.name, use.line))
    if gap := times.gap():
        yield gap
    if forgotten:
        one = "{n} sign-in is of one mailbox and address too many and was left out."
        many = "{n} sign-ins are of mailboxes and addresses too many and were left out."
        yield Gap(Origin(document.name), count(one, many, forgotten), forgotten)
    yield Counted(total + other, *_span(uses))
    yield from _notes(other, failed)


def _span(uses: dict[tuple[str, str | None, str | None], _Use]) -> tuple[datetime | None, datetime | None]:
    seen = [use.last for use in uses.values() if use.last]
    return min(seen, default=None), max(seen, default=None)


def _notes(other: int, failed: int) -> Iterator[Note]:
    if other:
        one = "{n} sign-in is not by SMTP and was counted only."
        many = "{n} sign-ins are not by SMTP and were counted only."
        yield Note(count(one, many, other))
    if failed:
        one = "{n} sign-in by SMTP did not succeed and proves no use."
        many = "{n} sign-ins by SMTP did not succeed and prove no use."
        yield Note(count(one, many, failed))


SOURCE = Source("sign-ins", Text("Entra sign-in log"), recognise, read)
