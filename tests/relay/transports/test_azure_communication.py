"""Azure Communication Services: LOGIN and PLAIN, small limits."""

from portero.relay.secrets import Secret
from portero.relay.transports.azure_communication import TRANSPORT
from support.relay import hop
from support.ways import deliver, message, way


def test_the_user_name_holds_resource_application_and_tenant() -> None:
    with hop() as far:
        far.extensions.append("AUTH LOGIN PLAIN")
        deliver(
            way(
                "azure-communication",
                far.port,
                user="res|app|tenant",
                password=Secret("env", "X", lambda _: "s"),
            ),
            message(),
        )
    assert far.logins == ["\0res|app|tenant\0s"]


def test_its_limits_are_the_first_ones() -> None:
    assert (TRANSPORT.limits.messages_per_minute, TRANSPORT.limits.messages_per_hour) == (30, 100)
    assert (TRANSPORT.recipients, TRANSPORT.size_octets) == (50, 10_000_000)
