"""A sender: one device, application or service that emits mail in the organisation's name, with its judgement."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from portero.core.evidence import Origin
from portero.core.flow import Facts, Flow
from portero.core.hosts import Tie
from portero.core.register import Criticality
from portero.core.text import Text
from portero.core.value import value


class Kind(StrEnum):
    """What a sender is."""

    DEVICE = "device"  # a printer, scanner, UPS, camera
    APPLICATION = "application"  # a program the organisation runs
    SERVICE = "service"  # a third party that sends for the organisation
    FORWARDER = "forwarder"  # passes the organisation's own mail back to it, a mailing list included
    GATEWAY = "gateway"  # the filtering service in front of Exchange Online
    HYBRID = "hybrid"  # an Exchange server of the organisation
    MAILBOX = "mailbox"  # people's mailboxes
    SPOOFER = "spoofer"  # somebody else who writes in the organisation's name
    UNKNOWN = "unknown"


class Judgement(StrEnum):
    """Whether the organisation wants a sender's mail."""

    LEGITIMATE = "legitimate"
    ABUSE = "abuse"
    UNDECIDED = "undecided"


# Log odds of abuse that stand for a person's word: as sure as the arithmetic of the others can be.
WORD_ODDS = {
    Judgement.LEGITIMATE: -math.log(0.999 / 0.001),
    Judgement.ABUSE: math.log(0.999 / 0.001),
    Judgement.UNDECIDED: 0.0,
}


class DecidedBy(StrEnum):
    """Who or what decided a judgement."""

    EVIDENCE = "evidence"
    REGISTER = "register"
    PERSON = "person"


class Path(StrEnum):
    """How Exchange Online takes a sender's mail."""

    DIRECT_SEND = "direct-send"  # anonymous, no connector by address or certificate, P1 ours
    CONNECTOR = "connector"  # a connector took it
    AUTHENTICATED = "authenticated"  # submitted with credentials
    FOREIGN_ENVELOPE = "foreign-envelope"  # anonymous, P1 not ours, P2 ours
    INTERNAL = "internal"  # from a mailbox
    EXTERNAL = "external"  # neither P1 nor P2 ours: of single messages only, no sender of ours has it
    UNDETERMINED = "undetermined"


@value(frozen=True, slots=True)
class Reason:
    """
    One piece of evidence for or against a sender.

    code:    stable kebab-case id of the kind of reason, a row of the table of weights.
    weight:  natural-log odds towards abuse; negative speaks for the sender, zero only informs.
    """

    code: str
    text: Text
    weight: float
    origins: tuple[Origin, ...] = ()


class Validity(StrEnum):
    """What a person's decision about a sender is worth now."""

    IN_FORCE = "in-force"
    REOPENED = "reopened"  # the behaviour changed: to be decided again
    EXPIRED = "expired"  # its last day has passed: to be decided again


@dataclass(frozen=True, slots=True)
class Ruling:
    """
    What somebody decided about a sender, and where that stands.

    changes:  what changed since, where that opened it again.
    """

    judgement: Judgement
    by: str
    at: datetime
    standing: Validity
    changes: tuple[Text, ...] = ()
    note: str = ""
    expires_on: date | None = None


@value(frozen=True, slots=True)
class Sender:
    """
    One sender as the inventory shows it; the contract's SENDER.

    id:          stable text.
    label:       what a person would call it: an own name where evidence has one, else a description.
    confidence:  probability, 0 to 1, that the judgement is right.
    mails:       unique mails that reached this tenant, a best estimate.
    outside:     mails that other people's receivers reported by DMARC.
    witnesses:   mails by source, each source's own count.
    because:     the prior and the reasons; their weights add up to the judgement's log odds of abuse.
    flows:       the ways of sending that were found to be this sender.
    facts:       the flows' facts merged; a crowd's are of all its mail.
    crowd:       client addresses of what others reported once each, of which the flows are examples; () for all else.
    ruling:      what somebody decided about it, in force or not; None where nobody did.
    service:     name of the sending service that its mail comes through, where the catalogue knows it.
    owner:       who answers for it, purpose: what its mail is for, both as people said; None where nobody did.
    criticality: what its silence would cost, as people said; None where nobody did.
    tie:         the host inside that it is, or those that it could be; None where no network evidence says anything.
    """

    id: str
    label: Text
    kind: Kind
    judgement: Judgement
    confidence: float
    decided_by: DecidedBy
    path: Path
    connector: str | None
    client_networks: tuple[str, ...]
    mail_from_domains: tuple[str, ...]
    header_from_domains: tuple[str, ...]
    header_from: tuple[str, ...]
    ehlo: tuple[str, ...]
    mails: int
    outside: int
    witnesses: Mapping[str, int]
    recipients: int
    first_seen: datetime | None
    last_seen: datetime | None
    because: tuple[Reason, ...]
    flows: tuple[Flow, ...] = ()
    facts: Facts = field(default_factory=Facts)
    crowd: tuple[str, ...] = ()
    owner: str | None = None
    purpose: str | None = None
    criticality: Criticality | None = None
    tie: Tie | None = None
    service: str | None = None
    ruling: Ruling | None = None

    @property
    def client_addresses(self) -> tuple[str, ...]:
        """Give all its client addresses, in order."""
        return tuple(
            sorted({*self.crowd, *(flow.key.client_ip for flow in self.flows if flow.key.client_ip)})
        )

    @property
    def to_decide(self) -> bool:
        """Tell whether somebody has to decide about it: nothing did yet, or what did carries no longer."""
        again = self.ruling is not None and self.ruling.standing is not Validity.IN_FORCE
        return again or self.judgement is Judgement.UNDECIDED

    @property
    def legitimate(self) -> bool:
        """Tell whether the sender is judged legitimate."""
        return self.judgement is Judgement.LEGITIMATE

    @property
    def unlike_itself(self) -> bool:
        """Tell whether part of its mail is so unlike it that somebody must be asked, though evidence calls it legitimate."""
        asked = self.legitimate and self.decided_by is DecidedBy.EVIDENCE
        return asked and any(reason.code == "unlike-itself" for reason in self.because)


def by_client_address(senders: Iterable[Sender]) -> dict[str, Sender]:
    """Give the sender behind each client address; of several the first."""
    found: dict[str, Sender] = {}
    for sender in senders:
        for address in sender.client_addresses:
            found.setdefault(address, sender)
    return found
