"""DMARC discovery: which record applies to a domain, by the tree walk of RFC 9989 or the suffix list of RFC 7489."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from publicsuffixlist import PublicSuffixList

from portero.core.address import a_label
from portero.core.dns import DnsAnswer, DnsStatus
from portero.core.evidence import Origin
from portero.core.mail.conversation import Conversation, Question
from portero.core.mail.dmarc_record import DmarcRecord, parse_record

# RFC 9989 section 4.10: a walk asks at most eight questions, so longer names are cut to seven labels after the first.
MAX_WALK = 8


class Standard(StrEnum):
    """By which document a receiver works; both are in the field."""

    RFC9989 = "RFC 9989"  # tree walk, np, psd, t
    RFC7489 = "RFC 7489"  # public suffix list, pct


class Site(StrEnum):
    """What one name publishes under ``_dmarc``."""

    RECORD = "record"
    SILENT = "silent"  # nothing, or several records, which count as nothing
    SEVERAL = "several"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Found:
    """One name of a walk and what was found there."""

    domain: str
    site: Site
    record: DmarcRecord | None = None
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Discovery:
    """
    Where a domain's policy comes from.

    record, found_at:   the record that applies, or None; usable or not.
    organizational:     the organisational domain, or None where the evidence leaves it open.
    walk:               every name asked, in order.
    site:               RECORD when one applies; SEVERAL when several records stand where RFC 7489 stops or the author
                        domain publishes several and nothing else applies; FAILED and UNKNOWN when DNS or the evidence
                        leave open which record applies.
    presumed:           public suffixes nobody asked about, taken to publish nothing.
    """

    domain: str
    standard: Standard
    record: DmarcRecord | None
    found_at: str
    organizational: str | None
    walk: tuple[Found, ...]
    site: Site
    presumed: tuple[str, ...] = ()

    @property
    def inherited(self) -> bool:
        """Tell whether the record stands above the domain."""
        return self.record is not None and self.found_at != self.domain

    @property
    def unknown(self) -> tuple[Question, ...]:
        """Name the questions nobody recorded, apart from the presumed ones."""
        return tuple(
            Question(f"_dmarc.{each.domain}", "TXT")
            for each in self.walk
            if each.site is Site.UNKNOWN and each.domain not in self.presumed
        )

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Give the places of the answers."""
        return tuple(dict.fromkeys(each.origin for each in self.walk if each.origin is not None))


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


@lru_cache(maxsize=65536)
def registrable_domain(domain: str) -> str | None:
    """
    Give the organisational domain by the public suffix list; None for a public suffix and for what is no domain.

    Source: RFC 7489 section 3.2; publicsuffix.org.
    """
    name = a_label(domain)
    if not name or name.startswith(".") or ".." in name:
        return None
    found = _suffixes().privatesuffix(name)
    return str(found) if found else None


def tree(domain: str) -> tuple[str, ...]:
    """Give the names a tree walk asks about, at most eight, the domain first. Source: RFC 9989 section 4.10."""
    labels = domain.split(".")
    rest = labels[-(MAX_WALK - 1) :] if len(labels) >= MAX_WALK else labels[1:]
    return (domain, *(".".join(rest[start:]) for start in range(len(rest))))


def discover(domain: str, standard: Standard = Standard.RFC9989) -> Conversation[Discovery]:
    """Find the record that applies to a domain, and its organisational domain, as a conversation."""
    domain = a_label(domain)
    modern = standard is Standard.RFC9989
    return (yield from (_by_tree_walk(domain) if modern else _by_suffix_list(domain)))


def _look(domain: str) -> Generator[Question, DnsAnswer, Found]:
    answer = yield Question(f"_dmarc.{domain}", "TXT")
    if answer.status is DnsStatus.UNKNOWN:
        return Found(domain, Site.UNKNOWN)
    if answer.status.failed:
        return Found(domain, Site.FAILED, None, answer.origin)
    records = [record for record in map(parse_record, answer.answers) if record is not None]
    site = (Site.SILENT, Site.RECORD, Site.SEVERAL)[min(len(records), 2)]
    return Found(domain, site, records[0] if len(records) == 1 else None, answer.origin)


