"""SPF records: the grammar that evaluator and linter share, and everything that is wrong with a record at once."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from portero.core.mail.spf_macro import DomainSpec, parse_domain_spec, parse_macros
from portero.core.text import Text

# A TXT record cannot be longer than this in octets; a longer text is not one.
MAX_RECORD = 65535

_MODIFIER = re.compile(r"([a-z][a-z0-9._-]*)=(.*)\Z", re.IGNORECASE | re.DOTALL)
_MECHANISM = re.compile(
    r"([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?=[:/]|\Z)(.*)\Z", re.IGNORECASE | re.DOTALL
)
_LENGTHS = re.compile(
    r"(?P<rest>.*?)(?:/(?P<four>0|[1-9][0-9]?))?(?://(?P<six>0|[1-9][0-9]{0,2}))?\Z", re.DOTALL
)
_LENGTH = re.compile(r"0|[1-9][0-9]{0,2}")


class Qualifier(StrEnum):
    """What a matching mechanism answers. Source: RFC 7208 section 4.6.2."""

    PASS = "+"  # noqa: S105 - a qualifier, not a password
    FAIL = "-"
    SOFTFAIL = "~"
    NEUTRAL = "?"


@dataclass(frozen=True, slots=True)
class Mechanism:
    """
    One mechanism.

    kind:          ``all include a mx ptr ip4 ip6 exists``.
    target:        its domain-spec, or None where it stands for the current domain.
    version:       4 or 6 for ip4 and ip6, else 0.
    base, mask:    of ip4 and ip6, as integers.
    mask4, mask6:  of a and mx, as integers.
    network:       of ip4 and ip6, as CIDR text.
    asks:          whether it counts among the ten terms that ask DNS (RFC 7208 section 4.6.4).
    """

    text: str
    qualifier: Qualifier
    kind: str
    target: DomainSpec | None = None
    version: int = 0
    base: int = 0
    mask: int = 0
    mask4: int = 0
    mask6: int = 0
    network: str = ""
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a record: the term and the reason."""

    term: str
    reason: Text


@dataclass(frozen=True, slots=True)
class SpfRecord:
    """
    A record that begins with ``v=spf1``.

    faults:    syntax errors; with any of them every evaluation is permerror (RFC 7208 section 4.6).
    cautions:  what is allowed and still a mistake.
    """

    text: str
    mechanisms: tuple[Mechanism, ...]
    redirect: DomainSpec | None
    explanation: DomainSpec | None
    modifiers: tuple[tuple[str, str], ...]
    faults: tuple[Fault, ...]
    cautions: tuple[Fault, ...] = ()

    @property
    def all(self) -> Mechanism | None:
        """Give the first ``all``, after which nothing has an effect."""
        return next((each for each in self.mechanisms if each.kind == "all"), None)

    def __str__(self) -> str:
        """Print the record in normal form: one space between terms, modifiers last."""
        terms = [each.text for each in self.mechanisms]
        terms += [f"{name}={value}" for name, value in self.modifiers]
        return " ".join(["v=spf1", *terms])


def is_spf(text: str) -> bool:
    """Tell whether a TXT record is an SPF record, good or bad. Source: RFC 7208 section 4.5."""
    return text[:6].lower() == "v=spf1" and text[6:7] in {"", " "}


def term_key(term: str) -> str:
    """Give the form in which two spellings of one term are equal: lower case, without the qualifier that is the default."""
    return term.strip().removeprefix("+").lower()


def without_terms(record: str, terms: Iterable[str]) -> str:
    """Give an SPF record without the terms; those it does not hold are passed over."""
    gone = set(map(term_key, terms))
    return " ".join(word for word in record.split(" ") if word and term_key(word) not in gone)


@lru_cache(maxsize=16384)
def parse_record(text: str) -> SpfRecord:
    """
    Read an SPF record, for which `is_spf` holds; errors are listed in it and never raised.

    Source: RFC 7208 sections 4.6.1, 5, 6 and 12.
    """
    mechanisms: list[Mechanism] = []
    modifiers: list[tuple[str, str]] = []
    special: dict[str, DomainSpec] = {}
    faults: list[Fault] = []
    if len(text) > MAX_RECORD:
        faults.append(Fault(text[:40], Text("the record is longer than DNS can hold")))
    for term in text[6:MAX_RECORD].split(" "):
        if not term:
            continue
        modifier = _MODIFIER.match(term)
        if modifier:
            name, value = modifier[1].lower(), modifier[2]
            fault = _read_modifier(name, value, special)
            modifiers.append((modifier[1], value))
        else:
            read = _read_mechanism(term)
            fault = read if isinstance(read, Text) else None
            if isinstance(read, Mechanism):
                mechanisms.append(read)
        if fault is not None:
            faults.append(Fault(term, fault))
    record = SpfRecord(
        text, tuple(mechanisms), special.get("redirect"), special.get("exp"), tuple(modifiers), tuple(faults)
    )
    return SpfRecord(
        text,
        record.mechanisms,
        record.redirect,
        record.explanation,
        record.modifiers,
        record.faults,
        tuple(_cautions(record)),
    )


