"""
Feeds a relay's session what a fuzzer makes up; runs for as long as one likes.

    pip install atheris
    python tests/fuzz/fuzz_relay.py -max_total_time=86400 CORPUS_FOLDER

It fails where a session raises, answers with what is no reply, ends a message elsewhere than at the five octets, passes
on a bare line end it should have mended, or keeps more than it may.
"""

from __future__ import annotations

import contextlib
import sys

try:
    import atheris
except ImportError:
    # The tests run the target without it.
    instrumented = contextlib.nullcontext()
else:
    instrumented = atheris.instrument_imports(include=["portero"])

with instrumented:
    from portero.relay.data_phase import DataReader
    from portero.relay.protocol import Event, Manners, Peer, Session, State, Transaction
    from portero.relay.proxy import ProxyFault, read_proxy
    from portero.relay.syntax import Path


class Memory:
    """An intake that remembers."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.octets = 0

    def write(self, piece: bytes) -> None:
        self.pieces.append(piece)

    def abandon(self) -> None:
        self.pieces.clear()

    def finish(self) -> bytes | None:
        return b"".join(self.pieces)


class Open:
    """A door that takes everything."""

    def sender(self, peer: Peer, mail: Path) -> bytes | None:
        return None

    def recipient(self, peer: Peer, address: str) -> bytes | None:
        return None

    def intake(self, peer: Peer, transaction: Transaction, size_octets: int) -> Memory:
        return Memory()


def one_input(data: bytes) -> None:
    """Try one input: its first octet says how it is cut, the rest is what the client sends."""
    size, wire = 1 + data[:1][0] % 64 if data else 1, data[1:]
    normalise = bool(data and data[0] & 128)
    manners = Manners(
        "fuzz",
        starttls=True,
        login=True,
        login_clear=True,
        normalise=normalise,
        hard_errors=1000,
        soft_errors=999,
    )
    session = Session(Open(), manners, Peer("192.0.2.1"), "relay.example")
    for at in range(0, len(wire), size):
        session.receive(wire[at : at + size])
        event = session.event
        if event is Event.MESSAGE:
            assert session.transaction is not None
            assert session.transaction.intake is not None
            content = session.transaction.intake.finish() or b""
            assert (b"\r\n" + content + b".\r\n").find(b"\r\n.\r\n") == len(content)
            if normalise:
                bare = content.replace(b"\r\n", b"")
                assert b"\r" not in bare
                assert b"\n" not in bare
            session.resume(b"250 2.0.0 Ok\r\n")
        elif event is Event.TLS:
            session.secured("TLSv1.3 X")
        elif event is Event.LOGIN:
            session.logged_in(right=True)
        elif event is not None:
            session.resume()
        for reply in session.output:
            assert reply[:3].isdigit()
            assert reply.endswith(b"\r\n")
        session.output.clear()
        if session.state is State.TEXT:
            assert session.transaction is not None
            assert session.transaction.recipients
    reader = DataReader(lambda _: None, normalise=normalise)
    whole = DataReader(lambda _: None, normalise=normalise)
    rest = None
    for at in range(0, len(wire), size):
        rest = reader.feed(wire[at : at + size])
        if rest is not None:
            rest += wire[at + size :]
            break
    assert rest == whole.feed(wire)
    with contextlib.suppress(ProxyFault):
        read_proxy(wire)


def main() -> None:
    """Run under atheris."""
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
