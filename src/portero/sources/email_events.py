"""EmailEvents of Defender XDR: one row a mail and recipient, with P1, P2, address and verdicts side by side."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.evidence import Gap, Origin
from portero.core.text import Text, count
from portero.sources.csv_rows import CUTS, Rows, plain
from portero.sources.document import Batch, Document, Head, Item, Note, Source
from portero.sources.json_rows import rows
from portero.sources.local_times import Times
from portero.sources.mail_rows import guids, integers, mail_batch, message_ids, words

# A join renames the second table's columns with a 1, and Log Analytics shows times as "Timestamp [UTC]".
_COLUMNS = {
    name: (name, f"{name}1", f"{name} [UTC]")
    for name in (
        "Timestamp",
        "NetworkMessageId",
        "InternetMessageId",
        "SenderMailFromAddress",
        "SenderFromAddress",
        "SenderDisplayName",
        "SenderIPv4",
        "SenderIPv6",
        "RecipientEmailAddress",
        "Subject",
        "EmailDirection",
        "DeliveryAction",
        "DeliveryLocation",
        "ThreatTypes",
        "DetectionMethods",
        "AuthenticationDetails",
        "Connectors",
        "EmailSize",
    )
}
# The companion tables share the other names, but none of these.
_OWN = {"sendermailfromaddress", "senderipv4", "authenticationdetails", "connectors"}
_DIRECTIONS = {"inbound": "incoming", "outbound": "originating", "intra-org": "originating"}
# Where the mail went is more exact than what was done: quarantined mail is "Blocked" too.
_LOCATIONS = (
    ("quarantine", "quarantined"),
    ("junk", "junked"),
    ("failed", "failed"),
    ("dropped", "blocked"),
)
_ACTIONS = {"delivered": "delivered", "junked": "junked", "blocked": "blocked", "replaced": "delivered"}
_THREATS = ("phish", "spoof", "malware", "spam")  # the first one that is named stands for the mail
_METHOD = re.compile(r"[^\s\[\]{}\"',:;][^\[\]{}\"',:;]*")  # one of ``{"Phish":["Spoof intra-org"]}``
_VERDICT_CHARACTERS = 4096  # longer text is no AuthenticationDetails


def recognise(head: Head) -> bool:
    """Tell by the mail's id and one column that the companion tables (URLs, attachments, later moves) lack."""
    names = {plain(name).removesuffix("utc").removesuffix("1") for name in head.columns or head.keys}
    return {"networkmessageid", "senderfromaddress"} <= names and not _OWN.isdisjoint(names)


def read(document: Document) -> Iterator[Item]:
    """Stream the rows; a column that the query left out is null. Source: reference data-formats section 8."""
    total, undated, times = 0, 0, Times(document, "Timestamp", _COLUMNS["Timestamp"])
    for block in rows(document, _COLUMNS, table="EmailEvents"):
        if isinstance(block, Gap):
            yield block
            continue
        batch = _batch(block, times)
        total += batch.rows.num_rows
        undated += batch.rows.column("observed_at").null_count
        yield batch
    if undated:
        one = "{n} row has no time that can be read. Keep the column Timestamp in the query, in UTC."
        many = "{n} rows have no time that can be read. Keep the column Timestamp in the query, in UTC."
        yield Gap(Origin(document.name), count(one, many, undated), undated)
    if total in CUTS or total == 30_000:  # the portal's own cap
        reason = Text(
            "Exactly {rows} rows: probably cut by the export. Ask again for shorter periods.", rows=total
        )
        yield Note(reason)


