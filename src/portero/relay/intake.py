"""One message on its way in: in memory while it is small, in a file of its own from there on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from io import BufferedWriter
from pathlib import Path

from portero.relay.headers import HEADER_OCTETS, split_head
from portero.relay.sure import sure

# Larger contents are files of their own: SQLite would write them twice, to its log and to its table.
SPILL_OCTETS = 262_144
DISK_FAILED = b"452 4.3.1 The queue's disk is full or does not answer, try again later\r\n"


class RefusedMessage(Exception):  # noqa: N818  (the protocol's word)
    """The message is not taken; `reply` says why."""

    def __init__(self, reply: bytes) -> None:
        super().__init__(reply.decode("ascii", "replace").strip())
        self.reply = reply


class MessageIntake:
    """
    Takes the pieces of a message and gives its content, its header section made ready.

    path:     gives where the content goes once it is large.
    limit:    octets it may have at most.
    prepare:  makes the header section ready, or raises RefusedMessage; it sees the section once.
    """

    __slots__ = ("_file", "_held", "_limit", "_path", "_pieces", "_prepare", "_refusal", "octets")

    def __init__(self, path: Callable[[], Path], limit: int, prepare: Callable[[bytes], bytes]) -> None:
        self._path = path
        self._limit = limit
        self._prepare = prepare
        self._pieces: list[bytes] = []
        self._held = 0
        self._file: BufferedWriter | None = None
        self._refusal: bytes | None = None
        self.octets = 0

    def write(self, piece: bytes) -> None:
        """Take a piece; once the message is to be refused its pieces are dropped, and told apart at the end."""
        if self._refusal is not None:
            return
        self._held += len(piece)
        if self._held > self._limit:
            self._drop(b"552 5.3.4 The message is larger than this server takes\r\n")
        elif self._file is not None:
            self._to_file(piece)
        else:
            self._pieces.append(piece)
            if self._held > SPILL_OCTETS:
                self._spill()

    def abandon(self) -> None:
        """Forget the message: its session broke, or the spool refused it."""
        self._drop(self._refusal or b"451 4.3.0 The message was given up\r\n")

    def finish(self) -> bytes | None:
        """
        Give the content, or None where it is in its file.

        Raises RefusedMessage; the file is gone then. The file is not synced yet: that is the spool's to do.
        """
        if self._refusal is None and self._file is not None:
            try:
                self._file.close()
            except OSError:
                self._drop(DISK_FAILED)
        if self._refusal is not None:
            raise RefusedMessage(self._refusal)
        if self._file is not None:
            return None
        content = self._ready(b"".join(self._pieces))
        self._pieces = []
        self.octets = len(content)
        return content

    def _ready(self, content: bytes) -> bytes:
        head, rest = split_head(content)
        if len(head) > HEADER_OCTETS:
            raise RefusedMessage(b"552 5.3.4 The header section is too long\r\n")
        return self._prepare(head) + rest

    def _spill(self) -> None:
        content = b"".join(self._pieces)
        self._pieces = []
        try:
            ready = self._ready(content)
            # A file of this name can only be a leftover of ours: ids are given once.
            self._file = self._path().open("wb")
        except RefusedMessage as refused:
            self._drop(refused.reply)
        except OSError:
            self._drop(DISK_FAILED)
        else:
            self._to_file(ready)

    def _to_file(self, piece: bytes) -> None:
        try:
            sure(self._file).write(piece)
            self.octets += len(piece)
        except OSError:
            self._drop(DISK_FAILED)

    def _drop(self, reply: bytes) -> None:
        self._refusal = reply
        self._pieces = []
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            with suppress(OSError):
                self._path().unlink()
            self._file = None
