"""The door: what each peer may send by its device's rule, and the way of its message into the spool."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import formatdate
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from portero.core.address import NetworkMap
from portero.core.relay_words import UNKNOWN_DEVICE
from portero.relay.devices import (
    Device,
    Devices,
    Outside,
    Pattern,
    judge_content,
    judge_recipient,
    judge_sender,
)
from portero.relay.envelope import Envelope
from portero.relay.habit import LOOKED_AT
from portero.relay.headers import first_author_name, mend, read_head
from portero.relay.intake import DISK_FAILED, MessageIntake, RefusedMessage
from portero.relay.protocol import Intake, Peer, Session, Transaction
from portero.relay.settings import Settings
from portero.relay.sure import sure
from portero.relay.syntax import Path as MailPath

# Source: RFC 5321 section 6.3 asks for at least 100; a message that has passed us thrice is in a loop long before.
_HOPS = 100
_OWN_HOPS = 3
STAMP = "X-Portero-Relay"
_STRANGERS = 1000


class Keeper(Protocol):
    """What the door asks of the spool."""

    @property
    def ready(self) -> bool:
        """Tell whether a message may be taken."""

    def next_id(self) -> int:
        """Give a new queue id."""

    def path_of(self, number: int) -> Path:
        """Give the file of a large content."""

    def put(
        self,
        envelope: Envelope,
        content: bytes | None,
        done: Callable[[Exception | None], None],
        record: dict[str, object] | None = None,
    ) -> None:
        """Keep a message, and its audit record."""


class Office(Protocol):
    """What the door asks of the worker."""

    def room(self, octets: int) -> bool:
        """Tell whether a message of this size may stay in memory for its delivery."""

    def take(self, envelope: Envelope, content: bytes | None) -> None:
        """Deliver a message that is durable now."""


class Observer(Protocol):
    """Who knows the devices' habits."""

    def judge(self, device: Device, envelope: Envelope, content: bytes, now: float) -> list[Outside]:
        """Tell what is far outside the device's habit, and learn from the message."""

    def learn(self, peer: Peer, envelope: Envelope, now: float) -> None:
        """Write down what an unknown device sends."""


@dataclass(slots=True)
class Tally:
    """Counts since the start, for metrics."""

    accepted: int = 0
    octets: int = 0
    quarantined: int = 0
    mended: int = 0
    refused: dict[str, int] = field(default_factory=dict)

    def refuse(self, reason: str) -> None:
        """Count a refusal by its reason."""
        self.refused[reason] = self.refused.get(reason, 0) + 1


@dataclass(slots=True)
class _Allowance:
    """Messages a device may still begin."""

    left: float
    at: float