def _by_tree_walk(domain: str) -> Generator[Question, DnsAnswer, Discovery]:
    """
    Walk towards the root and choose. Source: RFC 9989 sections 4.10, 4.10.1 and 4.10.2.

    Where nobody asked a public suffix (``_dmarc.com``), a record of the registry's is not presumed; if the organisational
    domain would differ with one, it is left open.
    """
    walk: list[Found] = []
    for name in tree(domain):
        found = yield from _look(name)
        walk.append(found)
        if found.record is not None and found.record.psd in {"y", "n"}:
            break
    presumed = tuple(
        each.domain
        for each in walk[1:]
        if each.site is Site.UNKNOWN and registrable_domain(each.domain) is None
    )
    organizational = _organizational(domain, walk, presumed)
    own = walk[0]
    if own.record is not None:
        return Discovery(domain, Standard.RFC9989, own.record, domain, organizational, tuple(walk), Site.RECORD, presumed)  # fmt: skip
    gaps = {each.site for each in walk if each.domain not in presumed} & {Site.UNKNOWN, Site.FAILED}
    if gaps:
        site = Site.UNKNOWN if Site.UNKNOWN in gaps else Site.FAILED
        return Discovery(domain, Standard.RFC9989, None, "", organizational, tuple(walk), site, presumed)
    chosen = _chosen(walk)
    if chosen is None:
        return Discovery(domain, Standard.RFC9989, None, "", organizational, tuple(walk), own.site, presumed)
    return Discovery(
        domain, Standard.RFC9989, chosen.record, chosen.domain, organizational, tuple(walk), Site.RECORD, presumed
    )  # fmt: skip


def _chosen(walk: list[Found]) -> Found | None:
    """Choose the record of the organisational domain, else that of the public suffix domain."""
    organizational = _select(walk[0].domain, walk)
    held = [each for each in walk if each.record is not None]
    own = [each for each in held if each.domain == organizational]
    above = [each for each in held if each.record is not None and each.record.psd == "y"]
    return next(iter([*own, *above]), None)


def _select(domain: str, walk: list[Found]) -> str:
    """Select the organisational domain, longest name first. Source: RFC 9989 section 4.10.2."""
    held = [(each.domain, each.record) for each in walk if each.record is not None]
    for name, record in held:
        if record.psd == "n":
            return name
        if record.psd == "y" and name != domain:
            return ".".join(domain.split(".")[-(name.count(".") + 2) :])
    return held[-1][0] if held else domain


def _organizational(domain: str, walk: list[Found], presumed: tuple[str, ...]) -> str | None:
    if any(each.site in {Site.UNKNOWN, Site.FAILED} and each.domain not in presumed for each in walk):
        return None
    chosen = _select(domain, walk)
    registry = parse_record("v=DMARC1; p=none; psd=y")
    for name in presumed:
        with_registry = [Found(name, Site.RECORD, registry) if each.domain == name else each for each in walk]
        if _select(domain, with_registry) != chosen:
            return None
    return chosen


def _by_suffix_list(domain: str) -> Generator[Question, DnsAnswer, Discovery]:
    """Look at the domain, then at its organisational domain. Source: RFC 7489 sections 3.2 and 6.6.3."""
    organizational = registrable_domain(domain) or domain
    walk = [(yield from _look(domain))]
    # RFC 7489 section 6.6.3 step 5: several records end discovery, where RFC 9989 goes on.
    if walk[0].site is Site.SILENT and organizational != domain:
        walk.append((yield from _look(organizational)))
    last = walk[-1]
    found_at = last.domain if last.record is not None else ""
    return Discovery(domain, Standard.RFC7489, last.record, found_at, organizational, tuple(walk), last.site)


def may_share_organization(domain: str, other: str) -> bool:
    """
    Tell whether two domains could have one organisational domain at all, whatever DNS says.

    They cannot where all they share is a public suffix: a registry marks its own record with ``psd=y``.
    """
    shared = []
    for left, right in zip(reversed(domain.split(".")), reversed(other.split(".")), strict=False):
        if left != right:
            break
        shared.append(left)
    common = ".".join(reversed(shared))
    return bool(common) and registrable_domain(common) is not None
