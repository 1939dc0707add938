"""Records about how mail travels: MTA-STS, TLS reporting and DANE, read and judged; nothing raises."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from portero.core.text import Text

MAX_RECORD = 65535
_FIELD = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,31})=([^\s;]*)\Z")
_STS_ID = re.compile(r"[A-Za-z0-9]{1,32}\Z")
_REPORT_URI = re.compile(r"(?:mailto:[^@\s,!]+@[^@\s,!?]+(?:\?\S*)?|https://[^\s,]+)\Z", re.IGNORECASE)
_MX_PATTERN = re.compile(r"(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?\Z", re.IGNORECASE)
# RFC 8461 section 3.2: a policy file is cut off at 64 kilobytes, and is kept for a year at most.
MAX_POLICY = 65536
MAX_AGE_SECONDS = 31557600


@dataclass(frozen=True, slots=True)
class StsRecord:
    """An MTA-STS record: the policy's id, ``""`` where it is missing or invalid, and what is wrong."""

    id: str
    faults: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class StsPolicy:
    """
    An MTA-STS policy file.

    mode:             ``enforce``, ``testing``, ``none``, or None where the file says none of them.
    mx:               patterns in lower case without final dot.
    max_age_seconds:  None where it is missing or no number.
    """

    mode: str | None
    mx: tuple[str, ...]
    max_age_seconds: int | None
    faults: tuple[Text, ...]

    def covers(self, host: str) -> bool:
        """Tell whether a mail exchanger is listed; a wildcard stands for exactly one label. Source: RFC 8461 section 4.1."""
        name = host.removesuffix(".").lower()
        return any(
            name == pattern or (pattern.startswith("*.") and name.partition(".")[2] == pattern[2:])
            for pattern in self.mx
        )


@dataclass(frozen=True, slots=True)
class TlsReporting:
    """A TLS reporting record: where reports go, and what is wrong."""

    rua: tuple[str, ...]
    faults: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Tlsa:
    """
    A TLSA record.

    usable:  whether a sending mail server takes it into account.
    """

    usage: int
    selector: int
    matching: int
    data: str
    usable: bool
    faults: tuple[Text, ...]


def _fields(text: str, version: str) -> tuple[dict[str, str], tuple[Text, ...]] | None:
    """Read ``v=...; key=value;`` records; None where the version is another or does not come first."""
    first, *rest = text[:MAX_RECORD].split(";")
    if first.rstrip(" \t") != f"v={version}":
        return None
    found: dict[str, str] = {}
    faults: list[Text] = []
    for piece in rest:
        if not piece.strip(" \t"):
            continue
        field = _FIELD.match(piece.strip(" \t"))
        if field is None:
            faults.append(Text("{piece} is not a field", piece=piece.strip()[:60]))
        else:
            found.setdefault(field[1], field[2])
    return found, tuple(faults)


@lru_cache(maxsize=4096)
def parse_sts_record(text: str) -> StsRecord | None:
    """Read a TXT record at ``_mta-sts.domain``; None where it is no MTA-STS record. Source: RFC 8461 section 3.1."""
    read = _fields(text, "STSv1")
    if read is None:
        return None
    fields, faults = read
    value = fields.get("id", "")
    if not _STS_ID.match(value):
        return StsRecord("", (*faults, Text("id is not 1 to 32 letters and digits")))
    return StsRecord(value, faults)


@lru_cache(maxsize=256)
def parse_sts_policy(text: str) -> StsPolicy | None:
    """Read a policy file; None where its version is another. Source: RFC 8461 section 3.2."""
    values: dict[str, list[str]] = {}
    faults: list[Text] = []
    for line in text[:MAX_POLICY].splitlines():
        key, colon, value = line.partition(":")
        if colon:
            values.setdefault(key.strip(" \t"), []).append(value.strip(" \t"))
        elif line.strip():
            faults.append(Text("{piece} is not a field", piece=line.strip()[:60]))
    if values.get("version", [""])[0] != "STSv1":
        return None
    mode = values.get("mode", [""])[0]
    if mode not in {"enforce", "testing", "none"}:
        faults.append(Text("mode is not enforce, testing or none"))
    age = values.get("max_age", [""])[0]
    valid_age = age.isascii() and age.isdigit() and len(age) <= 10 and int(age) <= MAX_AGE_SECONDS
    if not valid_age:
        faults.append(Text("max_age is not a number of seconds of at most a year"))
    patterns = values.get("mx", [])
    wrong = [pattern for pattern in patterns if not _MX_PATTERN.match(pattern)]
    faults += [Text("{piece} is no host name", piece=pattern[:60]) for pattern in wrong]
    if not patterns and mode != "none":
        faults.append(Text("no mx is listed"))
    return StsPolicy(
        mode if mode in {"enforce", "testing", "none"} else None,
        tuple(pattern.removesuffix(".").lower() for pattern in patterns if pattern not in wrong),
        int(age) if valid_age else None,
        tuple(faults),
    )


@lru_cache(maxsize=4096)
def parse_tls_reporting(text: str) -> TlsReporting | None:
    """Read a TXT record at ``_smtp._tls.domain``; None where it is none. Source: RFC 8460 section 3."""
    read = _fields(text, "TLSRPTv1")
    if read is None:
        return None
    fields, faults = read
    uris = [uri.strip() for uri in fields.get("rua", "").split(",") if uri.strip()]
    wrong = [uri for uri in uris if not _REPORT_URI.match(uri)]
    named = [Text("{piece} is no address for reports", piece=uri[:60]) for uri in wrong]
    if not uris:
        named.append(Text("rua is missing, so nobody receives the reports"))
    return TlsReporting(tuple(uri for uri in uris if uri not in wrong), (*faults, *named))


_DIGEST_OCTETS = {1: 32, 2: 64}


@lru_cache(maxsize=4096)
def parse_tlsa(text: str) -> Tlsa | None:
    """
    Read TLSA data, ``usage selector matching hex``; None where it is none.

    For mail only usages 2 and 3 count. Source: RFC 6698 section 2.2; RFC 7672 section 3.1.
    """
    words = text.split(maxsplit=3)
    if len(words) != 4 or not all(word.isascii() and word.isdigit() and len(word) < 4 for word in words[:3]):
        return None
    usage, selector, matching = map(int, words[:3])
    data = "".join(words[3].split()).lower()
    if not re.fullmatch(r"(?:[0-9a-f]{2})+", data):
        return None
    faults = []
    if usage not in {2, 3}:
        faults.append(Text("usage {code} is not used for mail", code=usage))
    if selector not in {0, 1} or matching not in {0, 1, 2}:
        faults.append(Text("selector or matching type is unknown"))
    octets = _DIGEST_OCTETS.get(matching)
    if octets is not None and len(data) != 2 * octets:
        faults.append(
            Text("the digest has {number} octets instead of {wanted}", number=len(data) // 2, wanted=octets)
        )
    return Tlsa(usage, selector, matching, data, not faults, tuple(faults))
