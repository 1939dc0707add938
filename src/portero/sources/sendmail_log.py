"""
Sendmail maillog: ``from=`` and ``to=`` lines joined by queue id, one row for each delivery over SMTP and each refusal.

Source: the Sendmail Installation and Operation Guide, section on the log; each line is a list of ``key=value``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from portero.core.text import Text
from portero.sources.document import Document, Head, Item, Source
from portero.sources.log_lines import Lines, matches, starts_with_time
from portero.sources.relay_log import Line, Queue, known, mailbox, number, relayed

_PROGRAM = r"(?:sendmail(?:-\w+)?|sm-mta(?:-\w+)?|sm-msp-queue)(?:\[\d+\])?: "
_LINE = re.compile(
    rf"(?:^|\s)(?P<host>\S+) {_PROGRAM}(?:\[ID \d+ \S+\] )?(?P<id>[0-9A-Za-z]{{12,20}}): (?P<rest>.*)$"
)
_FROM = re.compile(r"^from=(?P<from><[^>]*>|[^,]*), size=(?P<size>\d+)")
_TO = re.compile(r"^to=(?P<to>.*?), (?:ctladdr|delay)=")
_REFUSED = re.compile(
    r"^ruleset=(?P<rule>\w+), arg1=(?P<argument>[^,]*), relay=(?P<relay>.*?), reject=(?P<reply>.*)$"
)
_RELAY = re.compile(r"\brelay=(?P<name>[^\s,\[]*) ?(?:\[(?:IPv6:)?(?P<ip>[0-9A-Fa-f.:]+)\])?")
_PORTS = {"esmtp": 25, "smtp": 25, "relay": 25, "smtp8": 25, "dsmtp": 25}


def recognise(head: Head) -> bool:
    """Tell by the program and its keys behind a time."""
    return starts_with_time(
        head.text, _PROGRAM + r"(\[ID \d+ \S+\] )?[0-9A-Za-z]{12,20}: (from=|to=|ruleset=|\w+\.\w+)"
    )


def read(document: Document) -> Iterator[Item]:
    """Stream deliveries over SMTP and refused clients."""
    return relayed(document, SOURCE.id, _wanted, _say)


def _wanted(block: Lines) -> Lines:
    return block.filter(
        matches(block.text, _PROGRAM + r"(\[ID \d+ \S+\] )?[0-9A-Za-z]{12,20}: (from=|to=|ruleset=)")
    )


def _say(queue: Queue, line: Line) -> None:
    found = _LINE.search(line.text)
    if found is None:
        return
    key, rest = f"{found['host']}/{found['id']}", found["rest"]
    relay = _RELAY.search(rest)
    if held := _FROM.match(rest):
        message_id = re.search(r"\bmsgid=<?(?P<id>[^>,\s]*)>?", rest)
        queue.done(key)
        queue.note(
            key,
            client_ip=relay["ip"] if relay else None,
            client_name=known(relay["name"]) if relay else None,
            mail_from=mailbox(held["from"]),
            octets=number(held["size"]),
            message_id=message_id["id"] if message_id else None,
        )
    elif (held := _TO.match(rest)) and relay is not None:
        mailer, status = re.search(r"\bmailer=(\w+)", rest), re.search(r"\bstat=(?P<text>.*)$", rest)
        words = status["text"] if status else ""
        answered = re.search(
            r"\bdsn=5\.|^Service unavailable|^User unknown", rest if "dsn=" in rest else words
        )
        queue.deliver(
            key,
            line,
            relay=found["host"],
            server_name=known(relay["name"]),
            server_ip=relay["ip"],
            server_port=_PORTS.get(mailer[1]) if mailer else None,
            verdict="opened" if words.startswith("Sent") else "denied" if answered else "unanswered",
            recipients=";".join(mailbox(each) or "" for each in held["to"].split(",")),
            reply=words or None,
        )
    elif held := _REFUSED.match(rest):
        client = _RELAY.search(f"relay={held['relay']}")
        queue.add(
            line,
            client_ip=client["ip"] if client else None,
            client_name=known(client["name"]) if client else None,
            relay=found["host"],
            server_name=found["host"],
            verdict="denied",
            mail_from=mailbox(held["argument"]) if held["rule"] == "check_mail" else None,
            recipients=mailbox(held["argument"]) if held["rule"] == "check_rcpt" else None,
            reply=held["reply"],
        )


SOURCE = Source("sendmail-log", Text("Sendmail mail log"), recognise, read)
