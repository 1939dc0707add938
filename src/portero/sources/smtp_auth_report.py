"""SMTP AUTH clients report of the Exchange admin centre: which mailboxes submit mail, and by which authentication."""

from __future__ import annotations

from collections.abc import Iterator

from portero.core.evidence import ConfigObject, Gap, Origin
from portero.core.exchange.smtp_auth import REPORT, use_object
from portero.core.text import Text
from portero.sources.csv_rows import csv_rows, plain
from portero.sources.document import Counted, Document, Head, Item, Note, Source

# The page names the columns, the file's heading follows the portal. Source: reference data-formats section 6.
_COLUMNS = {
    "mailbox": ("Sender address", "SenderAddress", "Sender"),
    "mails": ("Messages sent", "MessageCount", "Message count"),
    "protocol": ("Authentication protocol", "Auth protocol", "AuthProtocol", "Authentication", "Protocol"),
}
_PROTOCOLS = {"basic": "basic", "basicauth": "basic", "oauth": "oauth", "oauth2": "oauth", "modern": "oauth"}


def recognise(head: Head) -> bool:
    """Tell by a sender's number of messages beside TLS versions or the authentication."""
    names = {plain(name) for name in head.columns}
    shares = any(name.startswith(("tls10", "tls11", "tls12")) for name in names)
    kind = {"authenticationprotocol", "authprotocol"} & names
    return bool(names & {"senderaddress", "sender"}) and "messagessent" in names and bool(shares or kind)


def read(document: Document) -> Iterator[Item]:
    """Give each mailbox's use; what the authentication is, is known since October 2024 only."""
    total, unknown = 0, 0
    for block in csv_rows(document, _COLUMNS):
        if isinstance(block, Gap):
            yield block
            continue
        cells = {name: held.to_pylist() for name, held in block.cells.items()}
        empty = [None] * len(block.lines)
        for line, mailbox, mails, word in zip(
            block.lines.to_pylist(),
            cells.get("mailbox", empty),
            cells.get("mails", empty),
            cells.get("protocol", empty),
            strict=True,
        ):
            if not mailbox or "@" not in mailbox:
                yield Gap(Origin(document.name, line), Text("The row names no sender."))
                continue
            total += 1
            protocol = _PROTOCOLS.get(plain(word or ""))
            unknown += protocol is None
            yield _use(mailbox, protocol, mails, Origin(document.name, line))
    if total:
        yield Counted(total)
    if unknown:
        yield Note(
            Text(
                "The report lacks the authentication of some mailboxes, so Basic and OAuth are not told apart there."
            )
        )


def _use(mailbox: str, protocol: str | None, mails: str | None, origin: Origin) -> ConfigObject:
    number = (mails or "").replace(",", "").replace(".", "").strip()
    uses = int(number) if number.isascii() and number.isdigit() and len(number) < 16 else None
    return use_object(REPORT, mailbox, protocol, None, uses, None, origin)


SOURCE = Source("smtp-auth-report", Text("SMTP AUTH clients report"), recognise, read)
