"""The judgement of one mail: rules and the learned part, their weights added to a prior, with indicators and advice."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from portero.core.address import client_address, domain_of
from portero.core.mail.mime import Mail
from portero.core.message.arrival import Arrival, Known, find_arrival
from portero.core.message.case import Case, Rule
from portero.core.message.content import Attachment, Content
from portero.core.message.proof import Proof, prove
from portero.core.sender import Path
from portero.core.text import Text

# Source: contract section 5.
PHISH_FROM = 0.5
SUSPICIOUS_FROM = 0.2
# Before any evidence one mail in ten that somebody asks about is phish; judgement, no measurement exists.
PRIOR = -2.2

# The learned part's say: the log odds of a case and the words that spoke most for it.
Learned = Callable[[Case], tuple[float, tuple[str, ...]]]


class MailJudgement(StrEnum):
    """What one mail is judged to be."""

    PHISH = "phish"
    SUSPICIOUS = "suspicious"
    CLEAN = "clean"


@dataclass(frozen=True, slots=True)
class MailReason:
    """
    One reason; the reasons' weights add up to the log odds of phish.

    rule:   its rule's id; ``prior`` and ``wording`` for what is no rule.
    level:  of the rule.
    """

    rule: str
    text: Text
    weight: float
    level: str = "informational"


@dataclass(frozen=True, slots=True)
class Indicator:
    """
    Something to look for elsewhere, or to block.

    type:  url | domain | address | ip | sha256.
    """

    type: str
    value: str
    found_in: Text


@dataclass(frozen=True, slots=True)
class Unread:
    """A message that could not be judged, and why."""

    origin: str
    reason: Text


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    What one mail is judged to be, why, and what to do; the contract's section 5.

    origin:       the file, with the container before ``!`` and the number of the mail in an mbox.
    spoofs:       whether it forges the organisation's domains; None where that is not known.
    gaps:         what could not be looked at.
    proofs:       its DKIM signatures and ARC chain, verified by the DNS evidence.
    """

    origin: str
    message_id: str
    subject: str
    arrival: Arrival
    judgement: MailJudgement
    probability: float
    spoofs: bool | None
    because: tuple[MailReason, ...]
    indicators: tuple[Indicator, ...]
    attachments: tuple[Attachment, ...]
    advice: tuple[Text, ...]
    gaps: tuple[Text, ...]
    proofs: tuple[Proof, ...] = ()


def judge_mail(
    origin: str,
    mail: Mail,
    content: Content,
    known: Known,
    rules: Sequence[Rule],
    learned: Learned | None = None,
    octets: bytes | None = None,
) -> Verdict:
    """
    Judge one opened mail. Nothing raises for what a mail may hold.

    octets:  the mail as it was received, for its signatures; None where it is not at hand in that form.
    """
    arrival = find_arrival(mail, known)
    case = Case(mail, arrival, content, known)
    reasons = [MailReason("prior", Text("Before any evidence."), PRIOR)]
    for rule in rules:
        found = rule.match(case)
        if found is not None:
            reasons.append(MailReason(rule.id, found, rule.weight, rule.level))
    if learned is not None and mail.has_body:
        weight, words = learned(case)
        reasons.append(MailReason("wording", _wording(weight, words), round(weight, 3)))
    probability = 1 / (1 + math.exp(-sum(each.weight for each in reasons)))
    judgement = judgement_of(probability)
    spoofs = _spoofs(arrival, probability)
    return Verdict(
        origin=origin,
        message_id=(mail.first("message-id") or "").strip("<> ")[:998],
        subject=mail.text("subject")[:500],
        arrival=arrival,
        judgement=judgement,
        probability=probability,
        spoofs=spoofs,
        because=tuple(reasons),
        indicators=_indicators(case),
        attachments=content.attachments,
        advice=_advice(arrival, judgement, spoofs),
        gaps=content.gaps,
        proofs=prove(octets, mail, arrival, known.dns),
    )


