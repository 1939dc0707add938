"""
Exim main log: ``<=`` arrivals, ``=>`` deliveries, ``**`` and ``==`` failures, joined by message id; refused clients too.

Times are the relay's local ones unless its option log_timezone is set. Source: the Exim specification, chapter on log files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from portero.core.text import Text
from portero.sources.document import Document, Head, Item, Source
from portero.sources.log_lines import Lines, Stamps, matches, stamps
from portero.sources.relay_log import Line, Queue, known, mailbox, number, relayed

_ID = r"[0-9A-Za-z]{6}-(?:[0-9A-Za-z]{6}|[0-9A-Za-z]{11})-(?:[0-9A-Za-z]{2}|[0-9A-Za-z]{4})"
_TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?(?: [+-]\d{4})?(?: \[\d+\])?"
_SYSLOG = r"[A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d:\d\d \S+ exim(?:4)?\[\d+\]:(?: " + _TIME + ")?"
_START = rf"^(?:<\d+>)?(?:{_TIME}|{_SYSLOG}) "
_MAIL = re.compile(rf"{_START}(?P<id>{_ID}) (?P<sign><=|=>|->|\*\*|==|Completed)(?: (?P<rest>.*))?$")
_HOST = re.compile(
    r"\bH=(?P<name>[^\s(\[]+)? ?(?:\((?P<helo>[^)]*)\) ?)?\[(?P<ip>[0-9A-Fa-f.:]+)\](?::(?P<port>\d+))?"
)
_REFUSED = re.compile(
    rf"{_START}(?:{_ID} )?(?P<host>H=.*?\[[0-9A-Fa-f.:]+\](?::\d+)?)(?P<middle>.*?)"
    r"(?P<reply>(?:temporarily )?rejected .*|sender verify fail .*)$"
)
_FROM = re.compile(r"\bF=<(?P<from>[^>]*)>")
_RCPT = re.compile(r"rejected RCPT <?(?P<to>[^>:\s]+)>?")
_WANTED = rf"{_START}(?:{_ID} (?:<=|=>|->|\*\*|==|Completed)|(?:{_ID} )?H=)"
_KNOWN = (
    rf"{_START}(?:{_ID} (?:<=|=>|->|\*\*|==|Completed)|H=.*\b(?:rejected|verify fail)"
    r"|\w+ authenticator failed for .*\[[0-9A-Fa-f.:]+\])"
)


def recognise(head: Head) -> bool:
    """Tell by Exim's signs, or its words of refusal, behind a time."""
    return re.search(_KNOWN, head.text, re.MULTILINE) is not None


def read(document: Document) -> Iterator[Item]:
    """Stream deliveries over SMTP and refused clients."""
    return relayed(document, SOURCE.id, _wanted, _say, _times)


def _wanted(block: Lines) -> Lines:
    return block.filter(matches(block.text, _WANTED))


def _times(text: pa.Array) -> Stamps:
    """Read Exim's own time, whose zone stands behind a blank."""
    return stamps(pc.replace_substring_regex(text, r"^(\S+ [\d:.]+) ([+-]\d{4}) ", r"\1\2 "))


def _say(queue: Queue, line: Line) -> None:
    if held := _MAIL.match(line.text):
        _mail(queue, line, held)
    elif held := _REFUSED.match(line.text):
        host, sender, to = (
            _HOST.search(held["host"]),
            _FROM.search(held["middle"]),
            _RCPT.search(held["reply"]),
        )
        if host is not None:
            queue.add(
                line,
                client_ip=host["ip"],
                client_name=known(host["name"]),
                ehlo=host["helo"],
                verdict="denied",
                mail_from=mailbox(sender["from"]) if sender else None,
                recipients=to["to"] if to else None,
                reply=held["reply"],
            )


def _mail(queue: Queue, line: Line, held: re.Match[str]) -> None:
    key, sign, rest = held["id"], held["sign"], held["rest"] or ""
    host = _HOST.search(rest)
    if sign == "Completed":
        queue.done(key)
    elif sign == "<=":
        size, message_id = re.search(r"\bS=(\d+)", rest), re.search(r"\bid=(\S+)", rest)
        queue.note(
            key,
            client_ip=host["ip"] if host else None,
            client_name=known(host["name"]) if host else None,
            ehlo=host["helo"] if host else None,
            mail_from=mailbox(rest.partition(" ")[0]),
            octets=number(size[1]) if size else None,
            message_id=message_id[1].strip("<>") if message_id else None,
        )
    elif host is not None:  # a delivery without host stays on the relay
        reply = re.search(r'\bC="(?P<text>(?:[^"\\]|\\.)*)"', rest)
        words = reply["text"] if reply else rest.partition(": ")[2] or None
        refused = re.search(r"SMTP error from remote|\b[45]\d\d[ -]", rest)
        queue.deliver(
            key,
            line,
            server_name=known(host["name"]),
            server_ip=host["ip"],
            server_port=number(host["port"]),
            verdict="opened" if sign in {"=>", "->"} else "denied" if refused else "unanswered",
            recipients=mailbox(rest.partition(" ")[0].rstrip(":")),
            reply=words,
        )


SOURCE = Source("exim-log", Text("Exim mail log"), recognise, read)
