"""Authenticated submission: what closing SMTP AUTH, or only its Basic form, does to mail sent with credentials."""

from __future__ import annotations

from portero.core.exchange.attribution import Attribution, By
from portero.core.exchange.decision import Decision, kept, refused, undetermined
from portero.core.exchange.settings import Settings
from portero.core.flow import FlowKey
from portero.core.text import Text

REPLY_OFF = (
    "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. "
    "Visit https://aka.ms/smtp_auth_disabled for more information."
)
REPLY_BASIC = "535 5.7.139 Authentication unsuccessful, basic authentication is disabled."


def submission(key: FlowKey, attribution: Attribution, settings: Settings) -> Decision | None:
    """
    Decide what closed SMTP AUTH does to submitted mail; None when nothing of it is closed or no submission is meant.

    A trace shows a client address for SMTP AUTH, Graph and the other authenticated ways alike, and never tells Basic
    from OAuth.
    Source: reference exchange-online 3.1; Set-TransportConfig, Set-CASMailbox -SmtpClientAuthenticationDisabled.
    """
    if settings.smtp_auth_off_for is None and not settings.smtp_basic_off:
        return None
    if attribution.by is By.UNKNOWN and key.client_ip is None and key.direction is None and not key.connector:
        return undetermined(attribution.why)
    if attribution.by is not By.SUBMITTED:
        return None
    if not key.client_ip:
        return _inside(key, settings)
    mailbox = key.header_from or key.sender or ""
    now = _allowed_now(mailbox, settings)
    if now is False:
        return kept(
            Text("SMTP AUTH is already off for {mailbox}, so it submits another way.", mailbox=mailbox)
        )
    if settings.smtp_auth_off_for is not None:
        if settings.smtp_auth_off_for and mailbox not in settings.smtp_auth_off_for:
            return None
        if (
            settings.smtp_auth_mailboxes.get(mailbox) is False
            or settings.smtp_auth_protocols.get(mailbox)
            or key.client_ip in settings.smtp_auth_clients.get(mailbox, {})
        ):
            return refused(REPLY_OFF, Text("It is submitted with SMTP AUTH as {mailbox}.", mailbox=mailbox))
        return undetermined(
            Text("It is submitted with credentials; whether by SMTP AUTH or another way is not recorded.")
        )
    signed_in = settings.smtp_auth_clients.get(mailbox, {}).get(key.client_ip or "")
    if signed_in == "basic":
        return refused(
            REPLY_BASIC,
            Text("Sign-ins show Basic authentication for {mailbox} from its address.", mailbox=mailbox),
        )
    if signed_in == "oauth":
        return kept(Text("Sign-ins show OAuth for {mailbox} from its address.", mailbox=mailbox))
    protocol = settings.smtp_auth_protocols.get(mailbox)
    if protocol == "basic":
        return refused(
            REPLY_BASIC,
            Text("The SMTP AUTH report shows Basic authentication for {mailbox}.", mailbox=mailbox),
        )
    if protocol == "oauth":
        return kept(Text("The SMTP AUTH report shows OAuth for {mailbox}.", mailbox=mailbox))
    return undetermined(
        Text(
            "It is submitted with credentials; no evidence tells Basic authentication from OAuth for {mailbox}.",
            mailbox=mailbox,
        )
    )


def _inside(key: FlowKey, settings: Settings) -> Decision | None:
    """
    Decide mail without a client address: a mailbox's, unless the witness shows no address of submissions either.

    Get-MessageTraceV2 and Graph leave FromIP blank for every submission, and the Enhanced summary forgets addresses.
    Source: reference data-formats 3.1 and 5.2.
    """
    if key.client_ip == "" and key.direction is not None:
        return None
    switches = settings.smtp_auth_mailboxes.values()
    if settings.smtp_auth_disabled and switches and not any(disabled is False for disabled in switches):
        return kept(Text("SMTP AUTH is already off for the organisation and no exported mailbox allows it."))
    return undetermined(
        Text(
            "It comes from inside; whether from a mailbox or by SMTP AUTH only its client address would show."
        )
    )


def _allowed_now(mailbox: str, settings: Settings) -> bool | None:
    """
    Tell whether SMTP AUTH is open for a mailbox now; None where its own switch was not exported.

    The mailbox's own switch overrides the organisation's, and being off for the organisation but open for the few that
    need it is what Microsoft advises: without Get-CASMailbox "off" says nothing of a mailbox that is seen to submit.
    """
    own = settings.smtp_auth_mailboxes.get(mailbox)
    if own is not None:
        return not own
    if mailbox in settings.smtp_auth_mailboxes:
        return None if settings.smtp_auth_disabled is None else not settings.smtp_auth_disabled
    return None
