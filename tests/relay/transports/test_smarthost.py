"""A smart host: its options, its login, and its client's words on the wire."""

import asyncio
from pathlib import Path

import pytest

from portero.relay.outcome import Kind, Scope
from portero.relay.pace import Limits
from portero.relay.secrets import Secret
from portero.relay.transport import Kit, Outgoing, Way
from portero.relay.transports.smarthost import TRANSPORT
from support.relay import hop
from support.ways import Tokens

MESSAGE = Outgoing(
    "1",
    "a@b.example",
    (("c@d.example", "NEVER", "rfc822;c@d.example"),),
    b"Subject: x\r\n\r\ntext\r\n",
    ret="HDRS",
    envid="q1",
)


def way(port: int, **options: object) -> Way:
    return Way("way", "smarthost", {"host": "127.0.0.1", "port": port, "tls": "none", **options}, Limits())


def deliver(port: int, message: Outgoing = MESSAGE, **options: object) -> list[tuple[Kind, Scope, str]]:
    async def run() -> list[tuple[Kind, Scope, str]]:
        carrier = TRANSPORT.open(way(port, **options), Kit("relay.example", Tokens()))
        outcomes = await carrier.deliver(message)
        await carrier.close()
        return [(each.kind, each.scope, each.reply) for each in outcomes]

    return asyncio.run(run())


def test_what_the_client_asked_of_notices_travels_on() -> None:
    with hop() as far:
        [(kind, _, _)] = deliver(far.port)
    assert kind is Kind.DELIVERED
    assert far.got[0].mail == "MAIL FROM:<a@b.example> SIZE=20 RET=HDRS ENVID=q1"


def test_it_logs_in_with_a_secret_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("word\n")
    with hop() as far:
        far.extensions.append("AUTH PLAIN LOGIN")
        deliver(far.port, user="relay", password=Secret("file", str(tmp_path / "secret")))
    assert far.logins == ["\0relay\0word"]
    assert len(far.got) == 1


@pytest.mark.parametrize(
    ("answers", "kind", "scope"),
    [
        ({"MAIL": "550 5.1.8 Access denied, bad outbound sender"}, Kind.REFUSED, Scope.MESSAGE),
        ({"DATA": "451 4.3.0 no"}, Kind.DEFERRED, Scope.MESSAGE),
        ({".": "552 5.3.4 too large"}, Kind.REFUSED, Scope.MESSAGE),
        ({"CONNECT": "421 4.3.2 busy"}, Kind.DEFERRED, Scope.WAY),
        ({"CONNECT": "554 5.7.1 not you"}, Kind.DEFERRED, Scope.WAY),
        ({"MAIL": None}, Kind.DEFERRED, Scope.WAY),
    ],
)
def test_answers(answers: dict[str, str | None], kind: Kind, scope: Scope) -> None:
    with hop(**answers) as far:
        assert [each[:2] for each in deliver(far.port)] == [(kind, scope)]


def test_a_hop_without_pipelining_is_spoken_to_line_by_line() -> None:
    with hop() as far:
        far.extensions.remove("PIPELINING")
        assert deliver(far.port)[0][0] is Kind.DELIVERED


def test_eight_bit_text_is_encoded_for_a_hop_that_cannot_take_it() -> None:
    text = "Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nescáner\r\n".encode()
    with hop() as far:
        far.extensions.remove("8BITMIME")
        deliver(far.port, Outgoing("1", "a@b.example", (("c@d.example", "", ""),), text, eight_bit=True))
    assert far.got[0].content.isascii()
    assert b"esc=C3=A1ner\r\n" in far.got[0].content


def test_a_hop_that_starts_no_tls_gets_no_mail() -> None:
    with hop() as far:
        [(kind, scope, reply)] = deliver(far.port, tls="starttls")
    assert (kind, scope) == (Kind.DEFERRED, Scope.WAY)
    assert "STARTTLS" in reply
    assert not far.got
