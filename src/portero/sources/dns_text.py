"""Record data as text in the one form that answers are kept in, whatever wrote it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from portero.core.address import a_label
from portero.core.dns import DnsAnswer, DnsStatus
from portero.core.evidence import Origin

_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(r"\\(?:([0-9]{3})|(.))", re.DOTALL)
# Numbers as DNS over HTTPS and Windows PowerShell write types. Source: IANA DNS parameters.
TYPES = {
    1: "A",
    2: "NS",
    5: "CNAME",
    6: "SOA",
    12: "PTR",
    15: "MX",
    16: "TXT",
    28: "AAAA",
    33: "SRV",
    43: "DS",
    46: "RRSIG",
    48: "DNSKEY",
    52: "TLSA",
    255: "ANY",
    257: "CAA",
}
_HOSTS = {"CNAME", "NS", "PTR", "DNAME"}


def type_name(value: object) -> str | None:
    """Give a record type in upper case from its name or number; None when it is neither."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int) or (isinstance(value, str) and value.isdecimal() and len(value) < 6):
        return TYPES.get(int(value), f"TYPE{int(value)}")
    return value.strip().upper() if isinstance(value, str) and value.strip() else None


def presented(type_: str, text: str) -> str:
    """
    Give record data in the form of `DnsAnswer`: TXT joined and unquoted, hosts as A-labels without final dot.

    Source: RFC 1035 section 5.1 (quoting); RFC 7208 section 3.3 (strings are joined without space).
    """
    value = text.strip()
    if type_ in {"TXT", "SPF"}:
        return "".join(map(_unescaped, _STRING.findall(value))) if value.startswith('"') else text
    if type_ in _HOSTS:
        return a_label(value)
    if type_ == "MX":
        preference, _, host = value.partition(" ")
        return f"{preference} {a_label(host) or '.'}" if preference.isdecimal() else value
    if type_ in {"A", "AAAA"}:
        try:
            return str(ipaddress.ip_address(value))
        except ValueError:
            return value
    return value


def _unescaped(text: str) -> str:
    def plain(found: re.Match[str]) -> str:
        return chr(int(found[1])) if found[1] and int(found[1]) < 256 else found[2] or found[0]

    return _ESCAPE.sub(plain, text) if "\\" in text else text


def status_of(value: object) -> DnsStatus | None:
    """Read a status by name or by response code; None for one that is no way a question ends."""
    codes = {0: DnsStatus.NOERROR, 2: DnsStatus.SERVFAIL, 3: DnsStatus.NXDOMAIN}
    if isinstance(value, int) and not isinstance(value, bool):
        # A refusal or a format error is a server that failed to answer.
        return codes.get(value, DnsStatus.SERVFAIL) if 0 <= value < 4096 else None
    word = str(value or "").strip().upper()
    if word in {"REFUSED", "FORMERR", "NOTIMP"}:
        return DnsStatus.SERVFAIL
    return DnsStatus(word) if word in DnsStatus.__members__ else None


def absent(name: str, type_: str, origin: Origin) -> Iterable[DnsAnswer]:
    """Give the answers that a non-existent name means: none for the type asked, and none for any other."""
    # RFC 8020: NXDOMAIN is about the name.
    for kind in (type_, "ANY"):
        yield DnsAnswer(name, kind, DnsStatus.NXDOMAIN, (), origin)
