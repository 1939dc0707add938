"""Sessions as conversations: what a client says and what it hears, on the table alone."""

import base64
from pathlib import Path as File

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from portero.relay.protocol import Event, Manners, Peer, Session, State, Transaction
from portero.relay.syntax import Path
from support.relay_fuzz import Memory


class Open:
    """A door that takes everything but what is named ``no``."""

    def __init__(self) -> None:
        self.intakes: list[Memory] = []

    def sender(self, peer: Peer, mail: Path) -> bytes | None:
        return b"550 5.7.1 No\r\n" if mail.address.startswith("no@") else None

    def recipient(self, peer: Peer, address: str) -> bytes | None:
        return b"550 5.7.1 No\r\n" if address.startswith("no@") else None

    def intake(self, peer: Peer, transaction: Transaction, size_octets: int) -> Memory:
        self.intakes.append(Memory())
        return self.intakes[-1]


def session(**manners: object) -> tuple[Session, Open]:
    door = Open()
    made = Session(door, Manners("test", **manners), Peer("192.0.2.1"), "relay.example")  # type: ignore[arg-type]  # by name
    made.output.clear()
    return made, door


def hear(made: Session, *lines: bytes) -> list[str]:
    """Say lines; give the replies' codes, a message answered with 250."""
    heard = []
    for line in lines:
        made.receive(line + b"\r\n")
        while made.event is Event.MESSAGE:
            made.resume(b"250 2.0.0 Ok\r\n")
        heard.append(b"".join(made.output).decode())
        made.output.clear()
    return heard


def codes(made: Session, *lines: bytes) -> list[str]:
    return [
        "".join(part[:3] for part in text.split("\r\n") if part[3:4] != "-") for text in hear(made, *lines)
    ]


BEGIN = (b"EHLO scanner", b"MAIL FROM:<a@b.example>", b"RCPT TO:<c@d.example>")


def test_a_message_goes_through_byte_by_byte_as_it_was_sent() -> None:
    made, door = session()
    assert codes(made, *BEGIN, b"DATA", b"Subject: x\r\n\r\n..dot\r\n.", b"QUIT") == [
        "250",
        "250",
        "250",
        "354",
        "250",
        "221",
    ]
    assert b"".join(door.intakes[0].pieces) == b"Subject: x\r\n\r\n..dot\r\n"
    assert made.state is State.OVER


def test_a_group_of_commands_is_answered_in_order_and_in_one_piece() -> None:
    made, _ = session()
    made.receive(b"\r\n".join([*BEGIN, b"DATA", b""]))
    assert b"".join(made.output).split(b"\r\n")[-2].startswith(b"354")


def test_what_is_offered() -> None:
    made, _ = session(starttls=True, login=True)
    [text] = hear(made, b"EHLO scanner")
    for word in (
        "PIPELINING",
        "SIZE 36700160",
        "8BITMIME",
        "STARTTLS",
        "SMTPUTF8",
        "ENHANCEDSTATUSCODES",
        "DSN",
    ):
        assert word in text
    assert "CHUNKING" not in text
    assert "AUTH" not in text, "no password is asked for in clear"


@pytest.mark.parametrize(
    "line", [b"MAIL FROM:<a@b.example>", b"RCPT TO:<c@d.example>", b"DATA", b"STARTTLS", b"AUTH PLAIN"]
)
def test_out_of_sequence_before_the_greeting(line: bytes) -> None:
    made, _ = session(starttls=True)
    assert codes(made, line) == ["503"]


def test_data_wants_a_recipient_that_was_taken() -> None:
    made, _ = session()
    assert codes(made, b"EHLO x", b"MAIL FROM:<a@b.example>", b"RCPT TO:<no@d.example>", b"DATA") == [
        "250",
        "250",
        "550",
        "554",
    ]


def test_bdat_is_not_known() -> None:
    made, _ = session()
    assert codes(made, *BEGIN, b"BDAT 3 LAST") == ["250", "250", "250", "500"]


def test_what_was_said_before_starttls_is_forgotten() -> None:
    """CVE-2011-0411, CVE-2024-34083: nothing that came in clear may be obeyed behind TLS."""
    made, door = session(starttls=True)
    made.receive(b"EHLO x\r\nSTARTTLS\r\nMAIL FROM:<evil@b.example>\r\nRCPT TO:<v@d.example>\r\nDATA\r\n")
    assert made.event is Event.TLS
    made.receive(b"Subject: injected\r\n\r\n.\r\n")
    made.output.clear()
    made.secured("TLSv1.3 X")
    assert made.output == []
    assert made.transaction is None
    assert codes(made, b"MAIL FROM:<a@b.example>") == ["503"]
    [text] = hear(made, b"EHLO x")
    assert "STARTTLS" not in text
    assert not door.intakes


def test_mail_waits_for_tls_where_the_listener_says_so() -> None:
    made, _ = session(starttls=True, tls_required=True)
    assert codes(made, b"EHLO x", b"MAIL FROM:<a@b.example>") == ["250", "530"]


@pytest.mark.parametrize("verb", [b"AUTH", b"auth"])
@pytest.mark.parametrize("mechanism", [b"LOGIN", b"login", b"Plain"])
def test_devices_log_in_in_any_case(verb: bytes, mechanism: bytes) -> None:
    made, _ = session(login=True, login_clear=True)
    hear(made, b"EHLO x", verb + b" " + mechanism)
    if mechanism.upper() == b"PLAIN":
        hear(made, base64.b64encode(b"\0scan\0secret"))
    else:
        hear(made, base64.b64encode(b"scan"), base64.b64encode(b"secret"))
    assert made.event is Event.LOGIN
    assert made.credentials == ("scan", "secret")
    made.logged_in(right=True)
    assert made.peer.login == "scan"
    assert made.credentials == ("", "")


