"""Exchange Online's client submission: one mailbox, by an OAuth token or, while Microsoft still allows it, a password."""

from __future__ import annotations

from portero.core.text import Text
from portero.relay.pace import Limits
from portero.relay.submission import ENTRA_OPTIONS, submission
from portero.relay.transport import Option, Transport

# Source of the limits: Microsoft, "Limits and errors of SMTP client submission"; a message's size is the mailbox's, 150 MB at most.
TRANSPORT = Transport(
    id="smtp-auth",
    title=Text("Client submission (SMTP AUTH)"),
    options=(
        Option("mailbox", required=True),
        *ENTRA_OPTIONS,
        Option("password", "secret"),
        Option("host", default="smtp.office365.com"),
        Option("port", "number", default=587),
        Option("tls", "choice:starttls|implicit", default="starttls"),
        Option("ca", "file"),
        Option("server_name"),
    ),
    limits=Limits(sessions=3, messages_per_minute=30, recipients_per_day=10_000),
    open=submission,
    recipients=1000,
)
