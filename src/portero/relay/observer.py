"""Judges each message by its device's habit, and keeps the habits over restarts."""

from __future__ import annotations

from portero.relay.devices import Device, Outside
from portero.relay.envelope import Envelope
from portero.relay.habit import Memory, attachment_kinds
from portero.relay.protocol import Peer
from portero.relay.spool import Reader, Spool

KEY = "memory"


class Habits:
    """The observer that the reception asks; see `Observer` there."""

    def __init__(self, reader: Reader) -> None:
        self._memory = Memory(reader.kept(KEY))

    def judge(self, device: Device, envelope: Envelope, content: bytes, now: float) -> list[Outside]:
        """Tell what is far outside the device's habit, and learn from the message."""
        self._memory.changed = True
        return self._memory.habit(device.name).judge(
            [each.address for each in envelope.recipients], attachment_kinds(content), now
        )

    def learn(self, peer: Peer, envelope: Envelope, now: float) -> None:
        """Write down what an unknown device sends."""
        self._memory.learn(
            peer.client,
            peer.ehlo,
            envelope.mail_from,
            envelope.header_from,
            [each.address for each in envelope.recipients],
            envelope.size,
            now,
        )

    def keep(self, spool: Spool) -> None:
        """Hand what changed to the spool."""
        if self._memory.changed:
            self._memory.changed = False
            spool.keep(KEY, self._memory.kept())
