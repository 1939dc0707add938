"""Unified audit log: mails that the filter caught or users reported, and who changed connectors and rules when."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pyarrow as pa

from portero.core.evidence import ConfigAnswer, ConfigObject, Gap, Origin
from portero.core.evidence_rows import MAIL_ROWS
from portero.core.text import Text, count
from portero.sources.csv_rows import CUTS, plain
from portero.sources.document import Batch, Counted, Document, Head, Item, Note, Source
from portero.sources.json_rows import rows
from portero.sources.mail_rows import guids, iso_times, mail_batch, message_ids

# What a record tells stands in AuditData as JSON, or is the record itself in what the management interface gives.
_FACTS = (
    "RecordType",
    "CreationTime",
    "Operation",
    "UserId",
    "ObjectId",
    "ResultStatus",
    "Parameters",
    "NetworkMessageId",
    "InternetMessageId",
    "MessageTime",
    "P1Sender",
    "P2Sender",
    "SenderIp",
    "Recipients",
    "Subject",
    "Verdict",
    "DeliveryAction",
    "LatestDeliveryLocation",
    "OriginalDeliveryLocation",
    "Directionality",
    "Connectors",
    "AuthDetails",
)
_COLUMNS = {"AuditData": ("AuditData",)} | {name: (name,) for name in _FACTS}
_MAILS = {"28", "29", "threatintelligence", "mailsubmission"}
_CHANGES = re.compile(
    r"(?:New|Set|Remove|Enable|Disable)-(?:InboundConnector|OutboundConnector|TransportRule|AcceptedDomain|RemoteDomain"
    r"|OrganizationConfig|TransportConfig|HostedConnectionFilterPolicy|HostedContentFilterPolicy|AntiPhishPolicy"
    r"|DkimSigningConfig|CASMailbox|TenantAllowBlockListSpoofItems|TenantAllowBlockListItems|ArcConfig|AuthenticationPolicy)",
    re.IGNORECASE,
)
# Of cmdlets that set many things, the parameters that decide over mail.
_DECIDING = {
    "set-organizationconfig": re.compile(
        "RejectDirectSend|SendFromAlias|DefaultAuthenticationPolicy", re.IGNORECASE
    ),
    "set-transportconfig": re.compile("SmtpClientAuthentication|AllowLegacyTls", re.IGNORECASE),
    "set-casmailbox": re.compile("SmtpClientAuthentication", re.IGNORECASE),
}
_CHANGES_KEPT = 2000
# As whose answer the records of changes count.
LOG = "Search-UnifiedAuditLog"
_BLOCK = 4096
_DIRECTIONS = {"inbound": "incoming", "outbound": "originating", "intraorg": "originating"}
_LOCATIONS = (("quarantine", "quarantined"), ("junk", "junked"), ("fail", "failed"), ("drop", "blocked"))
_ACTIONS = {"delivered": "delivered", "junked": "junked", "blocked": "blocked", "replaced": "delivered"}
_THREATS = ("phish", "spoof", "malware", "spam")
_SCHEMA = {field.name: field.type for field in MAIL_ROWS}
Record = dict[str, object]


def recognise(head: Head) -> bool:
    """Tell by the record's own JSON in a table, or by what every record has."""
    names = {plain(name) for name in head.columns or head.keys}
    return ("auditdata" in names and bool(names & {"recordtype", "operations", "operation"})) or (
        not head.columns and {"recordtype", "creationtime", "operation", "workload"} <= names
    )


def read(document: Document) -> Iterator[Item]:
    """Stream mails as rows, give the latest changes as objects, count the rest. Source: reference data-formats section 9."""
    held = _Held(document.name)
    for block in rows(document, _COLUMNS):
        if isinstance(block, Gap):
            yield block
            continue
        cells = {name: column.to_pylist() for name, column in block.cells.items()}
        for at, line in enumerate(block.lines.to_pylist()):
            held.take(line, {name: column[at] for name, column in cells.items() if column[at] is not None})
            if len(held.mails) >= _BLOCK:
                yield held.batch()
    if held.mails:
        yield held.batch()
    yield from held.items()


