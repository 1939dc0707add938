"""
Postfix maillog: a mail's lines joined by queue id, one row for each delivery over SMTP and each refused client.

Short queue ids are used again, so a mail ends at ``removed``. Source: Postfix's own documentation of its logging, and
data-formats section 13.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from portero.core.text import Text
from portero.sources.document import Document, Head, Item, Source
from portero.sources.log_lines import Lines, matches, starts_with_time
from portero.sources.relay_log import Line, Queue, known, mailbox, number, relayed

# Instances and services stand in the program's path: postfix-out/submission/smtpd.
_PROGRAM = (
    r"\spostfix[^\s/\[]*(?:/[\w.-]+)*/(?:smtpd|postscreen|cleanup|qmgr|smtp|lmtp|bounce|error)\[\d+\]: "
)
_LINE = re.compile(
    r"(?:^|\s)(?P<host>\S+) postfix[^\s/\[]*(?:/[\w.-]+)*/(?P<program>smtpd|postscreen|cleanup|qmgr|smtp|lmtp|bounce|error)"
    r"\[\d+\]: (?P<rest>.*)$"
)
_QUEUED = re.compile(r"^(?P<id>[0-9A-Za-z]{5,25}): (?P<rest>.*)$")
_CLIENT = re.compile(r"^client=(?P<name>\S+?)\[(?P<ip>[0-9A-Fa-f.:]+)\](?::\d+)?(?:,|$)")
_ORIGINAL = re.compile(r"\borig_client=(?P<name>\S+?)\[(?P<ip>[0-9A-Fa-f.:]+)\]")
_MESSAGE_ID = re.compile(r"^(?:resent-)?message-id=<?(?P<id>[^>\s]*)>?")
_FROM = re.compile(r"^from=<(?P<from>[^>]*)>, size=(?P<size>\d+)")
_TO = re.compile(
    r"^to=<(?P<to>[^>]*)>.*?, relay=(?P<relay>[^\s,\[]+)(?:\[(?P<ip>[0-9A-Fa-f.:]+)\](?::(?P<port>\d+))?)?, "
    r".*?\bstatus=(?P<status>\w+) \((?P<reply>.*)\)\s*$"
)
_REJECT = re.compile(
    r"^(?:NOQUEUE|[0-9A-Za-z]{5,25}): (?:milter-)?reject: \S+ from (?P<name>[^\s\[]*)\[(?P<ip>[0-9A-Fa-f.:]+)\](?::\d+)?: (?P<reply>.*?)"
    r"(?:; from=<(?P<from>[^>]*)>,?(?: to=<(?P<to>[^>]*)>,?)?(?: proto=\w+,?)?(?: helo=<(?P<helo>[^>]*)>)?)?$"
)


def recognise(head: Head) -> bool:
    """Tell by Postfix's program names behind a time."""
    return starts_with_time(head.text, r"\bpostfix[^\s/\[]*(/[\w.-]+)*/\w+\[\d+\]: ")


def read(document: Document) -> Iterator[Item]:
    """Stream deliveries over SMTP and refused clients."""
    return relayed(document, SOURCE.id, _wanted, _say)


def _wanted(block: Lines) -> Lines:
    return block.filter(matches(block.text, _PROGRAM))


def _say(queue: Queue, line: Line) -> None:
    found = _LINE.search(line.text)
    if found is None:
        return
    host, program, rest = found["host"], found["program"], found["rest"]
    if "reject: " in rest:
        _refuse(queue, line, host, rest)
        return
    queued = _QUEUED.match(rest)
    if queued is None:
        return
    # Several relays in one file use the same short ids.
    key, rest = f"{host}/{queued['id']}", queued["rest"]
    if program in {"smtpd", "postscreen"} and (client := _ORIGINAL.search(rest) or _CLIENT.match(rest)):
        queue.done(key)  # a client opens a mail, so an id seen before is used again
        queue.note(key, client_ip=client["ip"], client_name=known(client["name"]))
    elif program == "cleanup" and (held := _MESSAGE_ID.match(rest)):
        queue.note(key, message_id=held["id"])
    elif program == "qmgr" and (held := _FROM.match(rest)):
        queue.note(key, mail_from=held["from"], octets=number(held["size"]))
    elif program == "qmgr" and rest.startswith("removed"):
        queue.done(key)
    elif program in {"smtp", "error"} and (held := _TO.match(rest)):
        _deliver(queue, key, line, held, host)


def _deliver(queue: Queue, key: str, line: Line, held: re.Match[str], host: str) -> None:
    answered = re.search(r"\bsaid: |\brefused to talk to me: |^\d{3}[ -]", held["reply"])
    queue.deliver(
        key,
        line,
        relay=host,
        server_name=known(held["relay"]),
        server_ip=held["ip"],
        server_port=number(held["port"]),
        verdict="opened" if held["status"] == "sent" else "denied" if answered else "unanswered",
        recipients=held["to"],
        reply=held["reply"],
    )


def _refuse(queue: Queue, line: Line, host: str, rest: str) -> None:
    """Add the refusal of a client by the relay itself."""
    if held := _REJECT.match(rest):
        queue.add(
            line,
            client_ip=held["ip"],
            client_name=known(held["name"]),
            relay=host,
            server_name=host,
            verdict="denied",
            ehlo=held["helo"] or None,
            mail_from=mailbox(held["from"]),
            recipients=mailbox(held["to"]),
            reply=held["reply"],
        )


SOURCE = Source("postfix-log", Text("Postfix mail log"), recognise, read)
