"""DMARC policy records: tags by RFC 9989, with the ones of RFC 7489 that receivers of the older kind still read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from portero.core.text import Text

_VERSION = re.compile(r"[vV][ \t]*=[ \t]*DMARC1[ \t]*(?:;|\Z)")
_TAG = re.compile(r"([A-Za-z]+)[ \t]*=([ -:<-~\t]*)\Z")
_MAILTO = re.compile(r"mailto:[^@\s,!]+@([^@\s,!/?]+)(?:\?[^\s,!]*)?\Z", re.IGNORECASE)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s,!]+\Z")
_OLD_SIZE = re.compile(r"![0-9]+[kmgt]?\Z", re.IGNORECASE)
MAX_RECORD = 65535


class Policy(StrEnum):
    """What an owner asks for mail that fails. Source: RFC 9989 section 4.7, tag p."""

    NONE = "none"  # no wish is expressed
    QUARANTINE = "quarantine"
    REJECT = "reject"

    @property
    def strength(self) -> int:
        """Give the order of strictness, 0 to 2."""
        return list(Policy).index(self)

    def lowered(self) -> Policy:
        """Give the policy one level below, which ``t=y`` asks for."""
        return list(Policy)[max(self.strength - 1, 0)]


@dataclass(frozen=True, slots=True)
class DmarcRecord:
    """
    One policy record.

    p, sp, np:      None where the tag is absent; an invalid one makes the record unusable unless there is a `rua`.
    usable:         whether a receiver applies DMARC by it at all.
    adkim_strict, aspf_strict:  False is relaxed, the default.
    psd:            ``y``, ``n`` or ``u``.
    testing:        ``t=y``.
    percent:        ``pct`` of RFC 7489, 0 to 100; RFC 9989 dropped it.
    rua, ruf:       the syntactically valid URIs as written, without RFC 7489's size suffix.
    faults:         what a reader of the record would mend.
    """

    text: str
    p: Policy | None
    sp: Policy | None
    np: Policy | None
    usable: bool
    adkim_strict: bool
    aspf_strict: bool
    psd: str
    testing: bool
    percent: int
    rua: tuple[str, ...]
    ruf: tuple[str, ...]
    tags: tuple[tuple[str, str], ...]
    faults: tuple[Text, ...]

    def policy(self, *, inherited: bool, exists: bool, modern: bool = True) -> Policy:
        """
        Give the published policy for a name.

        inherited:  whether the name lies below the record's domain rather than being it.
        exists:     whether the name exists in DNS; only RFC 9989 tells the two apart.
        A record whose p is missing or invalid counts as ``p=none``. Source: RFC 9989 sections 4.7 and 4.10.1.
        """
        p = self.p or Policy.NONE
        if not inherited:
            return p
        if modern and not exists and self.np is not None:
            return self.np
        return self.sp or p

    def applied(self, policy: Policy) -> Policy:
        """Give what receivers are asked to do to failing mail now: one level less while testing. Source: tag t."""
        return policy.lowered() if self.testing else policy

    def __str__(self) -> str:
        """Print the record in normal form: lower-case tag names, one space after each semicolon."""
        return "; ".join(["v=DMARC1", *(f"{name}={value}" for name, value in self.tags)])


@lru_cache(maxsize=4096)
def parse_record(text: str) -> DmarcRecord | None:
    """
    Read a TXT record as a DMARC policy record; None when it is none. Nothing raises.

    The version must come first and be exactly ``DMARC1``; unknown tags are ignored; of a repeated tag the first counts.
    Source: RFC 9989 sections 4.7, 4.8 and 4.10.1.
    """
    found = _VERSION.match(text)
    if found is None:
        return None
    tags: dict[str, str] = {}
    faults: list[Text] = []
    for piece in text[found.end() : MAX_RECORD].split(";"):
        if not piece.strip(" \t"):
            continue
        tag = _TAG.match(piece.strip(" \t"))
        if tag is None:
            faults.append(Text("{piece} is not a tag", piece=piece.strip()))
        elif tag[1].lower() in tags:
            faults.append(Text("{tag} stands twice, and the first counts", tag=tag[1].lower()))
        else:
            tags[tag[1].lower()] = tag[2].strip(" \t")
    policies = {name: _policy(tags, name, faults) for name in ("p", "sp", "np")}
    rua, ruf = _uris(tags, "rua", faults), _uris(tags, "ruf", faults)
    invalid = any(tags.get(name) is not None and policies[name] is None for name in policies)
    if "p" not in tags:
        faults.append(Text("p is missing, which counts as none or makes receivers ignore the record"))
    return DmarcRecord(
        text=text,
        # RFC 9989 section 4.10.1: any invalid policy makes the whole record one of p=none.
        p=None if invalid else policies["p"],
        sp=None if invalid else policies["sp"],
        np=None if invalid else policies["np"],
        usable=bool(rua) or (policies["p"] is not None and not invalid),
        adkim_strict=_choice(tags, "adkim", "rs", "r", faults) == "s",
        aspf_strict=_choice(tags, "aspf", "rs", "r", faults) == "s",
        psd=_choice(tags, "psd", "ynu", "u", faults),
        testing=_choice(tags, "t", "yn", "n", faults) == "y",
        percent=_percent(tags, faults),
        rua=rua,
        ruf=ruf,
        tags=tuple(tags.items()),
        faults=tuple(faults),
    )


def _policy(tags: dict[str, str], name: str, faults: list[Text]) -> Policy | None:
    value = tags.get(name)
    if value is None:
        return None
    # Compared whole and without regard to case: sp=reject must never be taken for p=reject.
    if value.lower() in set(Policy):
        return Policy(value.lower())
    faults.append(Text("{tag}={value} is no policy", tag=name, value=value))
    return None


def _choice(tags: dict[str, str], name: str, allowed: str, default: str, faults: list[Text]) -> str:
    value = tags.get(name, default).lower()
    if len(value) == 1 and value in allowed:
        return value
    faults.append(Text("{tag}={value} is not allowed and is ignored", tag=name, value=tags[name]))
    return default


def _percent(tags: dict[str, str], faults: list[Text]) -> int:
    value = tags.get("pct", "100")
    if value.isascii() and value.isdigit() and len(value) <= 3 and int(value) <= 100:
        return int(value)
    faults.append(Text("{tag}={value} is not allowed and is ignored", tag="pct", value=value))
    return 100


def _uris(tags: dict[str, str], name: str, faults: list[Text]) -> tuple[str, ...]:
    found = []
    for piece in tags.get(name, "").split(",") if tags.get(name) else ():
        uri = _OLD_SIZE.sub("", piece.strip(" \t"))
        valid = _MAILTO.match(uri) if uri[:7].lower() == "mailto:" else _URI.match(uri)
        if valid:
            found.append(uri)
        else:
            faults.append(Text("{tag} holds {uri}, which is not a URI", tag=name, uri=piece.strip()))
    return tuple(found)


def mailto_domain(uri: str) -> str | None:
    """Give the domain that receives the reports of a ``mailto:`` URI, in lower case; None for other schemes."""
    found = _MAILTO.match(uri)
    return found[1].lower() if found else None
