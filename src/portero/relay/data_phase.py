"""Finds the end of a message by the five octets that RFC 5321 knows, and takes note of what stands before them."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

END = b"\r\n.\r\n"
_HELD = len(END) - 1
# The longest text line of RFC 5321 section 4.5.3.1.6, its CRLF included.
LINE_OCTETS = 1000
# A dot that opens a line is stuffing and goes where a bare LF ends that line: kept, it would make an end of message.
_BARE = re.compile(rb"(?:(?<=\r\n)\.)?(?<!\r)\n(\.?)|\r(?!\n)")


class DataReader:
    """
    Reads one message, in whatever pieces the network gives, and passes it on dot-stuffed as it came.

    write:         takes each piece; the pieces joined are the message with its last CRLF, without the final dot.
    normalise:     a bare LF becomes CRLF and a bare CR a space; otherwise they stay, counted in `bare`.
    longest_line:  octets of the longest line over 1000, or 0 where none is.
    Nothing here makes an object per line: searching and counting are the work of bytes methods.
    Source: RFC 5321 sections 2.3.8, 4.1.1.4 and 4.5.2; CVE-2023-51764 for why only CRLF dot CRLF ends a message.
    """

    __slots__ = ("_column", "_first", "_inside_line", "_line_start", "_normalise", "_tail", "_write", "bare", "eight_bit",
                 "longest_line", "nul", "size")  # fmt: skip

    def __init__(self, write: Callable[[bytes], object], *, normalise: bool) -> None:
        self._write = write
        self._normalise = normalise
        # A message may begin with its final dot: the line end before it is that of the DATA command.
        self._tail = b"\r\n"
        self._first = True
        self._line_start = True
        # The last piece ended in a bare LF: for the client the next octet stands inside a line.
        self._inside_line = False
        self._column = 0
        self.bare = 0
        self.nul = False
        self.eight_bit = False
        self.longest_line = 0
        self.size = 0

    def feed(self, data: bytes) -> bytes | None:
        """Take what arrived; give what follows the end of the message, or None while it has not come."""
        held = self._tail + data
        at = _end_of(held)
        if at >= 0:
            # The line end of the last line belongs to the message.
            self._pass(held[: at + 2])
            return held[at + len(END) :]
        cut = max(len(held) - _HELD, 0)
        if cut and held[cut - 1] == 13:
            # A carriage return waits for what follows it, so that a pair is never split.
            cut -= 1
        elif cut and held[cut - 1] == 46:
            # So does a dot: what ends its line decides what it is.
            cut -= 1
        if self._first and cut <= 2:
            cut = 0
        self._pass(held[:cut])
        self._tail = held[cut:]
        return None

    def _pass(self, piece: bytes) -> None:
        if not piece:
            return
        if self._first:
            piece = piece[2:]
            self._first = False
            if not piece:
                return
        bare = _bare_ends(piece)
        if bare or self._inside_line:
            self.bare += bare
            if self._normalise:
                self._pass_mended(piece)
                return
        self._line_start = piece.endswith(b"\r\n")
        self._keep(piece)

    def _keep(self, piece: bytes) -> None:
        if not piece.isascii():
            self.eight_bit = True
        if b"\0" in piece:
            self.nul = True
        self._measure(piece)
        self.size += len(piece)
        self._write(piece)

    def _pass_mended(self, piece: bytes) -> None:
        # A dot behind a bare LF stood inside a line for the client, so no stuffing precedes it: add it.
        stuffing = b"." if self._inside_line and piece.startswith(b".") else b""
        before = b"\r\n" if self._line_start else b""
        self._line_start = piece.endswith(b"\r\n")
        self._inside_line = piece.endswith(b"\n") and not self._line_start
        mended = _BARE.sub(_mend, before + piece)
        self._keep(stuffing + mended[len(before) :])

    def _measure(self, piece: bytes) -> None:
        """Keep the longest line's length by looking at one place in a thousand octets."""
        start, size, column = 0, len(piece), self._column
        while True:
            window = max(start + LINE_OCTETS - column, start)
            if window > size:
                end = piece.rfind(b"\n", start)
                self._column = column + size - start if end < 0 else size - end - 1
                return
            end = piece.rfind(b"\n", start, window)
            if end < 0:
                end = piece.find(b"\n", window)
                over = column + (size if end < 0 else end + 1) - start
                self.longest_line = max(self.longest_line, over if over > LINE_OCTETS else 0)
                if end < 0:
                    self._column = column + size - start
                    return
            start, column = end + 1, 0


def _end_of(held: bytes) -> int:
    """Give the place of the first END, -1 where there is none."""
    # Backwards is four times as fast, and a piece mostly holds no end or has it at its own.
    at = held.rfind(END)
    return held.find(END) if at > 0 and held.rfind(END, 0, at + _HELD) >= 0 else at


def _bare_ends(piece: bytes) -> int:
    """Count the CRs without LF and the LFs without CR."""
    # The decoder walks once, in C, and says which line ends it saw; to count them takes six times as long.
    walk = io.IncrementalNewlineDecoder(None, translate=False)
    walk.decode(piece.decode("latin-1"), final=True)
    if walk.newlines in {None, "\r\n"}:
        return 0
    return piece.count(b"\n") + piece.count(b"\r") - 2 * piece.count(b"\r\n")


def _mend(found: re.Match[bytes]) -> bytes:
    return b" " if found[0] == b"\r" else b"\r\n" + found[1] * 2
