"""What Exchange Online would really do to each mail under each control.

This follows Microsoft's pages (reference exchange-online 1.2 to 1.6, 2.2, 2.3; controls catalogue R1) on its own: it
shares no line with the product's replay, so that one cannot hide the other's mistake.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from enum import StrEnum

from portero.proving.organisation import Connector, Mail, Organisation, Session

REJECT, LOCK, BASIC_OFF, DMARC = "reject-direct-send", "lock-gateway", "smtp-basic-off", "dmarc"


class Fate(StrEnum):
    """What becomes of a mail at the door."""

    REFUSED = "refused"
    KEPT = "kept"
    UNKNOWABLE = "unknowable"  # Microsoft does not say: only a lab tenant could


def controls(organisation: Organisation) -> tuple[str, ...]:
    """Name the controls that the contract has `audit` replay one by one."""
    gateway = (LOCK,) if organisation.mx == "gateway" else ()
    domains = tuple(
        f"{DMARC}={domain.ascii_name}:reject" for domain in organisation.domains if not domain.initial
    )
    return (REJECT, *gateway, *domains, BASIC_OFF)


def fate(organisation: Organisation, mail: Mail, control: str) -> Fate:
    """Tell what a control does to a mail; ValueError for a control it does not know."""
    if control == REJECT:
        return _reject_direct_send(organisation, mail)
    if control == LOCK:
        return _lock_gateway(organisation, mail)
    if control == BASIC_OFF:
        return Fate.REFUSED if mail.session is Session.SMTP_AUTH_BASIC else Fate.KEPT
    kind, _, rest = control.partition("=")
    if kind == DMARC and rest.endswith(":reject"):
        return _dmarc(organisation, mail, rest.removesuffix(":reject"))
    raise ValueError(control)


def _reject_direct_send(organisation: Organisation, mail: Mail) -> Fate:
    if mail.session is not Session.ANONYMOUS:
        return Fate.KEPT
    if any(connector.enabled and identifies(connector, mail) for connector in organisation.connectors):
        return Fate.KEPT
    own = _own(organisation, ascii_domain(mail.mail_from)) if mail.mail_from else None
    if own is False:
        return Fate.KEPT
    if own is None or any(
        connector.enabled and _unflagged(connector, mail) for connector in organisation.connectors
    ):
        return Fate.UNKNOWABLE
    return Fate.REFUSED


def _lock_gateway(organisation: Organisation, mail: Mail) -> Fate:
    if mail.session is not Session.ANONYMOUS:
        return Fate.KEPT
    if mail.client_ip and _inside(mail.client_ip, organisation.gateway_networks):
        return Fate.KEPT
    # Which of two connectors wins is not documented (reference 8, question 9).
    if any(connector.enabled and _touches(connector, mail) for connector in organisation.connectors):
        return Fate.UNKNOWABLE
    return Fate.REFUSED


def _dmarc(organisation: Organisation, mail: Mail, domain: str) -> Fate:
    author = ascii_domain(mail.header_from)
    if mail.session is not Session.ANONYMOUS or not _below(author, domain):
        return Fate.KEPT
    if author != domain and any(held.ascii_name == author for held in organisation.domains):
        return Fate.KEPT if author not in _unpublished(organisation) else _judged(organisation, mail, author)
    return _judged(organisation, mail, author)


def _judged(organisation: Organisation, mail: Mail, author: str) -> Fate:
    if dmarc_passes(mail, author):
        return Fate.KEPT
    if any(c.enabled and c.type == "OnPremises" and identifies(c, mail) for c in organisation.connectors):
        # Mail of our own server is not put to the policy (table 2.3); a gateway's connector is another matter.
        return Fate.UNKNOWABLE if mail.through_gateway else Fate.KEPT
    return Fate.UNKNOWABLE if organisation.mx == "gateway" else Fate.REFUSED


def _unpublished(organisation: Organisation) -> set[str]:
    return {domain.ascii_name for domain in organisation.domains if domain.policy is None}


def dmarc_passes(mail: Mail, author: str | None = None) -> bool:
    """Tell whether SPF or DKIM passes aligned, relaxed, with the author's domain. Source: RFC 9989 section 4.4."""
    author = ascii_domain(mail.header_from) if author is None else author
    spf = mail.spf == "pass" and _aligned(ascii_domain(mail.mail_from), author)
    return spf or (mail.dkim == "pass" and _aligned(_ascii(mail.dkim_domain), author))


def path(organisation: Organisation, mail: Mail) -> str | None:
    """
    Give the contract's word for how Exchange took a mail; None where either of two words is defensible.

    Mail that names us in P2 only, with a null P1 or a P1 on a sub-domain of ours, is such a case.
    """
    if mail.session is Session.MAILBOX:
        return "internal"
    if mail.session is not Session.ANONYMOUS:
        return "authenticated"
    if connector_of(organisation, mail):
        return "connector"
    if any(connector.enabled and _unflagged(connector, mail) for connector in organisation.connectors):
        return None
    domain = ascii_domain(mail.mail_from)
    if any(domain == held.ascii_name for held in organisation.domains):
        return "direct-send"
    if not domain or any(_below(domain, held.ascii_name) for held in organisation.domains):
        return None
    return "foreign-envelope" if names_us(organisation, mail) else "external"


