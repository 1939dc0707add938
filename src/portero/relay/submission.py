"""Logging in where a mailbox or an account sends: by token, or by password."""

from __future__ import annotations

from portero.core.text import Text
from portero.errors import ConfigError
from portero.relay.identity import TokenFault
from portero.relay.outcome import Kind, Outcome, Scope
from portero.relay.secrets import Secret
from portero.relay.smtp_carrier import SmtpCarrier, hop_of
from portero.relay.smtp_client import SmtpClient, Unwelcome
from portero.relay.transport import Carrier, Kit, Option, Way

EXCHANGE_SCOPE = "https://outlook.office365.com/.default"

# Who we are at Microsoft Entra: an application with a secret or a certificate, or the machine's own identity.
ENTRA_OPTIONS = (
    Option("tenant"),
    Option("client_id"),
    Option("client_secret", "secret"),
    Option("certificate", "file"),
    Option("certificate_key", "file"),
    Option("identity"),
    Option("scope", default=EXCHANGE_SCOPE),
    Option("authority", default="https://login.microsoftonline.com"),
    Option("authority_ca", "file"),
)


def submission(way: Way, kit: Kit) -> Carrier:
    """Open a mailbox's submission: with its password where one is set, else with a token. Raises ConfigError."""
    if isinstance(way.options.get("password"), Secret):
        return with_password(way, kit)
    if not way.text("identity") and not (way.text("client_id") and way.text("tenant")):
        raise ConfigError(
            (
                Text(
                    "The way out {way} names no credentials: give tenant and client_id, or identity, or password.",
                    way=way.name,
                ),
            )
        )

    async def log_in(client: SmtpClient) -> None:
        try:
            token = await kit.tokens.get(way)
        except TokenFault as fault:
            raise Unwelcome(
                Outcome(Kind.DEFERRED, str(fault), Scope.WAY, fault.retry_after_seconds)
            ) from None
        try:
            # Source: Microsoft, "SASL XOAUTH2".
            await client.login("XOAUTH2", f"user={way.text('mailbox')}\x01auth=Bearer {token}\x01\x01")
        except Unwelcome:
            # Whether it was the token or not, the next try deserves a new one.
            kit.tokens.forget(way)
            raise

    return SmtpCarrier(hop_of(way), kit.hostname, log_in)


def with_password(way: Way, kit: Kit) -> Carrier:
    """Open a line that logs in with a user name, else the mailbox, and a password, where the way has one."""
    user, password = way.text("user") or way.text("mailbox"), way.options.get("password")

    async def log_in(client: SmtpClient) -> None:
        words = password.read() if isinstance(password, Secret) else ""
        if "PLAIN" in client.extensions.get("AUTH", "").upper().split():
            await client.login("PLAIN", f"\0{user}\0{words}")
        else:
            await client.login_old(user, words)

    known = user and isinstance(password, Secret)
    return SmtpCarrier(hop_of(way), kit.hostname, log_in if known else None)