def _batch(block: Rows, times: Times) -> Batch:
    cells = block.cells
    mail_from, observed = cells.get("SenderMailFromAddress"), cells.get("Timestamp")
    recipients = cells.get("RecipientEmailAddress")
    verdicts = cells.get("AuthenticationDetails")
    return mail_batch(
        SOURCE.id,
        block.lines,
        {
            "network_message_id": guids(cells.get("NetworkMessageId")),
            "message_id": message_ids(cells.get("InternetMessageId")),
            "observed_at": None if observed is None else times.read(observed, block.lines),
            "mail_from": None if mail_from is None else pc.ascii_trim(mail_from, " <>"),
            "header_from": cells.get("SenderFromAddress"),
            "display_name": cells.get("SenderDisplayName"),
            "recipients": None if recipients is None else pc.utf8_lower(recipients),
            "client_ip": _client(cells),
            "connector": cells.get("Connectors"),
            "direction": words(
                cells.get("EmailDirection"), lambda text: _DIRECTIONS.get(text.strip().lower())
            ),
            "spf": words(verdicts, partial(_verdict, "spf")),
            "dkim": words(verdicts, partial(_verdict, "dkim")),
            "dmarc": words(verdicts, partial(_verdict, "dmarc")),
            "compauth": words(verdicts, partial(_verdict, "compauth")),
            "outcome": _outcome(cells),
            "threat": words(_found(cells), _threat),
            "subject": cells.get("Subject"),
            "size_octets": integers(cells.get("EmailSize")),
        },
    )


def _client(cells: dict[str, pa.Array]) -> pa.Array | None:
    """Give the address of either family; that there is none is known only when the query kept both columns."""
    four, six = cells.get("SenderIPv4"), cells.get("SenderIPv6")
    if four is not None and six is not None:
        return pc.if_else(pc.equal(four, ""), six, four)
    only = six if four is None else four
    return None if only is None else pc.if_else(pc.equal(only, ""), pa.scalar(None, pa.string()), only)


def _outcome(cells: dict[str, pa.Array]) -> pa.Array | None:
    action, location = cells.get("DeliveryAction"), cells.get("DeliveryLocation")
    if action is None or location is None:
        return words(action if location is None else location, _fate)
    return words(pc.binary_join_element_wise(action, location, "|"), _fate)


def _fate(text: str) -> str | None:
    action, _, location = text.lower().rpartition("|")
    for start, word in _LOCATIONS:
        if location.strip().startswith(start):
            return word
    return _ACTIONS.get((action or location).strip())


def _found(cells: dict[str, pa.Array]) -> pa.Array | None:
    """Give what was found and, behind a line break, by which methods."""
    types, methods = cells.get("ThreatTypes"), cells.get("DetectionMethods")
    if types is None or methods is None:
        return types
    return pc.binary_join_element_wise(types, pc.fill_null(methods, ""), "\n")


def _threat(text: str) -> str | None:
    """
    Name the threat.

    Exchange calls mail in an own name that fails authentication phishing, by the method "Spoof intra-org" (reference
    data-formats section 9): found by nothing else it is ``spoof``, and where no method is told ``perhaps-spoof``.
    """
    types, _, methods = text.lower().partition("\n")
    if not types.strip(' []"'):
        return ""
    threat = next((name for name in _THREATS if name in types), None)
    if threat != "phish":
        return threat
    named = [name for name in _METHOD.findall(_of_phish(methods)) if name not in _THREATS]
    if not named:
        return "perhaps-spoof"
    return "spoof" if all(name.startswith("spoof") for name in named) else "phish"


def _of_phish(methods: str) -> str:
    """Give the methods of phishing alone where they are told by threat, as ``{"Phish":[…],"Spam":[…]}``."""
    try:
        told = json.loads(methods[:_VERDICT_CHARACTERS])
    except (ValueError, RecursionError):
        return methods
    return str(told.get("phish") or "") if isinstance(told, dict) else methods


def _verdict(method: str, text: str) -> str | None:
    """Give one method's result word out of ``{"SPF":"pass","DKIM":"none",…}``, in lower case."""
    try:
        details = json.loads(text[:_VERDICT_CHARACTERS])
    except (ValueError, RecursionError):
        return None
    if not isinstance(details, dict):
        return None
    found = next((value for name, value in details.items() if name.lower() == method), None)
    return found.strip().lower() or None if isinstance(found, str) else None


SOURCE = Source("email-events", Text("Defender hunting table EmailEvents"), recognise, read)
