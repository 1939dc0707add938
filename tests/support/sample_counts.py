"""Counts of sample files by other means than the readers': the standard library, and patterns of the formats themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from xml.etree import ElementTree

_PORTS = {"25", "465", "587", "2525"}
_ONE = re.compile(rb"\S")


def _json_values(raw: bytes) -> list[object]:
    decoder, text, at, found = json.JSONDecoder(), raw.decode("utf-8-sig"), 0, []
    while at < len(text):
        if text[at] in " \r\n\t":
            at += 1
            continue
        value, at = decoder.raw_decode(text, at)
        found.append(value)
    return found


def _records(raw: bytes) -> int:
    """Count the records of DMARC reports: their opening tags, with or without a prefix, in any encoding."""
    if raw[1:2] == b"\0" or raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raw = raw.replace(b"\0", b"")
    return len(re.findall(rb"<(?:\w+:)?record[\s>]", raw, re.IGNORECASE))


def _policies(raw: bytes) -> int:
    return sum(len(value["policies"]) for value in _json_values(raw) if isinstance(value, dict))


def _objects(raw: bytes) -> int:
    return len(_json_values(raw))


def _tracked(raw: bytes) -> int:
    return len(re.findall(rb",SMTP,(?:RECEIVE|SEND|SENDEXTERNAL|FAIL),", raw))


def _zeek(column: str) -> Callable[[bytes], int]:
    def number(raw: bytes) -> int:
        lines = raw.decode("utf-8", "replace").splitlines()
        if lines[0].startswith("{"):
            return sum(str(json.loads(line).get(column)) in _PORTS for line in lines)
        fields = next(line.split("\t")[1:] for line in lines if line.startswith("#fields"))
        rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
        return sum(row[fields.index(column)] in _PORTS for row in rows if len(row) == len(fields))

    return number


def _deliveries(raw: bytes) -> int:
    return len(re.findall(rb"postfix\S*/(?:smtp|error)\[\d+\]: \w+: to=.*status=|reject: ", raw))


def clixml_objects(raw: bytes) -> int:
    """Count the objects a CLIXML file holds at its top, in lists or out of them."""
    root = ElementTree.fromstring(raw)
    name = "{http://schemas.microsoft.com/powershell/2004/04}"
    return sum(len(each.findall(f"./{name}LST/{name}Obj")) or 1 for each in root.findall(f"{name}Obj"))


def _configured(raw: bytes) -> int:
    """Count the objects of an answer's list, of an object of objects, or of a CLIXML file."""
    if raw.lstrip(b"\xef\xbb\xbf\xff\xfe").startswith((b"<", b"<\0")):
        return clixml_objects(raw)
    (value,) = _json_values(raw)
    assert isinstance(value, dict)
    held = value.get("value", [*value.values()])
    return sum(isinstance(each, dict) for each in held)


_NO_OBJECTS = ("_records", "_commands", "tenant_details", "Results", "MetaData", "Summary")


def _scubagear(raw: bytes) -> int:
    """Count the objects of an export's keys, but for DNS, the tenant and the commands; verdicts have none."""
    found = 0
    for value in _json_values(raw):
        assert isinstance(value, dict)
        if "Results" in value:
            continue
        for key, held in value.items():
            listed = held if isinstance(held, list) else [held]
            if not key.endswith(_NO_OBJECTS):
                found += sum(isinstance(each, dict) and bool(each) for each in listed)
    return found


COUNTS: dict[str, Callable[[bytes], int]] = {
    "dmarc-aggregate": _records,
    "dmarc-failure": lambda raw: int(bool(_ONE.search(raw))),
    "email-events": lambda raw: len(re.findall(rb'"NetworkMessageId"', raw)),
    "exchange-tracking": _tracked,
    "mail-message": lambda raw: int(bool(_ONE.search(raw))),
    "message-trace-v2": _objects,
    "postfix-log": _deliveries,
    "quarantine": _configured,
    "scubagear": _scubagear,
    "tenant-config": _configured,
    "tls-report": _policies,
    "zeek-conn": _zeek("id.resp_p"),
    "zeek-smtp": _zeek("id.resp_p"),
}