class Reception:
    """
    Answers sessions by the rules and takes their messages in.

    clock:           seconds since 1970.
    check_password:  tells whether a device's credentials are right; None takes none.
    strangers:       the last peers that no rule knows: client to (ehlo, mail_from, times).
    """

    def __init__(
        self,
        settings: Settings,
        spool: Keeper,
        office: Office,
        *,
        clock: Callable[[], float] = time.time,
        observer: Observer | None = None,
        check_password: Callable[[str, str], bool] | None = None,
    ) -> None:
        self.tally = Tally()
        self.strangers: OrderedDict[str, tuple[str, str, int]] = OrderedDict()
        self.stopping = False
        self._spool = spool
        self._office = office
        self._clock = clock
        self._observer = observer
        self.check_password = check_password
        self._allowances: dict[str, _Allowance] = {}
        self._date = (0, "")
        self.reload(settings)

    def reload(self, settings: Settings) -> None:
        """Take new rules; a transaction under way keeps its rule."""
        self._settings = settings
        self._devices = Devices(settings.devices)
        learning = settings.learning
        self._learning: NetworkMap[bool] = NetworkMap(
            (network, True) for network in (learning.networks if learning else ())
        )

    @property
    def hostname(self) -> str:
        """Give what we call ourselves."""
        return self._settings.hostname

    def login(self, user: str, password: str) -> bool:
        """Check a device's credentials."""
        good = self.check_password is not None and self.check_password(user, password)
        if not good:
            self.tally.refuse("login")
        return good

    def sender(self, peer: Peer, mail: MailPath) -> bytes | None:
        """Judge a reverse-path; see `Door`."""
        if self.stopping:
            return b"421 4.3.2 The server is stopping\r\n"
        if not self._spool.ready:
            self.tally.refuse("spool")
            return DISK_FAILED
        peer.outside = []
        device = self._devices.find(
            peer.client, peer.ehlo, peer.login, peer.certificate
        ) or self._being_learnt(peer)
        peer.device = device
        if device is None:
            self._remember(peer, mail.address)
            self.tally.refuse("no-rule")
            return b"550 5.7.1 No rule knows this device; the administrator of this server can write one\r\n"
        if device.tls_required and not peer.tls:
            self.tally.refuse("tls")
            return b"530 5.7.0 Must issue a STARTTLS command first\r\n"
        size = mail.parameters.get("SIZE", "")
        local = None if device.hours is None else self._local().time()
        return self._weigh(peer, judge_sender(device, mail.address, int(size) if size else 0, local)) or (
            None
            if device.messages_per_minute is None or self._spend(device)
            else self._weigh(peer, Outside("rate", str(device.messages_per_minute)))
        )

    def recipient(self, peer: Peer, address: str) -> bytes | None:
        """Judge a forward-path; see `Door`."""
        if "@" not in address:
            return b"550 5.1.1 Write the mailbox with its domain\r\n"
        return self._weigh(peer, judge_recipient(sure(peer.device), address))

    def intake(self, peer: Peer, transaction: Transaction, size_octets: int) -> Intake | bytes:
        """Open the place for a message; see `Door`."""
        if not self._spool.ready:
            self.tally.refuse("spool")
            return DISK_FAILED
        device = sure(peer.device)
        mail = transaction.mail
        number = self._spool.next_id()
        envelope = Envelope(
            id=number,
            received_at=self._clock(),
            client=peer.client,
            ehlo=peer.ehlo,
            device=device.name,
            mail_from=device.rewrite_mail_from or mail.address,
            header_from="",
            message_id="",
            subject="",
            recipients=transaction.recipients,
            size=0,
            smtputf8="SMTPUTF8" in mail.parameters,
            login=peer.login,
            tls=peer.tls,
            ret=mail.parameters.get("RET", "").upper(),
            envid=mail.parameters.get("ENVID", ""),
            owner=device.owner or self._settings.owner,
        )
        transaction.envelope = envelope
        return MessageIntake(
            lambda: self._spool.path_of(number), size_octets, lambda head: self._prepare(peer, envelope, head)
        )

    def complete(self, session: Session, done: Callable[[bytes], None]) -> None:
        """
        Make the message durable that a session has read to its end.

        done:  gets the reply, at once or when the disk has answered.
        """
        transaction, peer = sure(session.transaction), session.peer
        reader, intake, envelope = (
            sure(transaction.reader),
            sure(transaction.intake),
            sure(transaction.envelope),
        )
        try:
            if reader.nul:
                self.tally.refuse("nul")
                raise RefusedMessage(b"554 5.6.0 The message holds NUL octets\r\n")
            if reader.bare and not session.manners.normalise:
                self.tally.refuse("bare-line-end")
                raise RefusedMessage(b"550 5.6.11 The message holds bare CR or LF octets\r\n")
            content = intake.finish()
            self._judge(peer, envelope, content, intake.octets)
        except RefusedMessage as refused:
            intake.abandon()
            done(refused.reply)
            return
        self.tally.mended += bool(reader.bare)
        envelope.size = intake.octets
        envelope.filed = content is None
        envelope.eight_bit = reader.eight_bit
        envelope.longest_line = reader.longest_line
        if peer.outside:
            envelope.state = "quarantined"
            envelope.reasons = [[each.code, each.value] for each in peer.outside]
        elif not self._office.room(envelope.size):
            envelope.state = "waiting"

        def stored(error: Exception | None) -> None:
            if error is not None:
                self.tally.refuse("spool")
                done(DISK_FAILED)
                return
            self.tally.accepted += 1
            self.tally.octets += envelope.size
            self.tally.quarantined += envelope.state == "quarantined"
            done(b"250 2.0.0 Ok: queued as %x\r\n" % envelope.id)
            if envelope.state == "fresh":
                self._office.take(envelope, content)

        self._spool.put(envelope, content, stored, _record(envelope))

    def _prepare(self, peer: Peer, envelope: Envelope, head: bytes) -> bytes:
        """Judge a header section by its device's rule and make it ready to travel. Raises RefusedMessage."""
        device, settings = sure(peer.device), self._settings
        seen = read_head(head, settings.hostname)
        if seen.ours >= _OWN_HOPS or seen.received > _HOPS:
            self.tally.refuse("loop")
            raise RefusedMessage(b"554 5.4.6 The message is in a loop: it has passed here before\r\n")
        # A device that sends no From at all is named by its rule, where the rule has a name for it.
        named = seen.header_from or ("" if seen.has_from else device.rewrite_header_from)
        reply = self._weigh(peer, judge_content(device, named or None, 0))
        if reply is not None:
            raise RefusedMessage(reply)
        date = self._rfc_date()
        replace: dict[str, bytes] = {}
        if device.rewrite_header_from:
            name = first_author_name(head).replace('"', "")
            shown = f'"{name}" ' if name.isascii() and name.isprintable() and name else ""
            replace["from"] = f"From: {shown}<{device.rewrite_header_from}>\r\n".encode()
        for name, text in device.add_headers:
            replace[name.lower()] = f"{name}: {text}\r\n".encode()
        if not seen.has_date:
            replace["date"] = f"Date: {date}\r\n".encode()
        envelope.message_id = seen.message_id
        if not seen.message_id:
            # Stable over every try, so that whoever gets it twice can tell. Source: RFC 6409 section 8.3.
            envelope.message_id = f"<{envelope.queue_id}@{settings.hostname}>"
            replace["message-id"] = f"Message-ID: {envelope.message_id}\r\n".encode()
        envelope.header_from = device.rewrite_header_from or seen.header_from or ""
        envelope.subject = seen.subject
        # What a stranger wrote into our own field is not ours.
        body = mend(head, remove=device.remove_headers | {STAMP.lower()}, replace=replace) if (
            replace or device.remove_headers or STAMP.encode() in head
        ) else head  # fmt: skip
        return self._trace(peer, envelope, date).encode() + body

    def _trace(self, peer: Peer, envelope: Envelope, date: str) -> str:
        """Write the Received field, and the stamp. Source: RFC 5321 section 4.4; RFC 3848 for the protocol's name."""
        settings, queue_id = self._settings, envelope.queue_id
        kind = (
            ("ESMTP" if peer.extended else "SMTP") + ("S" if peer.tls else "") + ("A" if peer.login else "")
        )
        start, shown = _source(peer.client, peer.ehlo)
        received = f"Received: {start}\r\n\tby {settings.hostname} (portero) with {kind} id {queue_id};\r\n\t{date}\r\n"
        if not settings.stamp:
            return received
        return f'{STAMP}: v=1; id={queue_id}; client={shown}; device="{_quotable(envelope.device)}"\r\n{received}'

    def _judge(self, peer: Peer, envelope: Envelope, content: bytes | None, octets: int) -> None:
        device = sure(peer.device)
        if device.size_octets is not None and octets > device.size_octets:
            reply = self._weigh(peer, Outside("size", str(octets)))
            if reply is not None:
                raise RefusedMessage(reply)
        if self._observer is None:
            return
        if device.learning:
            self._observer.learn(peer, envelope, self._clock())
        elif device.habit:
            if content is None:
                content = _beginning(self._spool.path_of(envelope.id))
            peer.outside += self._observer.judge(device, envelope, content, self._clock())

    def _weigh(self, peer: Peer, outside: Outside | None) -> bytes | None:
        """Do with what is outside a rule as the rule says: refuse it, or keep it for the quarantine."""
        if outside is None:
            return None
        if sure(peer.device).outside == "refuse":
            self.tally.refuse(outside.code)
            return _REFUSALS[outside.code]
        peer.outside.append(outside)
        return None

    def _being_learnt(self, peer: Peer) -> Device | None:
        """Give the rule of a device that is being learnt, or None."""
        learning = self._settings.learning
        if learning is None or peer.client not in self._learning or self._local().date() > learning.until:
            return None
        return Device(
            name=UNKNOWN_DEVICE + peer.client,
            mail_from=Pattern(anything=True),
            header_from=Pattern(anything=True),
            # Whoever nobody knows yet may write to the organisation, and to nobody else.
            recipients=Pattern(domains=self._settings.organisation.accepted_domains),
            outside="refuse",
            habit=False,
            learning=True,
        )

    def _remember(self, peer: Peer, mail_from: str) -> None:
        _, _, times = self.strangers.pop(peer.client, ("", "", 0))
        self.strangers[peer.client] = (peer.ehlo, mail_from, times + 1)
        if len(self.strangers) > _STRANGERS:
            self.strangers.popitem(last=False)

    def _spend(self, device: Device) -> bool:
        """Take a message from a device's allowance, which fills evenly over a minute."""
        rate, now = float(device.messages_per_minute or 0), self._clock()
        held = self._allowances.setdefault(device.name, _Allowance(rate, now))
        held.left = min(held.left + (now - held.at) * rate / 60.0, rate)
        held.at = now
        if held.left < 1.0:
            return False
        held.left -= 1.0
        return True

    def _local(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), self._settings.time_zone).astimezone(
            self._settings.time_zone
        )

    def _rfc_date(self) -> str:
        second = int(self._clock())
        if self._date[0] != second:
            self._date = (second, formatdate(second))
        return self._date[1]