def connector_of(organisation: Organisation, mail: Mail) -> str | None:
    """Name the connector that takes a mail by address or certificate; OnPremises ones are asked first."""
    if mail.session is not Session.ANONYMOUS:
        return None
    ordered = sorted(organisation.connectors, key=lambda connector: connector.type != "OnPremises")
    return next((held.name for held in ordered if held.enabled and identifies(held, mail)), None)


def names_us(organisation: Organisation, mail: Mail) -> bool:
    """Tell whether P1 or P2 is in the organisation's name."""
    ours = {held.ascii_name for held in organisation.domains}
    return any(ours_or_below(ascii_domain(address), ours) for address in (mail.mail_from, mail.header_from))


def ours_or_below(domain: str, ours: Iterable[str]) -> bool:
    """Tell whether a domain is one of ours or below one."""
    return any(_below(domain, held) for held in ours)


def refused_today(organisation: Organisation, mail: Mail) -> bool:
    """
    Tell whether a mail is refused as things stand, so that no trace shows it.

    By a restricting Partner connector (5.7.51), by RejectDirectSend, or by our own p=reject where it is honoured,
    which with a foreign MX it is not. Source: reference exchange-online 1.8 and 2.3.
    """
    if mail.session is not Session.ANONYMOUS:
        return False
    if organisation.reject_direct_send and _reject_direct_send(organisation, mail) is Fate.REFUSED:
        return True
    author = ascii_domain(mail.header_from)
    rejecting = [held for held in organisation.domains if held.policy == "reject"]
    if organisation.honours_dmarc and any(
        _dmarc(organisation, mail, held.ascii_name) is Fate.REFUSED
        for held in rejecting
        if _below(author, held.ascii_name)
    ):
        return True
    domain = ascii_domain(mail.mail_from)
    covering = [held for held in organisation.connectors if held.enabled and _covers(held, domain)]
    if any(held.type == "OnPremises" and identifies(held, mail) for held in organisation.connectors):
        return False
    restricting = [held for held in covering if held.restrict_to_addresses or held.restrict_to_certificate]
    return bool(restricting) and not any(identifies(held, mail) for held in restricting)


def identifies(connector: Connector, mail: Mail) -> bool:
    """Tell whether a connector matches the session by address or certificate. Source: reference 1.4."""
    by_certificate = bool(connector.certificate) and mail.certificate == connector.certificate
    by_address = bool(mail.client_ip) and _inside(mail.client_ip or "", connector.addresses)
    if connector.type == "OnPremises":
        return by_certificate if connector.certificate else by_address
    covers = _covers(connector, ascii_domain(mail.mail_from))
    return covers and (
        (connector.restrict_to_certificate and by_certificate)
        or (connector.restrict_to_addresses and by_address)
    )


def ascii_domain(address: str) -> str:
    """Give the domain of an address in A-labels, lower case; ``""`` for the null path."""
    return _ascii(address.rpartition("@")[2]) if "@" in address else ""


def _ascii(domain: str) -> str:
    return domain.encode("idna").decode("ascii").lower() if domain else ""


def _own(organisation: Organisation, domain: str) -> bool | None:
    if any(domain == held.ascii_name for held in organisation.domains):
        return True
    below = any(_below(domain, held.ascii_name) and held.match_subdomains for held in organisation.domains)
    return None if below else False


def _below(domain: str, parent: str) -> bool:
    return domain == parent or domain.endswith(f".{parent}")


def _aligned(domain: str, author: str) -> bool:
    # Organisational domains here are the last two labels: no generated name lies below a longer public suffix.
    return bool(domain) and domain.split(".")[-2:] == author.split(".")[-2:]


def _covers(connector: Connector, domain: str) -> bool:
    return any(pattern == "*" or _ascii(pattern) == domain for pattern in connector.sender_domains)


def _unflagged(connector: Connector, mail: Mail) -> bool:
    """A Partner connector that lists the address without the Restrict flag: documents and practice disagree (R7)."""
    return (
        connector.type == "Partner"
        and not connector.restrict_to_addresses
        and _covers(connector, ascii_domain(mail.mail_from))
        and bool(mail.client_ip)
        and _inside(mail.client_ip or "", connector.addresses)
    )


def _touches(connector: Connector, mail: Mail) -> bool:
    return identifies(connector, mail) or _unflagged(connector, mail)


def _inside(address: str, networks: tuple[str, ...]) -> bool:
    number = ipaddress.ip_address(address)
    return any(number in ipaddress.ip_network(network) for network in networks)


def on_premises(organisation: Organisation, mail: Mail) -> bool:
    """Tell whether an OnPremises connector takes a mail, so that it counts as Originating (reference 1.5)."""
    named = connector_of(organisation, mail)
    return any(held.name == named and held.type == "OnPremises" for held in organisation.connectors)
