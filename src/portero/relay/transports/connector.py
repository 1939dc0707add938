"""An inbound connector of Exchange Online: the tenant's own MX host, known by our client certificate or our address."""

from __future__ import annotations

from portero.core.text import Text
from portero.relay.pace import Limits
from portero.relay.smtp_carrier import HOST_OPTIONS, SmtpCarrier, hop_of
from portero.relay.transport import Carrier, Kit, Transport, Way


def _open(way: Way, kit: Kit) -> Carrier:
    return SmtpCarrier(hop_of(way), kit.hostname)


# No rate is published ("reasonable"); outside recipients count towards the tenant's own limit.
# Source: Microsoft, "Set up connectors to route mail"; exchange-online reference 3.3.
TRANSPORT = Transport(
    id="connector",
    title=Text("Inbound connector"),
    options=HOST_OPTIONS,
    limits=Limits(sessions=10),
    open=_open,
)