@pytest.mark.parametrize(
    "answer", [b"*", b"not base64!", base64.b64encode(b"one"), base64.b64encode(b"\0\0x"), b"\xff"]
)
def test_a_login_that_is_none(answer: bytes) -> None:
    made, _ = session(login=True, login_clear=True)
    assert codes(made, b"EHLO x", b"AUTH PLAIN", answer, b"NOOP")[2:] == ["501", "250"]


def test_a_line_without_end_is_forgotten_and_answered_once() -> None:
    made, _ = session()
    for _ in range(1000):
        made.receive(b"x" * 1000)
    assert made.output == []
    assert len(made._input) <= 2048
    assert codes(made, b"") == ["500"]
    assert codes(made, b"NOOP") == ["250"]


def test_recipients_without_end() -> None:
    made, _ = session(recipients=3, hard_errors=5, soft_errors=9)
    assert codes(made, *BEGIN[:2], *[BEGIN[2]] * 5)[2:] == ["250"] * 3 + ["452"] * 2


def test_errors_slow_a_session_down_and_then_end_it() -> None:
    made, _ = session(soft_errors=2, hard_errors=4)
    assert codes(made, b"X", b"X") == ["500", "500"]
    made.receive(b"X\r\n")
    assert made.event is Event.DELAY
    made.resume()
    made.output.clear()
    assert codes(made, b"X") == ["421"]
    assert made.event is Event.CLOSE


def test_idle_commands_end_a_session() -> None:
    made, _ = session(idle_commands=3)
    assert codes(made, *[b"NOOP"] * 4) == ["250", "250", "250", "421"]


def test_sizes() -> None:
    made, _ = session(size_octets=1000)
    assert codes(made, b"EHLO x", b"MAIL FROM:<a@b.example> SIZE=1001") == ["250", "552"]
    assert codes(made, b"MAIL FROM:<a@b.example> SIZE=x", b"MAIL FROM:<a@b.example> SIZE=1000") == [
        "501",
        "250",
    ]


def test_strict_listeners_take_no_bare_line_end_in_a_command() -> None:
    made, _ = session(normalise=False)
    made.receive(b"NOOP\nNOOP\r\n")
    assert b"".join(made.output).startswith(b"500")


def test_dsn_words_are_kept() -> None:
    made, _ = session()
    hear(
        made,
        b"EHLO x",
        b"MAIL FROM:<a@b.example> RET=HDRS ENVID=q+2B1",
        b"RCPT TO:<c@d.example> NOTIFY=NEVER ORCPT=rfc822;e@f.example",
    )
    assert made.transaction is not None
    assert made.transaction.mail.parameters["ENVID"] == "q+2B1"
    assert made.transaction.recipients[0].notify == "NEVER"
    assert made.transaction.recipients[0].orcpt == "rfc822;e@f.example"
    assert codes(made, b"RCPT TO:<c@d.example> NOTIFY=NEVER,DELAY") == ["501"]


WORDS = st.sampled_from(
    [b"EHLO x", b"HELO", b"MAIL FROM:<a@b.example>", b"MAIL FROM:<no@b.example>", b"RCPT TO:<c@d.example>", b"RCPT TO:<no@d.example>",
     b"DATA", b"RSET", b"NOOP", b"STARTTLS", b"AUTH LOGIN", b"c2Nhbg==", b"*", b".", b"text", b"", b"\xff\xfe", b"QUIT X", b"BDAT 1"]
)  # fmt: skip


class Conversation(RuleBasedStateMachine):
    """Whatever is said in whatever order: the table never takes DATA before RCPT, and always answers."""

    def __init__(self) -> None:
        super().__init__()
        self.session, self.door = session(
            starttls=True, login=True, login_clear=True, hard_errors=50, soft_errors=40
        )

    @rule(line=WORDS, cut=st.integers(1, 5))
    def say(self, line: bytes, cut: int) -> None:
        wire = line + b"\r\n"
        for at in range(0, len(wire), cut):
            self.session.receive(wire[at : at + cut])
        event = self.session.event
        if event is Event.MESSAGE:
            self.session.resume(b"250 2.0.0 Ok\r\n")
        elif event is Event.TLS:
            self.session.secured("TLSv1.3 X")
        elif event is Event.LOGIN:
            self.session.logged_in(right=line == b"c2Nhbg==")
        elif event is Event.DELAY:
            self.session.resume()
        for reply in self.session.output:
            assert reply.endswith(b"\r\n")
            assert reply[:3].isdigit()
        self.session.output.clear()

    @invariant()
    def no_text_without_recipient(self) -> None:
        made = self.session
        if made.state in {State.TEXT, State.RECIPIENT}:
            assert made.transaction is not None
            assert made.transaction.recipients
        if made.state is State.SENDER:
            assert made.transaction is not None
        if made.state in {State.NEW, State.READY}:
            assert made.transaction is None


TestConversation = Conversation.TestCase
TestConversation.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_the_protocol_knows_no_socket_file_or_clock() -> None:
    import portero.relay.protocol as module

    text = File(module.__file__).read_text("utf-8")
    for word in ("asyncio", "socket", "time", "os", "pathlib", "structlog", "logging", "random"):
        assert f"import {word}" not in text
        assert f"from {word}" not in text
