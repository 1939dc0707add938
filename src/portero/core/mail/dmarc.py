"""DMARC as a conversation: alignment, the result for a message, and the policy an owner's records ask for."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from enum import StrEnum

from portero.core.address import a_label
from portero.core.dns import Dns, DnsAnswer
from portero.core.mail.conversation import Conversation, Question, converse
from portero.core.mail.dmarc_discovery import Discovery, Site, Standard, discover, may_share_organization
from portero.core.mail.dmarc_record import DmarcRecord, Policy


class DmarcResult(StrEnum):
    """The results of RFC 9989 section 5.4 as RFC 8601 writes them, and one that is ours."""

    NONE = "none"
    PASS = "pass"  # noqa: S105 - a result, not a password
    FAIL = "fail"
    TEMPERROR = "temperror"
    UNKNOWN = "unknown"  # not the RFC's: the evidence holds no answer on which the result depends


def exists(domain: str) -> Conversation[bool | None]:
    """
    Find whether a domain exists for DMARC: it has an A, AAAA or MX record; None where the evidence does not say.

    Source: RFC 9989 section 3.2.13.
    """
    unsure = False
    for kind in ("A", "AAAA", "MX"):
        answer = yield Question(domain, kind)
        if answer.answers:
            return True
        unsure = unsure or not answer.status.answered
    return None if unsure else False


@dataclass(frozen=True, slots=True)
class Identifier:
    """An authenticated identifier: a domain, and the SPF or DKIM result in RFC 8601 words."""

    domain: str
    result: str = "pass"


@dataclass(frozen=True, slots=True)
class DmarcVerdict:
    """
    What DMARC says of one message.

    policy:     published for this name, one level lower while testing; None where no record applies or the evidence
                does not tell whether the name exists and that decides.
    aligned_spf, aligned_dkim:  the first identifier that passes and is aligned, or None.
    unknown:    questions nobody recorded on which the answer depends.
    """

    result: DmarcResult
    policy: Policy | None
    discovery: Discovery
    aligned_spf: str | None = None
    aligned_dkim: str | None = None
    unknown: tuple[Question, ...] = ()


def check(
    author_domain: str,
    spf: Iterable[Identifier] = (),
    dkim: Iterable[Identifier] = (),
    standard: Standard = Standard.RFC9989,
) -> Conversation[DmarcVerdict]:
    """
    Evaluate DMARC for a message, as a conversation.

    author_domain:  the domain of the visible From (P2).
    spf:            the MAIL FROM domain and its result, at most one in practice.
    dkim:           each signature's ``d=`` and result.
    Source: RFC 9989 sections 4.4, 4.10 and 5.3.
    """
    discovery = yield from discover(author_domain, standard)
    record = discovery.record
    if record is None or not record.usable:
        result = {Site.UNKNOWN: DmarcResult.UNKNOWN, Site.FAILED: DmarcResult.TEMPERROR}.get(
            discovery.site, DmarcResult.NONE
        )
        return DmarcVerdict(result, None, discovery, unknown=discovery.unknown)
    by_spf, spf_open = yield from _aligned(spf, discovery, record.aspf_strict)
    by_dkim, dkim_open = yield from _aligned(dkim, discovery, record.adkim_strict)
    policy, asked = yield from _policy(discovery, record)
    if by_spf or by_dkim:
        result = DmarcResult.PASS
    else:
        result = DmarcResult.UNKNOWN if spf_open or dkim_open else DmarcResult.FAIL
    unknown = (*spf_open, *dkim_open, *asked) if result is DmarcResult.UNKNOWN else tuple(asked)
    return DmarcVerdict(result, policy, discovery, by_spf, by_dkim, tuple(dict.fromkeys(unknown)))


def evaluate(
    dns: Dns,
    author_domain: str,
    spf: Iterable[Identifier] = (),
    dkim: Iterable[Identifier] = (),
    standard: Standard = Standard.RFC9989,
) -> DmarcVerdict:
    """Evaluate DMARC over recorded answers; unknown where the result depends on one that nobody recorded."""
    return converse(dns, check(author_domain, spf, dkim, standard))


def _aligned(
    identifiers: Iterable[Identifier], discovery: Discovery, strict: bool
) -> Generator[Question, DnsAnswer, tuple[str | None, tuple[Question, ...]]]:
    """Find the first aligned pass; else the questions on which alignment still depends."""
    unsure: list[Question] = []
    for each in identifiers:
        domain = a_label(each.domain)
        if each.result == "unknown":
            # An identifier whose own authentication is unknown may still be the one that passes.
            if domain == discovery.domain or not strict:
                unsure.append(Question(domain, "TXT"))
            continue
        if each.result != "pass":
            continue
        if domain == discovery.domain:
            return domain, ()
        if strict:
            continue
        other = yield from discover(domain, discovery.standard)
        if other.organizational is None or discovery.organizational is None:
            if may_share_organization(domain, discovery.domain):
                unsure += [*other.unknown, *discovery.unknown]
                unsure += [
                    Question(f"_dmarc.{name}", "TXT") for name in (*other.presumed, *discovery.presumed)
                ]
                unsure += [Question(f"_dmarc.{found.domain}", "TXT") for found in (*other.walk, *discovery.walk) if found.site is Site.FAILED]  # fmt: skip
        elif other.organizational == discovery.organizational:
            return domain, ()
    return None, tuple(dict.fromkeys(unsure))


def _policy(
    discovery: Discovery, record: DmarcRecord
) -> Generator[Question, DnsAnswer, tuple[Policy | None, tuple[Question, ...]]]:
    modern = discovery.standard is Standard.RFC9989
    present = record.policy(inherited=discovery.inherited, exists=True, modern=modern)
    absent = record.policy(inherited=discovery.inherited, exists=False, modern=modern)
    if present is not absent:
        there = yield from exists(discovery.domain)
        if there is None:
            return None, tuple(Question(discovery.domain, kind) for kind in ("A", "AAAA", "MX"))
        present = present if there else absent
    return (record.applied(present) if modern else present), ()


@dataclass(frozen=True, slots=True)
class EffectivePolicy:
    """
    What a domain's records ask for, for each kind of name an attacker can use.

    exact, subdomain, nonexistent:  as published, for the domain itself, for an existing sub-domain without a record of
                                    its own, and for one that does not exist; None where no record applies.
    own, below:                     how the records for the domain and for names below it were found.
    """

    exact: Policy | None
    subdomain: Policy | None
    nonexistent: Policy | None
    own: Discovery
    below: Discovery

    @property
    def testing(self) -> bool:
        """Tell whether a record that applies asks for one level less (``t=y``)."""
        return any(each.record is not None and each.record.testing for each in (self.own, self.below))

    @property
    def percent(self) -> int:
        """Give the smallest ``pct`` of the records that apply; receivers of RFC 7489 still honour it."""
        return min(each.record.percent if each.record else 100 for each in (self.own, self.below))


def effective_policy(dns: Dns, domain: str, standard: Standard = Standard.RFC9989) -> EffectivePolicy:
    """
    Give the published policies for a domain and for the names below it, over recorded answers.

    A sub-domain without a record inherits from the organisational domain, not from the domain just above it.
    Source: RFC 9989 sections 4.7 and 4.10.1; RFC 7489 section 6.6.3.
    """
    own = converse(dns, discover(domain, standard))
    below = own
    # Names below share the domain's organisational domain, unless the domain is cut off by a psd tag of its own.
    if own.record is not None and own.found_at != own.organizational and own.organizational is not None:
        below = converse(dns, discover(own.organizational, standard))
    modern = standard is Standard.RFC9989

    def asked(found: Discovery, *, inherited: bool, exists: bool) -> Policy | None:
        if found.record is None or not found.record.usable:
            return None
        return found.record.policy(inherited=inherited, exists=exists, modern=modern)

    return EffectivePolicy(
        asked(own, inherited=own.inherited, exists=True),
        asked(below, inherited=True, exists=True),
        asked(below, inherited=True, exists=False),
        own,
        below,
    )
