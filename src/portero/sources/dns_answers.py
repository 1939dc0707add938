"""Recorded DNS answers: the contract's JSON lines, DNS over HTTPS, Resolve-DnsName and the output of dig."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from portero.core.address import a_label
from portero.core.dns import DnsAnswer, DnsStatus
from portero.core.evidence import Gap, Origin
from portero.core.text import Text
from portero.sources.dns_text import absent, presented, status_of, type_name
from portero.sources.document import Document, Head, Item, Source
from portero.sources.json_text import json_values
from portero.sources.text import utf8_blocks

_DIG = re.compile(
    r"^;; (?:->>HEADER<<-|ANSWER SECTION:|connection timed out|no servers could)|^; <<>> DiG ", re.MULTILINE
)
_TEXT_OCTETS = 32 << 20
_TABLE = {"Name", "Type", "Section", "TTL"}  # of Resolve-DnsName
_CONTRACT = {"name", "type", "answers", "status", "observed_at", "resolver", "validated"}
Records = dict[tuple[str, str], list[str]]


def recognise(head: Head) -> bool:
    """Tell by the names that only a DNS answer has together, or by dig's own headings."""
    keys = head.keys
    if set(head.columns) >= _TABLE:
        return True
    if keys:
        return (
            ({"name", "type"} <= keys and ("answers" in keys or keys <= _CONTRACT))
            or {"Status", "Question"} <= keys
            or keys >= _TABLE
        )
    return _DIG.search(head.text) is not None and (
        "HEADER<<-" in head.text
        or "SECTION:" in head.text
        or " timed out" in head.text
        or "no servers" in head.text
    )


def read(document: Document) -> Iterator[Item]:
    """Give an answer a question; a line that is none is a Gap."""
    if document.head.keys:
        yield from _json(document)
        return
    if (document.size or 0) > _TEXT_OCTETS:
        yield Gap(Origin(document.name), Text("The file is larger than 32 MiB; only its start was read."))
    if set(document.head.columns) >= _TABLE:
        yield from _resolved(_table(document))
    else:
        yield from _dig(document)


def _json(document: Document) -> Iterator[Item]:
    lines = 0
    resolved: list[tuple[Origin, dict[str, object]]] = []
    for found in json_values(document):
        if isinstance(found, Gap):
            yield found
            continue
        line, value = found
        wrapped = isinstance(value, dict) and isinstance(value.get("value"), list) and "Name" not in value
        members = value["value"] if wrapped and isinstance(value, dict) else value
        several = isinstance(members, list)
        for number, member in enumerate(members if isinstance(members, list) else [members], 1):
            origin = Origin(document.name, number if several else line)
            lines += 1
            if not isinstance(member, dict):
                yield Gap(origin, _NO_ANSWER)
            elif {"name", "type"} <= member.keys():
                yield from _contract(member, origin)
            elif "Status" in member and "Question" in member:
                yield from _over_https(member, origin)
            elif "Name" in member and "Type" in member:
                resolved.append((origin, member))
            else:
                yield Gap(origin, _NO_ANSWER)
    yield from _resolved(resolved)


_NO_ANSWER = Text(
    "This is no DNS answer. Write {example}, one a line.",
    example='{"name": "contoso.com", "type": "TXT", "answers": ["v=spf1 -all"], "status": "NOERROR"}',
)


def _contract(member: dict[str, object], origin: Origin) -> Iterator[Item]:
    """Read a line of the contract. Source: contract section 2."""
    name, type_ = member.get("name"), type_name(member.get("type"))
    answers = member.get("answers", [])
    if isinstance(answers, str):
        answers = [answers]
    if not isinstance(name, str) or type_ is None or not isinstance(answers, list):
        yield Gap(origin, _NO_ANSWER)
        return
    if not all(isinstance(answer, str) for answer in answers):
        yield Gap(origin, Text("The answers are not all texts. Write each record's data as one text."))
        return
    status = status_of(member.get("status")) if member.get("status") is not None else None
    if status is None and (member.get("status") is not None or "answers" not in member):
        yield Gap(
            origin, Text("The status is not one of NOERROR, NXDOMAIN, SERVFAIL, TIMEOUT and TRUNCATED.")
        )
        return
    observed_at = _time(member.get("observed_at"))
    data = tuple(presented(type_, str(answer)) for answer in answers)
    found = [DnsAnswer(a_label(name), type_, status or DnsStatus.NOERROR, data, origin)]
    if status is DnsStatus.NXDOMAIN:
        found = list(absent(a_label(name), type_, origin))
    resolver, validated = member.get("resolver"), member.get("validated")
    yield from (
        replace(
            answer,
            observed_at=observed_at,
            resolver=resolver if isinstance(resolver, str) else None,
            validated=validated if isinstance(validated, bool) else None,
        )
        for answer in found
    )


