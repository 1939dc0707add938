"""The truth about an organisation as plain JSON, for the scorer and for people who read a wrong score."""

from __future__ import annotations

from datetime import timedelta

from portero.proving import truth
from portero.proving.organisation import Mail, Organisation, Session
from portero.proving.writers.export import witnesses
from portero.proving.writers.message_traces import traced_sender

SCHEMA = "portero.proving/1"
_KNOWS_P1 = {"extended", "email-events"}
_NAMES_CONNECTOR = {"extended", "email-events", "enhanced"}
_SUMMARIES = {"v2", "graph", "enhanced"}
_ADDRESS_KEPT = timedelta(days=10)


def ledger(organisation: Organisation) -> dict[str, object]:
    """
    Give the truth.

    Of mails only those that some document shows to be in the organisation's name; ``fates`` by control, and
    ``sufficient`` the controls for which the documents settle the fate, so that "undetermined" is needless caution.
    """
    view = _View(organisation)
    named = [mail for mail in organisation.mails if mail.sender is not None]
    shown = [mail for mail in named if view.shows(mail)]
    return {
        "schema": SCHEMA,
        "name": organisation.name,
        "axes": {name: list(v) if isinstance(v, tuple) else v for name, v in organisation.axes.items()},
        "accepted_domains": [domain.ascii_name for domain in organisation.domains],
        "controls": list(view.controls),
        "unseen": len(named) - len(shown),
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
        "mails": [view.entry(mail) for mail in shown],
    }


class _View:
    """What the documents written for one organisation show of a mail."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation
        self._held = witnesses(organisation)
        self._ours = {domain.ascii_name for domain in organisation.domains}
        self._kinds = {sender.id: sender.kind for sender in organisation.senders}
        self._mixed = {
            self._kinds[mail.sender]
            for mail in organisation.mails
            if mail.sender and truth.ascii_domain(mail.mail_from) not in self._ours
        }
        self._configuration = organisation.axes.get("configuration", "full")
        self.controls = truth.controls(organisation)

    def shows(self, mail: Mail) -> bool:
        """Tell whether some document shows that the mail names us; a summary shows one of P1 and P2 only."""
        seen = self._held[mail.id]
        names = {mail.header_from} if "enhanced" in seen else set()
        if seen & {"v2", "graph"}:
            names.add(traced_sender(self._organisation, mail))
        if "connector-report" in seen:
            names.add(mail.mail_from)
        named = any(truth.ours_or_below(truth.ascii_domain(name), self._ours) for name in names)
        return named or bool(seen & {"extended", "email-events", "dmarc"})

    def entry(self, mail: Mail) -> dict[str, object]:
        """Give one mail."""
        seen = self._held[mail.id]
        fates = {control: truth.fate(self._organisation, mail, control) for control in self.controls}
        return {
            "id": mail.id,
            "sender": mail.sender,
            "at": mail.sent_at.isoformat(),
            "mail_from_domain": truth.ascii_domain(mail.mail_from),
            "header_from": _ascii_address(mail.header_from),
            "client_ip": mail.client_ip if self._address(mail) else None,
            "ehlo": mail.ehlo if "extended" in seen else None,
            "session_shown": self._session_shown(seen),
            "path": truth.path(self._organisation, mail),
            "witnesses": sorted(seen),
            "fates": {control: fate.value for control, fate in fates.items()},
            "sufficient": [
                control
                for control, fate in fates.items()
                if fate is not truth.Fate.UNKNOWABLE and self._settles(mail, control)
            ],
        }

    def _session_shown(self, seen: set[str]) -> bool:
        """Tell whether some document tells a mailbox's mail from port 25's: by direction, or by an empty FromIP."""
        from_ip = seen & {"v2", "graph"} and not self._organisation.axes.get("addresses_lost")
        return bool(seen & _NAMES_CONNECTOR or from_ip or "dmarc" in seen)

    def _address(self, mail: Mail) -> bool:
        """Tell whether some document shows the client's address."""
        seen, anonymous = self._held[mail.id], mail.session is Session.ANONYMOUS
        if seen & {"dmarc", "connector-report"}:
            return True
        if self._organisation.axes.get("addresses_lost"):
            return False
        if seen & _KNOWS_P1 or (seen & {"v2", "graph"} and anonymous):
            return True
        return "enhanced" in seen and self._organisation.end - mail.sent_at < _ADDRESS_KEPT

    def _settles(self, mail: Mail, control: str) -> bool:
        """
        Tell whether the documents settle what a control does to a mail.

        Cautious on purpose: where two readers could differ it says no, and "undetermined" costs the judge nothing.
        """
        seen = self._held[mail.id]
        names_connector = bool(seen & _NAMES_CONNECTOR)
        if mail.session is not Session.ANONYMOUS:
            # Only a report on SMTP AUTH tells a password from a token, and a device from a mailbox.
            return control != truth.BASIC_OFF and names_connector
        if control == truth.BASIC_OFF:
            return names_connector and not truth.on_premises(self._organisation, mail)
        configured = self._configuration == "full" and self._address(mail) and mail.certificate is None
        if control == truth.REJECT:
            known = bool(seen & _KNOWS_P1) or self._plain(mail)
            return self._configuration != "none" and (names_connector or configured) and known
        if control == truth.LOCK:
            return configured
        return "email-events" in seen or ("dmarc" in seen and not seen & _SUMMARIES)

    def _plain(self, mail: Mail) -> bool:
        """
        Tell whether a summary's one sender settles P1: it does where P1 and P2 are one address.

        Not so where another sender of the same kind has a foreign P1: the contract asks for "undetermined" there.
        """
        summary = bool(self._held[mail.id] & _SUMMARIES)
        return (
            summary
            and mail.mail_from == mail.header_from
            and self._kinds[mail.sender or ""] not in self._mixed
        )


def _ascii_address(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.encode('idna').decode('ascii')}".lower()
