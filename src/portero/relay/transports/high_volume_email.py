"""High Volume Email: many messages to mailboxes inside the organisation, by an HVE account."""

from __future__ import annotations

from portero.core.text import Text
from portero.relay.pace import Limits
from portero.relay.submission import ENTRA_OPTIONS, submission
from portero.relay.transport import Option, Transport

# No rate is published; outside recipients are answered 550 5.5.105. Source: Microsoft, "Manage high volume emails".
TRANSPORT = Transport(
    id="high-volume-email",
    title=Text("High Volume Email"),
    options=(
        Option("mailbox", required=True),
        *ENTRA_OPTIONS,
        Option("password", "secret"),
        Option("host", default="smtp.hve.mx.microsoft"),
        Option("port", "number", default=587),
        Option("tls", "choice:starttls|implicit", default="starttls"),
        Option("ca", "file"),
        Option("server_name"),
    ),
    limits=Limits(sessions=3),
    open=submission,
    inside_only=True,
)
