"""Any mail server that takes our mail: by address, by client certificate, or by user name and password."""

from __future__ import annotations

from portero.core.text import Text
from portero.relay.pace import Limits
from portero.relay.smtp_carrier import HOST_OPTIONS
from portero.relay.submission import with_password
from portero.relay.transport import Option, Transport

TRANSPORT = Transport(
    id="smarthost",
    title=Text("Smart host"),
    options=(*HOST_OPTIONS, Option("user"), Option("password", "secret")),
    limits=Limits(sessions=10),
    open=with_password,
)
