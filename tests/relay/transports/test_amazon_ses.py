"""Amazon SES: fifty recipients a message, forty megabytes."""

from portero.relay.secrets import Secret
from portero.relay.transports.amazon_ses import TRANSPORT
from support.relay import hop
from support.ways import deliver, kinds, message, way


def test_its_limits() -> None:
    assert (TRANSPORT.recipients, TRANSPORT.size_octets) == (50, 40_000_000)


def test_its_throttle_defers() -> None:
    with hop(**{".": "454 Throttling failure: Maximum sending rate exceeded."}) as far:
        far.extensions.append("AUTH PLAIN LOGIN")
        secret = Secret("env", "X", lambda _: "word")
        assert kinds(deliver(way("amazon-ses", far.port, user="AKIA", password=secret), message())[0]) == [
            "DEFERRED"
        ]