class _Held:
    """What was read of a document and is not given yet."""

    def __init__(self, name: str) -> None:
        self.mails: list[dict[str, object]] = []
        self._name = name
        self._changes: list[tuple[datetime, ConfigObject]] = []
        self._total, self._other, self._unread, self._mails = 0, 0, 0, 0
        self._first: datetime | None = None
        self._last: datetime | None = None

    def take(self, line: int, cells: dict[str, str]) -> None:
        """Take one record."""
        self._total += 1
        record = _record(cells)
        if record is None:
            self._unread += 1
            return
        moment = _time(record.get("CreationTime"))
        if moment:
            self._first, self._last = min(self._first or moment, moment), max(self._last or moment, moment)
        operation = str(record.get("Operation") or "")
        kind = str(record.get("RecordType")).strip().lower()
        if (kind in _MAILS or operation == "TIMailData") and (
            record.get("NetworkMessageId") or record.get("InternetMessageId")
        ):
            self._mails += 1
            self.mails.append({"line": line, **_mail(record)})
        elif _decides(operation, record):
            # Who changed what is for checks to say: a note on the document would make the document doubtful.
            held = ConfigObject(LOG, record, Origin(self._name, line))
            self._changes.append((moment or datetime.min.replace(tzinfo=UTC), held))
            if len(self._changes) > 2 * _CHANGES_KEPT:
                self._changes = self._latest()
        else:
            self._other += 1

    def batch(self) -> Batch:
        """Give the mails read so far as rows."""
        mails, self.mails = self.mails, []
        columns = {
            name: [each.get(name) for each in mails]
            for name in _SCHEMA
            if name not in {"document", "witness"}
        }
        arrays: dict[str, pa.Array | None] = {
            name: pa.array(values, pa.string() if name == "observed_at" else _SCHEMA[name])
            for name, values in columns.items()
        }
        lines = arrays.pop("line")
        arrays["observed_at"] = iso_times(arrays["observed_at"])
        arrays["network_message_id"] = guids(arrays["network_message_id"])
        arrays["message_id"] = message_ids(arrays["message_id"])
        return mail_batch(SOURCE.id, lines, arrays)

    def items(self) -> Iterator[Item]:
        """Give what concerns the document as a whole."""
        yield from (change for _, change in self._latest())
        yield ConfigAnswer(LOG, Origin(self._name), self._total not in CUTS and not self._unread)
        if self._unread:
            one = "{n} record's AuditData is no JSON that can be read. Export it again."
            many = "{n} records' AuditData is no JSON that can be read. Export them again."
            yield Gap(Origin(self._name), count(one, many, self._unread), self._unread)
        if self._other:
            one = "{n} audit record is about something else and was counted only."
            many = "{n} audit records are about something else and were counted only."
            yield Note(count(one, many, self._other))
        if not self._mails:
            yield Counted(self._total, self._first, self._last)
        if self._total in CUTS:
            reason = Text(
                "Exactly {rows} rows: probably cut by the export. Ask again for shorter periods.",
                rows=self._total,
            )
            yield Note(reason)

    def _latest(self) -> list[tuple[datetime, ConfigObject]]:
        return sorted(self._changes, key=lambda each: each[0], reverse=True)[:_CHANGES_KEPT]


def _record(cells: dict[str, str]) -> Record | None:
    """Give a record's facts; None where its AuditData cannot be read."""
    data = cells.pop("AuditData", None)
    if data is None:
        return dict(cells)
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    return {name: value for name, value in found.items() if value is not None or name == "Connectors"}


def _mail(record: Record) -> dict[str, object]:
    action, location = (
        str(record.get("DeliveryAction") or ""),
        str(record.get("LatestDeliveryLocation") or ""),
    )
    verdict = str(record.get("Verdict") or "").lower()
    results = _results(record.get("AuthDetails"))
    mail_from = record.get("P1Sender")
    return {
        "network_message_id": _string(record.get("NetworkMessageId")),
        "message_id": _string(record.get("InternetMessageId")),
        "observed_at": _string(record.get("MessageTime")) or _string(record.get("CreationTime")),
        "mail_from": mail_from.strip(" <>") if isinstance(mail_from, str) else None,
        "header_from": _string(record.get("P2Sender")),
        "recipients": ";".join(_texts(record.get("Recipients"))).lower() or None,
        "client_ip": _string(record.get("SenderIp")),
        # Older records lack the member: that is not the same as none.
        "connector": ";".join(_texts(record["Connectors"])) if "Connectors" in record else None,
        "direction": _DIRECTIONS.get(plain(str(record.get("Directionality") or ""))),
        "spf": results.get("spf"),
        "dkim": results.get("dkim"),
        "dmarc": results.get("dmarc"),
        "compauth": results.get("compauth") or results.get("compositeauthentication"),
        "outcome": next((word for start, word in _LOCATIONS if location.lower().startswith(start)), None)
        or _ACTIONS.get(action.lower()),
        "threat": next((name for name in _THREATS if name in verdict), None),
        "subject": _string(record.get("Subject")),
    }


def _results(details: object) -> dict[str, str]:
    """Read ``[{"Name": "SPF", "Value": "Pass"}, …]``, or the same as JSON text."""
    return {
        plain(str(each.get("Name"))): str(each.get("Value")).strip().lower()
        for each in _list(details)
        if isinstance(each, dict) and each.get("Value")
    }


def _decides(operation: str, record: Record) -> bool:
    """Tell whether a record is of a change to what decides over mail."""
    if not _CHANGES.fullmatch(operation):
        return False
    deciding = _DECIDING.get(operation.lower())
    names = [str(each.get("Name")) for each in _list(record.get("Parameters")) if isinstance(each, dict)]
    return deciding is None or any(map(deciding.search, names))


def _list(value: object) -> list[object]:
    if isinstance(value, str) and value.startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return []
    return value if isinstance(value, list) else []


def _texts(value: object) -> list[str]:
    if isinstance(value, str) and not value.startswith("["):
        return [value] if value.strip() else []
    return [each for each in _list(value) if isinstance(each, str) and each.strip()]


def _string(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def _time(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


SOURCE = Source("audit-log", Text("Unified audit log"), recognise, read)