def _time(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def _over_https(member: dict[str, object], origin: Origin) -> Iterator[Item]:
    """Read a DNS over HTTPS answer in JSON, as Google and Cloudflare give it."""
    status = status_of(member.get("Status"))
    questions = member.get("Question")
    question = questions[0] if isinstance(questions, list) and questions else questions
    name = question.get("name") if isinstance(question, dict) else None
    type_ = type_name(question.get("type")) if isinstance(question, dict) else None
    if status is None or not isinstance(name, str) or type_ is None:
        yield Gap(origin, _NO_ANSWER)
        return
    records: Records = {}
    answers = member.get("Answer")
    for record in answers if isinstance(answers, list) else []:
        kind = type_name(record.get("type")) if isinstance(record, dict) else None
        if isinstance(record, dict) and isinstance(record.get("name"), str) and kind:
            key = (a_label(str(record["name"])), kind)
            records.setdefault(key, []).append(presented(kind, str(record.get("data") or "")))
    yield from _answered(a_label(name), type_, status, records, origin)


def _answered(
    name: str, type_: str, status: DnsStatus, records: Records, origin: Origin, at: datetime | None = None
) -> Iterator[DnsAnswer]:
    """Give the record sets of an answer, and what it says about the name its aliases end at."""
    for (owner, kind), data in records.items():
        yield DnsAnswer(owner, kind, DnsStatus.NOERROR, tuple(data), origin, at)
    end, seen = name, {name}
    while (alias := records.get((end, "CNAME"))) and type_ != "CNAME" and alias[0] not in seen:
        end = alias[0]
        seen.add(end)
    if status is DnsStatus.NXDOMAIN:
        # Of an alias, the status is about what it points to. Source: RFC 6604 section 3.
        yield from (replace(answer, observed_at=at) for answer in absent(end, type_, origin))
    elif (end, type_) not in records:
        yield DnsAnswer(end, type_, status, (), origin, at)


def _table(document: Document) -> Iterator[tuple[Origin, dict[str, object]]]:
    """
    Give the records of ``Resolve-DnsName | Export-Csv``.

    It keeps the first record's columns for all and no lists: of what was lost `_resolved` makes gaps.
    """
    text = _text(document)
    lines = 1
    while text.startswith("#TYPE"):
        text, lines = text.partition("\n")[2], lines + 1
    table = csv.DictReader(io.StringIO(text), delimiter=document.head.delimiter, restkey="@rest")
    with suppress(csv.Error):
        for row in table:
            yield Origin(document.name, table.line_num + lines - 1), dict(row)


_FIELDS = {
    "TXT": ("Strings", "Text"),
    "MX": ("NameExchange", "Exchange"),
    "CNAME": ("NameHost", "Server"),
    "NS": ("NameHost", "Server"),
    "PTR": ("NameHost", "Server"),
    "A": ("IPAddress", "IP4Address"),
    "AAAA": ("IPAddress", "IP6Address"),
}


def _resolved(found: Iterable[tuple[Origin, dict[str, object]]]) -> Iterator[Item]:
    """Read records of Resolve-DnsName; each object is one record, and only the answer section answers."""
    records: Records = {}
    origins: dict[tuple[str, str], Origin] = {}
    lost: set[tuple[str, str]] = set()
    for origin, member in found:
        kind = type_name(member.get("Type"))
        # DnsSection: 0 question, 1 answer, 2 authority, 3 additional.
        if member.get("Section") not in {1, "1", "Answer"} or kind not in _FIELDS:
            continue
        key = (a_label(str(member.get("Name"))), kind)
        data = next((member[field] for field in _FIELDS[kind] if member.get(field) not in (None, "")), None)
        if kind == "TXT" and isinstance(data, list) and all(isinstance(part, str) for part in data):
            text = "".join(data)
        elif isinstance(data, str) and not data.startswith("System."):
            text = data if kind != "MX" else f"{member.get('Preference', 0)} {data}"
        else:
            reason = Text("The record's data was lost in the export. Export with ConvertTo-Json -Depth 6.")
            yield Gap(origin, reason)
            lost.add(key)
            continue
        origins.setdefault(key, origin)
        records.setdefault(key, []).append(presented(kind, text))
    for key, texts in records.items():
        # Of a set of records that lost one, nobody knows the answer.
        if key not in lost:
            yield DnsAnswer(*key, DnsStatus.NOERROR, tuple(texts), origins[key])


_STATUS = re.compile(r"->>HEADER<<-.*?status: ([A-Z]+)")
_ASKED = re.compile(r"^;([^\s;]+)\s+(?:IN|CH)\s+([A-Z0-9]+)\s*$")
_COMMAND = re.compile(r"^; <<>> DiG [^<]*<<>>(.*)$")
_RECORD = re.compile(r"^([^\s;]+)\s+\d+\s+IN\s+([A-Z0-9]+)\s+(.*)$")
_WHEN = re.compile(r"^;; WHEN: \w{3} (\w{3} +\d+ [\d:]+) (?:UTC|GMT) (\d{4})")


def _text(document: Document) -> str:
    """Give the text of a document, its first 32 MiB at most: `read` has named a longer one."""
    with document.open() as stream:
        blocks = utf8_blocks(stream, document.head.encoding)
        content = b""
        for block in blocks:
            content += block
            if len(content) > _TEXT_OCTETS:
                break
    return content[:_TEXT_OCTETS].decode("utf-8", "replace")


def _dig(document: Document) -> Iterator[Item]:
    """Read dig's output, one or many questions after another."""
    answer: _Dig | None = None
    for number, line in enumerate(_text(document).splitlines(), 1):
        command = _COMMAND.match(line)
        header = _STATUS.search(line)
        if command or (header and (answer is None or answer.status is not None)):
            if answer:
                yield from answer.items()
            answer = _Dig(Origin(document.name, number), command[1].split() if command else [])
        if answer:
            answer.take(line, header)
    if answer:
        yield from answer.items()


class _Dig:
    """One answer of dig while its lines are read."""

    def __init__(self, origin: Origin, words: list[str]) -> None:
        self.origin = origin
        self.status: DnsStatus | None = None
        self._question: tuple[str, str] | None = _asked(words)
        self._section = ""
        self._at: datetime | None = None
        self._records: Records = {}

    def take(self, line: str, header: re.Match[str] | None) -> None:
        if header:
            self.status = status_of(header[1]) or DnsStatus.SERVFAIL
        elif line.startswith(";;") and line.rstrip().endswith("SECTION:"):
            self._section = line.split()[1]
        elif "timed out" in line or "no servers could be reached" in line:
            self.status = self.status or DnsStatus.TIMEOUT
        elif when := _WHEN.match(line):
            self._at = _moment(f"{' '.join(when[1].split())} {when[2]}")
        elif self._section == "QUESTION" and (asked := _ASKED.match(line)):
            self._question = (a_label(asked[1]), asked[2])
        elif self._section == "ANSWER" and (record := _RECORD.match(line)):
            key = (a_label(record[1]), record[2])
            self._records.setdefault(key, []).append(presented(record[2], record[3]))

    def items(self) -> Iterator[Item]:
        if self._question is None or self.status is None:
            reason = Text("dig's output lacks its question or its status. Run dig without +short or +noall.")
            yield Gap(self.origin, reason)
            return
        yield from _answered(*self._question, self.status, self._records, self.origin, self._at)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)
    except ValueError:
        return None


def _asked(words: list[str]) -> tuple[str, str] | None:
    """Guess the question from dig's arguments, for the answers that never came and so repeat no question."""
    plain = [word for word in words if not word.startswith(("@", "+", "-"))]
    kinds = [
        word.upper() for word in plain if word.upper() in {"TXT", "MX", "A", "AAAA", "CNAME", "NS", "TLSA"}
    ]
    names = [word for word in plain if word.upper() not in {*kinds, "IN"}]
    return (a_label(names[0]), kinds[0] if kinds else "A") if len(names) == 1 else None


SOURCE = Source("dns-answers", Text("Recorded DNS answers"), recognise, read)