def judgement_of(probability: float) -> MailJudgement:
    """Give the judgement for a probability. Source: contract section 5."""
    if probability >= PHISH_FROM:
        return MailJudgement.PHISH
    return MailJudgement.SUSPICIOUS if probability >= SUSPICIOUS_FROM else MailJudgement.CLEAN


def _wording(weight: float, words: tuple[str, ...]) -> Text:
    if not words:
        return (
            Text("Its build is like that of phish.")
            if weight > 0
            else Text("Its build is like that of ordinary mail.")
        )
    if weight > 0:
        return Text("Its wording and build are like those of phish: {words}.", words=words)
    return Text("Its wording and build are like those of ordinary mail: {words}.", words=words)


def _spoofs(arrival: Arrival, probability: float) -> bool | None:
    if arrival.claims_us is None:
        return None
    if not arrival.claims_us or arrival.path in {Path.INTERNAL, Path.AUTHENTICATED}:
        return False
    if arrival.authenticated and arrival.author_is_ours:
        return False
    if probability >= PHISH_FROM:
        return True
    return False if probability < SUSPICIOUS_FROM else None


def _indicators(case: Case) -> tuple[Indicator, ...]:
    held = case.arrival
    found: list[Indicator] = []
    if case.author:
        found.append(Indicator("address", case.author, Text("From field")))
    if held.mail_from and not held.mail_from.startswith("@") and held.mail_from != case.author:
        found.append(Indicator("address", held.mail_from, Text("envelope sender")))
    if case.reply_to and case.reply_to != case.author:
        found.append(Indicator("address", case.reply_to, Text("Reply-To")))
    if held.client_ip:
        found.append(Indicator("ip", held.client_ip, Text("client at the boundary")))
    domains: dict[str, Text] = {}
    for each in case.content.doors[:200]:
        found.append(Indicator("url", each.url, each.place))
        domains.setdefault(each.host, each.place)
    for name, place in (*_authors(held), *domains.items()):
        address = client_address(name)
        found.append(Indicator("domain", name, place) if address is None else Indicator("ip", address, place))
    found += [
        Indicator("sha256", each.sha256, Text("attachment {number}", number=each.number))
        for each in case.content.attachments
    ]
    return tuple(_once(found))


def _authors(held: Arrival) -> Iterable[tuple[str, Text]]:
    if held.author_domain:
        yield held.author_domain, Text("From field")
    envelope = domain_of(held.mail_from or "")
    if envelope and envelope != held.author_domain:
        yield envelope, Text("envelope sender")


def _once(found: Iterable[Indicator]) -> Iterable[Indicator]:
    seen: set[tuple[str, str]] = set()
    for each in found:
        if (each.type, each.value) not in seen:
            seen.add((each.type, each.value))
            yield each


def _advice(arrival: Arrival, judgement: MailJudgement, spoofs: bool | None) -> tuple[Text, ...]:
    if judgement is MailJudgement.CLEAN:
        return (Text("Nothing to do. If it is unwanted all the same, report it to Microsoft as junk."),)
    found: list[Text] = []
    if judgement is MailJudgement.SUSPICIOUS:
        found.append(Text("Ask its supposed author over another channel before anybody acts on it."))
    else:
        found.append(Text("Do not follow its links or codes and do not open its attachments."))
        found.append(Text("Remove its copies from other mailboxes; search by the indicators below."))
        found.append(
            Text(
                "Ask its recipients who opened it; end the sessions and change the passwords of those who typed one in."
            )
        )
    if spoofs is not False and arrival.path is Path.DIRECT_SEND:
        found.append(
            Text(
                "It came by Direct Send: portero plan shows how to close that without losing legitimate mail."
            )
        )
    elif spoofs is not False and arrival.path is Path.FOREIGN_ENVELOPE:
        found.append(
            Text(
                "RejectDirectSend does not stop it, because its envelope is a stranger's; DMARC with reject does."
            )
        )
    return tuple(found)