@lru_cache(maxsize=1024)
def _source(client: str, ehlo: str) -> tuple[str, str]:
    """Give the from clause of a Received field, and the address in it."""
    shown = f"IPv6:{client}" if ":" in client else client
    # Only what is a name may stand before the comment, whatever the device called itself.
    name = ehlo if ehlo and all(each.isalnum() or each in ".-_" for each in ehlo) else "unknown"
    return f"from {name} ([{shown}])", shown


@lru_cache(maxsize=1024)
def _quotable(text: str) -> str:
    return "".join(each for each in text if " " <= each <= "~" and each not in '"\\')


_REFUSALS = {
    "mail-from": b"550 5.7.1 This device may not send as this sender\r\n",
    "recipient": b"550 5.7.1 This device may not send to this recipient\r\n",
    "header-from": b"550 5.7.1 This device may not send as the author in From\r\n",
    "size": b"552 5.3.4 The message is larger than this device may send\r\n",
    "rate": b"450 4.7.1 This device sends more than its rule allows, try again later\r\n",
    "hours": b"450 4.7.1 This device may not send at this hour\r\n",
}


def _beginning(path: Path) -> bytes:
    """Read what a habit looks at of a large message; its file was written a moment ago. Raises RefusedMessage."""
    try:
        with path.open("rb") as stream:
            return stream.read(LOOKED_AT)
    except OSError:
        raise RefusedMessage(DISK_FAILED) from None


def _record(envelope: Envelope) -> dict[str, object]:
    """Give the audit record of a message that was taken."""
    return {
        "at": envelope.received_at,
        "event": envelope.state if envelope.state == "quarantined" else "accepted",
        "id": envelope.queue_id,
        "device": envelope.device,
        "client": envelope.client,
        "ehlo": envelope.ehlo,
        "login": envelope.login,
        "tls": envelope.tls,
        "mail_from": envelope.mail_from,
        "header_from": envelope.header_from,
        "to": [each.address for each in envelope.recipients],
        "message_id": envelope.message_id,
        "subject": envelope.subject,
        "size": envelope.size,
        "reasons": envelope.reasons,
    }
