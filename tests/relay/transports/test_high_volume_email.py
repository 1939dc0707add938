"""High Volume Email stays inside."""

from portero.relay.explain import explain
from portero.relay.transports.high_volume_email import TRANSPORT
from support.relay import hop
from support.ways import deliver, kinds, message, way


def test_it_takes_nobody_outside() -> None:
    assert TRANSPORT.inside_only


def test_an_outside_recipient_is_refused_and_explained() -> None:
    with hop(RCPT="550 5.5.105 External sending is not supported for High Volume Email accounts.") as far:
        far.extensions.append("AUTH XOAUTH2")
        [one] = deliver(way("high-volume-email", far.port), message())
    assert kinds(one) == ["REFUSED"]
    assert explain(one[0].reply) is not None