def _read_modifier(name: str, value: str, special: dict[str, DomainSpec]) -> Text | None:
    if name not in {"redirect", "exp"}:
        # RFC 7208 section 6: an unknown modifier is ignored, but its value must be a macro-string.
        return Text("the value is not a macro-string") if parse_macros(value) is None else None
    if name in special:
        return Text("{name}= stands twice", name=name)
    spec = parse_domain_spec(value)
    if spec is None:
        return Text("the value is not a domain name")
    special[name] = spec
    return None


def _read_mechanism(term: str) -> Mechanism | Text:
    found = _MECHANISM.match(term)
    if found is None:
        return Text("no such mechanism exists")
    qualifier, kind, argument = Qualifier(found[1] or "+"), found[2].lower(), found[3]
    if kind == "all":
        return Mechanism(term, qualifier, kind) if not argument else Text("all takes no value")
    if kind in {"ip4", "ip6"}:
        return _read_network(term, qualifier, kind, argument)
    if kind in {"a", "mx"}:
        return _read_host(term, qualifier, kind, argument)
    if not argument and kind == "ptr":
        return Mechanism(term, qualifier, kind, asks=True)
    spec = parse_domain_spec(argument[1:]) if argument.startswith(":") else None
    if spec is None:
        return Text("{kind} needs a domain name", kind=kind)
    return Mechanism(term, qualifier, kind, spec, asks=True)


def _read_host(term: str, qualifier: Qualifier, kind: str, argument: str) -> Mechanism | Text:
    found = _LENGTHS.match(argument)
    rest = found["rest"] if found else argument
    four, six = (found["four"], found["six"]) if found else (None, None)
    length4, length6 = int(four or 32) if four != "0" else 0, int(six or 128) if six != "0" else 0
    if length4 > 32 or length6 > 128:
        return Text("the prefix length is too great")
    spec = None
    if rest:
        spec = parse_domain_spec(rest[1:]) if rest.startswith(":") else None
        if spec is None:
            return Text("the value is not a domain name with prefix lengths")
    return Mechanism(
        term, qualifier, kind, spec, mask4=_mask(length4, 32), mask6=_mask(length6, 128), asks=True
    )


def _read_network(term: str, qualifier: Qualifier, kind: str, argument: str) -> Mechanism | Text:
    version, bits = (4, 32) if kind == "ip4" else (6, 128)
    address, slash, length = argument.removeprefix(":").partition("/")
    wrong = Text("the value is not an IPv{version} address or network", version=version)
    if not argument.startswith(":") or "%" in address or (slash and not _LENGTH.fullmatch(length)):
        return wrong
    try:
        parsed = ipaddress.IPv4Address(address) if version == 4 else ipaddress.IPv6Address(address)
    except ValueError:
        return wrong
    prefix = int(length) if slash else bits
    if prefix > bits:
        return Text("the prefix length is too great")
    mask = _mask(prefix, bits)
    base = int(parsed) & mask
    network = ipaddress.ip_network((base, prefix) if version == 4 else (ipaddress.IPv6Address(base), prefix))
    return Mechanism(term, qualifier, kind, version=version, base=base, mask=mask, network=str(network))


def _mask(length: int, bits: int) -> int:
    return ((1 << length) - 1) << (bits - length)


def _cautions(record: SpfRecord) -> list[Fault]:
    """Name what RFC 7208 allows and a reader of records would still mend."""
    found: list[Fault] = []
    after_all = False
    seen: set[str] = set()
    for each in record.mechanisms:
        if after_all:
            found.append(Fault(each.text, Text("nothing after all is ever read")))
        if each.kind == "ptr":
            found.append(Fault(each.text, Text("ptr is slow and unreliable and should not be used")))
        if each.kind == "all" and each.qualifier is Qualifier.PASS:
            found.append(Fault(each.text, Text("the whole internet is authorised")))
        if each.text.lower() in seen:
            found.append(Fault(each.text, Text("the term stands twice")))
        if each.network and int(_host_bits(each)):
            found.append(Fault(each.text, Text("the address has bits beyond its prefix length")))
        seen.add(each.text.lower())
        after_all = after_all or each.kind == "all"
    if after_all and record.redirect is not None:
        found.append(Fault(f"redirect={record.redirect.text}", Text("redirect has no effect beside all")))
    return found


def _host_bits(each: Mechanism) -> int:
    address = each.text.partition(":")[2].partition("/")[0]
    return int(ipaddress.ip_address(address)) & ~each.mask
