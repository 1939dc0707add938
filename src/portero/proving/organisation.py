"""An organisation as it really is: domains, connectors, senders and every mail, with nothing left to guess."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Session(StrEnum):
    """How a mail was handed to Exchange Online."""

    ANONYMOUS = "anonymous"  # SMTP on port 25 without credentials
    MAILBOX = "mailbox"  # Outlook, a phone, Outlook on the web
    SMTP_AUTH_BASIC = "smtp-auth-basic"  # client submission with a password
    SMTP_AUTH_OAUTH = "smtp-auth-oauth"  # client submission with a token


@dataclass(frozen=True, slots=True)
class Domain:
    """
    A domain of the organisation.

    name:    as the administrator writes it; an internationalised one in U-labels.
    spf:     the SPF record published, or None.
    policy:  the DMARC policy published, or None for no record.
    """

    name: str
    initial: bool = False
    default: bool = False
    match_subdomains: bool = False
    spf: str | None = None
    policy: str | None = None

    @property
    def ascii_name(self) -> str:
        """Give the name in A-labels. Source: RFC 5891 section 5, by Python's own codec."""
        return self.name.encode("idna").decode("ascii").lower()


@dataclass(frozen=True, slots=True)
class Connector:
    """An inbound connector by Microsoft's properties. Source: reference exchange-online 1.3."""

    name: str
    type: str  # Partner | OnPremises
    sender_domains: tuple[str, ...] = ("*",)
    addresses: tuple[str, ...] = ()
    certificate: str | None = None
    restrict_to_addresses: bool = False
    restrict_to_certificate: bool = False
    cloud_services_mail: bool = False
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Sender:
    """
    One device, application, service or impostor that writes in the organisation's name.

    kind:       the contract's word for it.
    judgement:  ``legitimate`` or ``abuse``.
    story:      what it is, in a few words for the developer who reads a wrong score.
    """

    id: str
    label: str
    kind: str
    judgement: str
    story: str


@dataclass(frozen=True, slots=True)
class Mail:
    """
    One mail that reached Exchange Online.

    sender:      id of the Sender, or None when neither P1 nor P2 names the organisation.
    mail_from:   P1; ``""`` is the null reverse-path.
    client_ip:   who connected, the gateway when it passed one; None for mailboxes.
    certificate: name on the TLS client certificate, or None.
    spf, dkim:   true results, words of RFC 8601; dkim_domain is the signature's d=.
    outcome:     ``delivered``, ``junked`` or ``quarantined``.
    """

    id: str
    message_id: str
    sent_at: datetime
    sender: str | None
    session: Session
    mail_from: str
    header_from: str
    display_name: str
    recipients: tuple[str, ...]
    subject: str
    size_octets: int
    client_ip: str | None = None
    ehlo: str | None = None
    certificate: str | None = None
    spf: str = "none"
    dkim: str = "none"
    dkim_domain: str = ""
    outcome: str = "delivered"
    through_gateway: bool = False


@dataclass(frozen=True, slots=True)
class Outside:
    """Mails that other people's receivers saw in the organisation's name on one day."""

    day: datetime
    receiver: str
    client_ip: str
    mail_from_domain: str
    header_from_domain: str
    spf: str
    dkim: str
    dkim_domain: str
    mails: int


@dataclass(frozen=True, slots=True)
class Organisation:
    """
    Everything that is true of one organisation in ``[start, end)``, aware UTC.

    mx:        ``microsoft`` or ``gateway``.
    answers:   DNS records by (name, type) beside those that follow from the domains.
    axes:      how it was drawn, by name of the axis, for reading a score.
    """

    name: str
    start: datetime
    end: datetime
    language: str
    mx: str
    domains: tuple[Domain, ...]
    connectors: tuple[Connector, ...]
    gateway_networks: tuple[str, ...]
    reject_direct_send: bool | None
    honours_dmarc: bool
    senders: tuple[Sender, ...]
    mails: tuple[Mail, ...]
    outside: tuple[Outside, ...] = ()
    answers: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    axes: dict[str, object] = field(default_factory=dict)

    @property
    def domain(self) -> Domain:
        """Give the default domain."""
        return next(held for held in self.domains if held.default)

    def sender(self, identity: str) -> Sender:
        """Give a sender by id; KeyError when there is none."""
        for held in self.senders:
            if held.id == identity:
                return held
        raise KeyError(identity)
