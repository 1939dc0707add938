"""Fuzz targets of the relay: what a client sends, what a next hop answers, and what a message holds."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from portero.relay.data_phase import DataReader
from portero.relay.graph_mime import addressed, as_draft
from portero.relay.habit import attachment_kinds
from portero.relay.headers import first_author_name, mend, read_head, split_head
from portero.relay.outcome import Kind, Outcome
from portero.relay.protocol import Event, Manners, Peer, Session, State, Transaction
from portero.relay.proxy import ProxyFault, read_proxy
from portero.relay.reencode import reencoded
from portero.relay.smtp_client import Hop, SmtpClient
from portero.relay.syntax import Path
from portero.relay.transport import Outgoing, stuffed, unstuffed

END = b"\r\n.\r\n"
# The longest line that may wait for its end: AUTH's, RFC 4954 section 4.
_LINE_OCTETS = 12_288


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


class _Open:
    """A door that takes everything."""

    def sender(self, peer: Peer, mail: Path) -> bytes | None:
        return None

    def recipient(self, peer: Peer, address: str) -> bytes | None:
        return None

    def intake(self, peer: Peer, transaction: Transaction, size_octets: int) -> Memory:
        return Memory()


def _conversation(wire: bytes, size: int, *, normalise: bool) -> tuple[bytes, list[bytes], bool]:
    """Hold a conversation in pieces of a size; give all replies, all messages, and whether TLS was begun."""
    manners = Manners(
        "fuzz",
        starttls=True,
        login=True,
        login_clear=True,
        normalise=normalise,
        hard_errors=10_000,
        soft_errors=9_999,
        idle_commands=10_000,
    )
    session = Session(_Open(), manners, Peer("192.0.2.1"), "relay.example")
    replies: list[bytes] = []
    messages: list[bytes] = []
    encrypted = False
    for at in range(0, len(wire), size):
        session.receive(wire[at : at + size])
        while (event := session.event) is not None and event is not Event.CLOSE:
            if event is Event.MESSAGE:
                assert session.transaction is not None
                assert session.transaction.recipients
                assert session.transaction.intake is not None
                messages.append(session.transaction.intake.finish() or b"")
                session.resume(b"250 2.0.0 Ok\r\n")
            elif event is Event.TLS:
                encrypted = True
                session.secured("TLSv1.3 X")
            elif event is Event.LOGIN:
                session.logged_in(right=True)
            else:
                session.resume()
        # What waits for its line's end is bounded, whatever comes.
        assert len(session._input) <= _LINE_OCTETS
        for reply in session.output:
            assert reply[:3].isdigit()
            assert reply.endswith(b"\r\n")
        replies += session.output
        session.output.clear()
        if session.state is State.TEXT:
            assert session.transaction is not None
            assert session.transaction.recipients
    return b"".join(replies), messages, encrypted


def relay_client(data: bytes) -> None:
    """
    Try what a client sends; the first octet says how it is cut, and whether bare line ends are mended.

    Fails where a session raises, answers with what is no reply, keeps more than it may, ends a message elsewhere than at
    the five octets, passes on a bare line end it should have mended, or where the network's cuts change anything.
    """
    size, wire = 1 + data[:1][0] % 64 if data else 1, data[1:]
    normalise = bool(data and data[0] & 128)
    whole = _conversation(wire, max(len(wire), 1), normalise=normalise)
    cut = _conversation(wire, size, normalise=normalise)
    for content in whole[1]:
        assert (b"\r\n" + content + b".\r\n").find(END) == len(content)
        if normalise:
            assert not {13, 10} & set(content.replace(b"\r\n", b""))
    # Behind STARTTLS what came in the same piece is forgotten, so there the cuts decide, and must.
    assert whole == cut or whole[2] or cut[2]


def relay_text(data: bytes) -> None:
    """Try the text of a message, in pieces and whole: the same end, and the same content."""
    size, wire = 1 + data[:1][0] % 64 if data else 1, data[1:]
    for normalise in (False, True):
        held: list[bytes] = []
        reader = DataReader(held.append, normalise=normalise)
        rest = None
        for at in range(0, len(wire), size):
            rest = reader.feed(wire[at : at + size])
            if rest is not None:
                rest += wire[at + size :]
                break
        kept: list[bytes] = []
        whole = DataReader(kept.append, normalise=normalise)
        assert rest == whole.feed(wire)
        if rest is None:
            continue
        assert b"".join(held) == b"".join(kept)
        if not normalise:
            assert b"".join(kept) == (b"\r\n" + wire)[2 : (b"\r\n" + wire).find(END) + 2]
        for name in ("bare", "nul", "eight_bit", "longest_line", "size"):
            assert getattr(reader, name) == getattr(whole, name)


def relay_proxy(data: bytes) -> None:
    """Try what a balancer says first."""
    with contextlib.suppress(ProxyFault):
        found = read_proxy(data)
        assert found is None or data.endswith(found.rest)


def relay_head(data: bytes) -> None:
    """Try a message: its head is read and mended, and what leaves by Graph is made of it, without raising."""
    head, rest = split_head(data)
    assert rest.startswith(b"\r\n")
    read_head(head, "relay.example")
    first_author_name(head)
    mended = mend(head, remove=frozenset({"bcc"}), replace={"from": b"From: <a@example.org>\r\n"})
    assert mended.lower().count(b"\nbcc:") <= head.lower().count(b"\nbcc:")
    assert b"From: <a@example.org>\r\n" in mended
    attachment_kinds(data)
    addressed(data, ["a@example.org"])
    as_draft(data)
    reencoded(stuffed(data))
    assert unstuffed(stuffed(data)).startswith(data)


class _Line:
    """A transport whose far side says its pieces, from the first write on, and closes behind the last."""

    def __init__(self, client: SmtpClient, answers: list[bytes]) -> None:
        self.client, self.answers, self.written, self.open = client, answers, b"", True

    def write(self, data: bytes | memoryview) -> None:
        if not self.written:
            asyncio.get_running_loop().call_soon(self._answer)
        self.written += bytes(data)

    def _answer(self) -> None:
        if not self.answers:
            self.abort()
        elif self.open:
            self.client.data_received(self.answers.pop(0))
            asyncio.get_running_loop().call_soon(self._answer)

    def is_closing(self) -> bool:
        return not self.open

    def abort(self) -> None:
        if self.open:
            self.open = False
            asyncio.get_running_loop().call_soon(self.client.connection_lost, None)


async def _served(pieces: list[bytes], extensions: dict[str, str]) -> tuple[list[Outcome], bytes]:
    client = SmtpClient(Hop("hop.example", 25, "none"), "relay.example")
    line = _Line(client, pieces)
    client.connection_made(line)  # type: ignore[arg-type]  # as much of a transport as the client uses
    client.extensions = extensions
    recipients = [("a@example.org", "", ""), ("b@example.org", "", "")]
    outcomes = await client.send(Outgoing("1", "s@example.org", recipients, b"Subject: x\r\n\r\ntext\r\n"))
    return outcomes, line.written


def relay_hop(data: bytes) -> None:
    """
    Try what a next hop answers: one outcome a recipient, and none delivered before the whole message was said.

    The first octet says whether the hop pipelines; pieces end where two zero octets stand.
    """
    offered = {"PIPELINING": ""} if data[:1] and data[0] & 1 else {}
    outcomes, written = asyncio.run(_served(data[1:].split(b"\0\0"), offered))
    assert len(outcomes) == 2
    if any(each.kind is Kind.DELIVERED for each in outcomes):
        assert b"text\r\n.\r\n" in written


RELAY_TARGETS: dict[str, Callable[[bytes], None]] = {
    "relay-client": relay_client,
    "relay-text": relay_text,
    "relay-proxy": relay_proxy,
    "relay-head": relay_head,
    "relay-hop": relay_hop,
}
_BEGIN = b"EHLO x\r\nMAIL FROM:<a@b.example> SIZE=100\r\nRCPT TO:<c@d.example> NOTIFY=NEVER\r\nDATA\r\n"
_MIME = (
    b"From: A <a@example.org>\r\nTo: b@example.org\r\nBcc: c@example.org\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n'
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A1\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nJVBERi0=\r\n--b--\r\n"
)
RELAY_SEEDS: dict[str, tuple[bytes, ...]] = {
    "relay-client": (
        b"\x05" + _BEGIN + _MIME + b".\r\nRSET\r\nAUTH PLAIN AGEAYg==\r\nQUIT\r\n",
        b"\x85" + _BEGIN + b"a\n.\nb\r.\r\r\n.\r\nSTARTTLS\r\nEHLO y\r\nAUTH LOGIN\r\nYQ==\r\nYg==\r\n",
    ),
    "relay-text": (b"\x03.x\r\n..\r\n" + b"y" * 1200 + b"\n.\n\r\n.\r\nQUIT\r\n",),
    "relay-proxy": (
        b"PROXY TCP4 192.0.2.1 192.0.2.2 5 25\r\nEHLO x\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\0\5\0\x19EHLO x\r\n",
    ),
    "relay-head": (
        _MIME,
        _MIME.replace(b"=C3=A1", b"\xe1" * 1200),
        b"Bcc: c@d.example\0\r\nsion: 1\r\n\r\nt\r\n",
    ),
    "relay-hop": (
        b"\x01250 2.1.0 Ok\r\n250 Ok\r\n550 5.1.1 no\r\n354 go\r\n\0\x00250-2.0.0 one\r\n250 two\r\n",
        b"\x00250 ok\r\n\0\x00250 ok\r\n\0\x00421 4.3.2 bye\r\n\0\x00354 go\r\n\0\x00250 ok\r\n",
    ),
}
