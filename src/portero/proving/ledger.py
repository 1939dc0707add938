"""The truth about an organisation as plain JSON, for the scorer and for people who read a wrong score."""

from __future__ import annotations

from portero.proving import truth
from portero.proving.organisation import Mail, Organisation
from portero.proving.writers.export import witnesses
from portero.proving.writers.message_traces import traced_sender

SCHEMA = "portero.proving/1"
_KNOWS_P1 = {"extended", "email-events"}
_NAMES_CONNECTOR = {"extended", "email-events", "enhanced"}
_SUMMARIES = {"v2", "graph", "enhanced"}


def ledger(organisation: Organisation) -> dict[str, object]:
    """
    Give the truth.

    Of mails only those in the organisation's name that some document shows; ``fates`` by control, and
    ``sufficient`` the controls for which the evidence written settles the fate, so that "undetermined" is
    needless caution.
    """
    held = witnesses(organisation)
    controls = truth.controls(organisation)
    mails = []
    unseen = 0
    for mail in organisation.mails:
        if mail.sender is None:
            continue
        if not _visible(organisation, mail, held[mail.id]):
            unseen += 1
            continue
        mails.append(_entry(organisation, mail, held[mail.id], controls))
    return {
        "schema": SCHEMA,
        "name": organisation.name,
        "axes": {name: list(v) if isinstance(v, tuple) else v for name, v in organisation.axes.items()},
        "accepted_domains": [domain.ascii_name for domain in organisation.domains],
        "controls": list(controls),
        "unseen": unseen,
        "senders": [
            {
                "id": sender.id,
                "label": sender.label,
                "kind": sender.kind,
                "judgement": sender.judgement,
                "story": sender.story,
            }
            for sender in organisation.senders
        ],
        "mails": mails,
    }


def _entry(
    organisation: Organisation, mail: Mail, seen: set[str], controls: tuple[str, ...]
) -> dict[str, object]:
    return {
        "id": mail.id,
        "sender": mail.sender,
        "at": mail.sent_at.isoformat(),
        "mail_from_domain": truth.ascii_domain(mail.mail_from),
        "header_from": _ascii_address(mail.header_from),
        "client_ip": mail.client_ip if _shows_address(organisation, mail, seen) else None,
        "ehlo": mail.ehlo if "extended" in seen else None,
        "path": truth.path(organisation, mail),
        "witnesses": sorted(seen),
        "fates": {control: truth.fate(organisation, mail, control).value for control in controls},
        "sufficient": [control for control in controls if _settles(organisation, mail, seen, control)],
    }


def _visible(organisation: Organisation, mail: Mail, seen: set[str]) -> bool:
    """Tell whether some document shows that the mail names us; a summary shows one of P1 and P2 only."""
    ours = {domain.ascii_name for domain in organisation.domains}
    shown = {mail.header_from} if "enhanced" in seen else set()
    if seen & {"v2", "graph"}:
        shown.add(traced_sender(organisation, mail))
    named = any(truth.ours_or_below(truth.ascii_domain(address), ours) for address in shown)
    return named or bool(seen & {"extended", "email-events", "dmarc"})


def _ascii_address(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.encode('idna').decode('ascii')}".lower()


def _shows_address(organisation: Organisation, mail: Mail, seen: set[str]) -> bool:
    if "dmarc" in seen:
        return True
    if organisation.axes.get("addresses_lost"):
        return False
    fresh = (organisation.end - mail.sent_at).total_seconds() < 10 * 86_400
    anonymous = mail.session.value == "anonymous"
    return (
        bool(seen & _KNOWS_P1)
        or (bool(seen & {"v2", "graph"}) and anonymous)
        or ("enhanced" in seen and fresh)
    )


def _settles(organisation: Organisation, mail: Mail, seen: set[str], control: str) -> bool:
    """
    Tell whether the documents settle what a control does to a mail.

    Cautious on purpose: where two readers could differ it says no, and "undetermined" costs the judge nothing.
    """
    configuration = organisation.axes.get("configuration", "full")
    domains = configuration != "none"
    if mail.session.value != "anonymous":
        # Only a report on SMTP AUTH tells a password from a token, and a mailbox from a device.
        return control != truth.BASIC_OFF and bool(seen & _NAMES_CONNECTOR)
    if control == truth.BASIC_OFF:
        return bool(seen & _NAMES_CONNECTOR) and truth.direction_shown(organisation, mail)
    address = _shows_address(organisation, mail, seen)
    session = bool(seen & _NAMES_CONNECTOR) or (configuration == "full" and address and not mail.certificate)
    if control == truth.REJECT:
        return domains and session and (bool(seen & _KNOWS_P1) or _plain(organisation, mail, seen))
    if control == truth.LOCK:
        return session and address and configuration == "full"
    return ("dmarc" in seen and not seen & _SUMMARIES) or "email-events" in seen


def _plain(organisation: Organisation, mail: Mail, seen: set[str]) -> bool:
    """A summary names one sender; it settles the matter where P1 and P2 are one address."""
    return bool(seen & _SUMMARIES) and mail.mail_from == mail.header_from and bool(organisation.domains)
