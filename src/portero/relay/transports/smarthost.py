"""Any mail server that takes our mail: by address, by client certificate, or by user name and password."""

from __future__ import annotations

from portero.core.text import Text
from portero.relay.pace import Limits
from portero.relay.secrets import Secret
from portero.relay.smtp_carrier import HOST_OPTIONS, SmtpCarrier, hop_of
from portero.relay.smtp_client import SmtpClient
from portero.relay.transport import Carrier, Kit, Option, Transport, Way


def _open(way: Way, kit: Kit) -> Carrier:
    user, password = way.text("user"), way.options.get("password")

    async def log_in(client: SmtpClient) -> None:
        words = password.read() if isinstance(password, Secret) else ""
        if "PLAIN" in client.extensions.get("AUTH", "").upper().split():
            await client.login("PLAIN", f"\0{user}\0{words}")
        else:
            await client.login_old(user, words)

    return SmtpCarrier(hop_of(way), kit.hostname, log_in if user and isinstance(password, Secret) else None)


TRANSPORT = Transport(
    id="smarthost",
    title=Text("Smart host"),
    options=(*HOST_OPTIONS, Option("user"), Option("password", "secret")),
    limits=Limits(sessions=10),
    open=_open,
)
