"""Azure Communication Services Email over SMTP: a verified domain, and an Entra application's secret as the password."""

from __future__ import annotations

from portero.core.text import Text
from portero.relay.pace import Limits
from portero.relay.submission import with_password
from portero.relay.transport import Option, Transport

# Source of the limits, raised on request: Microsoft, "Service limits for Azure Communication Services", custom domains.
TRANSPORT = Transport(
    id="azure-communication",
    title=Text("Azure Communication Services"),
    options=(
        Option("user", required=True),
        Option("password", "secret", required=True),
        Option("host", default="smtp.azurecomm.net"),
        Option("port", "number", default=587),
        Option("tls", "choice:starttls|implicit", default="starttls"),
        Option("ca", "file"),
        Option("server_name"),
    ),
    limits=Limits(sessions=2, messages_per_minute=30, messages_per_hour=100),
    open=with_password,
    size_octets=10_000_000,
    recipients=50,
)
