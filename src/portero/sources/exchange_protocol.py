"""
SMTP protocol logs of Exchange servers' receive and send connectors: the sessions of devices, to the letter.

Sessions interleave, so that they are told apart by their id. Source: reference data-formats section 13; Microsoft's page
on protocol logging.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

from portero.core.text import Text
from portero.sources.document import Document, Head, Item, Source
from portero.sources.log_lines import Lines, matches
from portero.sources.relay_log import Line, Queue, known, mailbox, number, relayed

_FIELDS = re.compile(
    r"^#Fields: *date-time,connector-id,session-id,sequence-number,local-endpoint", re.MULTILINE
)
_LINE = r"^\d{4}-\d\d-\d\dT[\d:.]+Z,"
_START = re.compile(
    r'\d{4}-\d\d-\d\dT[\d:.]+Z,(?:[^,"\n]*|"[^"\n]*"),[0-9A-F]{16},\d+,[^,\n]*:\d+,[^,\n]*:\d*,[-+<>*],',
    re.IGNORECASE,
)
_ENDPOINT = re.compile(r"\[?([0-9A-Fa-f.:]+?)\]?:(\d+)\Z")
_COMMAND = re.compile(r"(EHLO|HELO|MAIL FROM|RCPT TO|DATA|BDAT|RSET)[: ]?\s*(<[^>]*>|\S*)", re.IGNORECASE)
_QUEUED = re.compile(r"250 2\.[06]\.0 <?([^\s<>]+@[^\s<>]+)>? ")


def recognise(head: Head) -> bool:
    """Tell by the log's own heading, or by a line of a session."""
    return _FIELDS.search(head.text) is not None or _START.match(head.text) is not None


def read(document: Document) -> Iterator[Item]:
    """Stream the mails that were handed over and the ones that were refused."""
    return relayed(document, SOURCE.id, _wanted, _say)


def _wanted(block: Lines) -> Lines:
    return block.filter(matches(block.text, _LINE))


def _say(queue: Queue, line: Line) -> None:
    try:
        cells = next(csv.reader([line.text]), [])
    except csv.Error:
        return
    if len(cells) < 8:
        return
    _, _, session, _, local, remote, event, data = cells[:8]
    if event == "+":
        queue.done(session)
        queue.note(session, local=local, remote=remote)
    elif event == "-":
        _end(queue, session, line)
        queue.done(session)
    elif event in "<>" and event:
        _spoken(queue, session, line, event, data.strip())


def _spoken(queue: Queue, session: str, line: Line, event: str, data: str) -> None:
    """
    Take one line of the dialogue.

    Which side speaks the commands is the client: the receive connector gets them, the send connector sends them.
    """
    held = queue.mails.get(session, {})
    command = _COMMAND.match(data)
    if command and data[:3].isalpha():
        word = command[1].upper()
        queue.note(session, client_speaks=event)
        if word in {"EHLO", "HELO"}:
            queue.note(session, ehlo=known(command[2]))
        elif word == "MAIL FROM":
            _end(queue, session, line)
            queue.note(session, mail_from=mailbox(command[2]), reply=None)
        elif word == "RCPT TO":
            told = [*_recipients(held), mailbox(command[2]) or ""]
            queue.note(session, recipients=";".join(told[:1000]).lower())
    elif data[:3].isdigit() and event != held.get("client_speaks") and "mail_from" in held:
        queued = _QUEUED.match(data)
        queue.note(session, reply=data[:500], message_id=queued[1] if queued else None)
        if data[0] in "45":
            queue.note(session, refused=data[:500])


def _recipients(held: dict[str, object]) -> list[str]:
    return [each for each in str(held.get("recipients") or "").split(";") if each]


def _end(queue: Queue, session: str, line: Line) -> None:
    """Add a row for the mail that the session holds, and make room for its next one."""
    held = queue.mails.get(session)
    if held is None or "mail_from" not in held:
        return
    local, remote = (
        _ENDPOINT.match(str(held.get("local") or "")),
        _ENDPOINT.match(str(held.get("remote") or "")),
    )
    # What the server hears comes from the remote side on a receive connector.
    client, server = (remote, local) if held.get("client_speaks") == "<" else (local, remote)
    queue.add(
        line,
        client_ip=client[1] if client else None,
        server_ip=server[1] if server else None,
        server_port=number(server[2]) if server else None,
        verdict="denied" if "message_id" not in held and "refused" in held else "opened",
        ehlo=held.get("ehlo"),
        mail_from=held.get("mail_from"),
        recipients=held.get("recipients"),
        message_id=held.get("message_id"),
        reply=held.get("refused") if "message_id" not in held else held.get("reply"),
    )
    for name in ("mail_from", "recipients", "message_id", "reply", "refused"):
        held.pop(name, None)


SOURCE = Source("exchange-protocol", Text("Exchange Server SMTP protocol log"), recognise, read)
