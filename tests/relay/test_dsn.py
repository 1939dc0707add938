"""Notices: whole by RFC 3464, to the owner, and to nobody that a device could name."""

import email
import email.policy
import time
from pathlib import Path

from portero.core.text import Text
from portero.faces.render import Renderer
from portero.relay.dsn import make_notice
from portero.relay.envelope import Envelope, Fate, Recipient
from portero.relay.transport import unstuffed
from support.relay import MESSAGE, Device, hop, running


def envelope(**words: object) -> Envelope:
    held: dict[str, object] = {
        "id": 1, "received_at": 1000.0, "client": "", "ehlo": "", "device": "Escáner", "mail_from": "spoof@elsewhere.test",
        "header_from": "", "message_id": "", "subject": "scan", "recipients": [], "size": 0, "owner": "owner@inside.test",
        "envid": "q1",
    }  # fmt: skip
    return Envelope(**(held | words))  # type: ignore[arg-type]  # by name


def notice(
    held: Envelope, *recipients: Recipient, delayed: bool = False, say: object = str
) -> tuple[Envelope, bytes] | None:
    return make_notice(
        held, recipients, MESSAGE, delayed=delayed, number=77, hostname="relay.test", now=2000.0, say=say  # type: ignore[arg-type]
    )  # fmt: skip


NEVER = Recipient(
    "never@d.example", orcpt="rfc822;never@d.example", fate=Fate.REFUSED, reply="550 5.7.1 X\r\nBcc: evil@x"
)
OLD = Recipient("old@d.example", fate=Fate.EXPIRED, reply="451 4.3.0 later")


def test_its_parts() -> None:
    made = notice(envelope(), NEVER, OLD)
    assert made is not None
    message = email.message_from_bytes(unstuffed(made[1]), policy=email.policy.default)
    assert message.get_content_type() == "multipart/report"
    assert not message.defects
    text, report, head = message.iter_parts()  # type: ignore[union-attr]  # a multipart
    first, one, two = report.get_payload()
    assert first["Reporting-MTA"] == "dns; relay.test"
    assert first["Original-Envelope-Id"] == "q1"
    assert (one["Final-Recipient"], one["Action"], one["Status"]) == (
        "rfc822; never@d.example",
        "failed",
        "5.7.1",
    )
    assert one["Original-Recipient"] == "rfc822;never@d.example"
    assert (two["Status"], two["Action"]) == ("4.4.7", "failed")
    assert "bcc" not in str(one.items()).lower().replace("x bcc", "").replace("x  bcc", "")
    assert "never@d.example" in text.get_content()
    assert b"Subject: scan" in head.get_payload(decode=True)


def test_it_goes_from_nobody_to_the_owner() -> None:
    made = notice(envelope(), NEVER)
    assert made is not None
    assert made[0].mail_from == ""
    assert [each.address for each in made[0].recipients] == ["owner@inside.test"]
    assert b"spoof@elsewhere.test" not in made[1].split(b"\r\n\r\n")[0]


def test_nobody_is_told_where_nobody_should_be() -> None:
    assert notice(envelope(owner=""), NEVER) is None
    assert notice(envelope(kind="notice"), NEVER) is None
    assert notice(envelope(), Recipient("a@b.example", notify="NEVER", fate=Fate.REFUSED)) is None
    assert notice(envelope(), Recipient("a@b.example", notify="FAILURE"), delayed=True) is None


def test_it_speaks_spanish() -> None:
    made = notice(
        envelope(),
        Recipient("a@b.example", fate=Fate.REFUSED, reply="554 5.2.252 SendAsDenied"),
        say=Renderer("es").text,
    )
    assert made is not None
    assert "no se pudo entregar" in made[1].decode()
    assert "Conceda Enviar como" in made[1].decode()
    assert isinstance(str(Text("x")), str)


def test_an_owner_hears_of_it(tmp_path: Path) -> None:
    with hop() as far, running(tmp_path, far.port) as relay, Device(relay.port) as device:
        far.answers["RCPT never@inside.test"] = "550 5.1.1 nobody"
        far.answers["RCPT later@inside.test"] = "450 4.2.1 later"
        assert device.mail(MESSAGE, "never@inside.test", "later@inside.test", sender="").startswith("250")
        [got] = far.wait(1)
        assert (got.mail_from, got.recipients) == ("", ["owner@inside.test"])
        assert b"Final-Recipient: rfc822; never@inside.test" in got.content
        time.sleep(0.5)
        assert len(far.got) == 1, "the recipient that may still be reached is not reported"


def test_a_notice_that_cannot_be_delivered_makes_no_other(tmp_path: Path) -> None:
    with (
        hop(RCPT="550 5.1.1 nobody") as far,
        running(tmp_path, far.port) as relay,
        Device(relay.port) as device,
    ):
        assert device.mail(MESSAGE, "never@inside.test").startswith("250")
        time.sleep(1.5)
        tried = [each for each in relay.audit if each["event"] == "tried"]
        assert len(tried) == 2
        assert not far.got
