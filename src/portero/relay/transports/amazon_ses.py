"""Amazon SES over SMTP: SMTP credentials of one region."""

from __future__ import annotations

from portero.core.text import Text
from portero.relay.pace import Limits
from portero.relay.submission import with_password
from portero.relay.transport import Option, Transport

# The sending rate is the account's, so none stands here; 50 recipients and 40 MB are everybody's.
# Source: Amazon, "Service quotas in Amazon SES" and "Connecting to an Amazon SES SMTP endpoint".
TRANSPORT = Transport(
    id="amazon-ses",
    title=Text("Amazon SES"),
    options=(
        Option("host", required=True),
        Option("user", required=True),
        Option("password", "secret", required=True),
        Option("port", "number", default=587),
        Option("tls", "choice:starttls|implicit", default="starttls"),
        Option("ca", "file"),
        Option("server_name"),
    ),
    limits=Limits(sessions=5),
    open=with_password,
    size_octets=40_000_000,
    recipients=50,
)
