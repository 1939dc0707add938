"""Received fields as hops: who connected, what it called itself, who took the mail, how and when."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from portero.core.address import client_address
from portero.core.mail.trace_text import parts, unfold

_CLAUSES = frozenset({"from", "by", "via", "with", "id", "for"})
_BRACKETED = re.compile(r"\[(?:IPv6:)?([0-9a-f.:]+)\]", re.IGNORECASE)
_BARE = re.compile(
    # Bounded, so that a hostile run of colons costs no more than it is long.
    r"(?<![\w.:])((?:[0-9]{1,3}\.){3}[0-9]{1,3}|(?:[0-9a-f]{0,4}:){2,7}[0-9a-f.]{0,15})(?![\w:])",
    re.IGNORECASE,
)
_HELO = re.compile(r"\b(?:helo|ehlo)[= ]\s*([^\s)]+)", re.IGNORECASE)
_TLS = re.compile(r"\b(?:(?:version=|using )?(TLS ?v?1(?:[._][0-9])?|SSLv?[23]))\b", re.IGNORECASE)
_SECURE = re.compile(r"(?:E|UTF8|L)?SMTPS[A-Z]*\Z", re.IGNORECASE)
_PLAIN = re.compile(r"(?:E|UTF8|L)?SMTPA?\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Hop:
    """
    One Received field.

    client_ip:    of whoever connected, canonical, or None.
    helo:         what it called itself, ``""`` where the field does not say.
    client_name:  the name the receiver found for the address, ``""`` where it does not say.
    by, by_ip:    who took the mail.
    protocol:     the words after ``with``: ``ESMTPS``, ``Microsoft SMTP Server``, ``mapi``.
    tls:          whether the connection was encrypted; None where the field cannot say.
    tls_version:  as written, ``""`` for none.
    observed_at:  aware UTC, or None where there is no readable date.
    """

    client_ip: str | None
    helo: str
    client_name: str
    by: str
    by_ip: str | None
    protocol: str
    via: str
    id: str
    rcpt_to: str
    tls: bool | None
    tls_version: str
    observed_at: datetime | None


def parse_received(text: str) -> Hop:
    """
    Read one Received field in the forms of RFC 5321, Exchange, Postfix, Exim, Sendmail and qmail; nothing raises.

    A field that follows none of them gives a hop whose parts are empty.
    Source: RFC 5321 section 4.4; reference exchange-online 4.1.
    """
    value = unfold(text)
    sections = parts(value)
    trace = value if len(sections) < 2 else value[: value.rfind(";")]
    words, comments = _clauses(trace)
    sender = comments.get("from", [])
    name = words.get("from", "")
    helo = next((found[1] for each in sender if (found := _HELO.search(each))), "")
    protocol = words.get("with", "")
    tls, version = _encryption(protocol, [each for held in comments.values() for each in held])
    return Hop(
        client_ip=_client_ip(sender, name),
        # Exim and qmail put the greeting into the comment and the looked-up name before it.
        helo=(helo or name).strip("[]") if _literal(helo or name) else helo or name,
        client_name=name if helo and not _literal(name) else _looked_up(sender),
        by=words.get("by", ""),
        by_ip=_address_in(comments.get("by", [])),
        protocol=protocol,
        via=words.get("via", ""),
        id=words.get("id", ""),
        rcpt_to=words.get("for", "").strip("<>"),
        tls=tls,
        tls_version=version,
        observed_at=_time(sections[-1][0] if len(sections) > 1 else ""),
    )


def parse_hops(fields: Iterable[str]) -> tuple[Hop, ...]:
    """Read a message's Received fields in their order: the newest hop first."""
    return tuple(parse_received(each) for each in fields)


def _clauses(trace: str) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Sort words and comments under the clause they follow; the first clause of each name counts."""
    words: dict[str, list[str]] = {}
    comments: dict[str, list[str]] = {}
    clause = ""
    for token, is_comment in _tokens(trace):
        if is_comment:
            comments.setdefault(clause, []).append(token)
        elif token.lower() in _CLAUSES and token.lower() not in words and (not clause or words[clause]):
            clause = token.lower()
            words[clause] = []
        elif clause:
            words[clause].append(token)
    return {name: " ".join(held) for name, held in words.items()}, comments


def _tokens(trace: str) -> Iterable[tuple[str, bool]]:
    """Give words and whole comments in order."""
    depth, start = 0, 0
    for at, sign in enumerate(trace):
        if sign == "(":
            if depth == 0:
                yield from ((word, False) for word in trace[start:at].split())
                start = at + 1
            depth += 1
        elif sign == ")" and depth:
            depth -= 1
            if depth == 0:
                yield trace[start:at].strip(), True
                start = at + 1
    rest = trace[start:]
    if depth:
        yield rest.strip(), True
    else:
        yield from ((word, False) for word in rest.split())


def _client_ip(comments: list[str], name: str) -> str | None:
    found = _address_in(comments)
    if found is not None:
        return found
    return client_address(name) if _literal(name) else None


def _address_in(comments: list[str]) -> str | None:
    for pattern in (_BRACKETED, _BARE):
        for each in comments:
            for found in pattern.finditer(each):
                address = client_address(found[1])
                if address is not None:
                    return address
    return None


def _literal(name: str) -> bool:
    return client_address(name) is not None


def _looked_up(comments: list[str]) -> str:
    for each in comments:
        before, bracket, _ = each.partition("[")
        word = before.split()[-1] if bracket and before.split() else ""
        if "." in word and "=" not in word:
            return word.rstrip(".").rpartition("@")[2]
    return ""


def _encryption(protocol: str, comments: list[str]) -> tuple[bool | None, str]:
    version = next((found[1] for each in comments if (found := _TLS.search(each))), "")
    word = protocol.split()[0] if protocol else ""
    if version or _SECURE.match(word):
        return True, version
    # Exchange writes the version for every encrypted connection, so its absence says that there was none.
    if protocol.startswith("Microsoft SMTP Server") or _PLAIN.match(word):
        return False, ""
    return None, ""


def _time(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
        aware = found.replace(tzinfo=UTC) if found.tzinfo is None else found
        return aware.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
