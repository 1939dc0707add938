"""
Mailboxes that may use SMTP AUTH by exception are few, owned and in use.

Before: mailboxes carry SmtpClientAuthenticationDisabled false that nobody remembers; each is a password that sends mail.

After: each exception has an owner and a success in the last 90 days, and none is an administrator's, a shared mailbox's, or a
person's own. A blank value inherits from the organisation.

Mend: close the exception of every mailbox that nobody owns or uses; one mailbox per application, limited by address.

Verify: Get-CASMailbox shows True or blank on all mailboxes but the owned ones.

May break: the device or application behind the mailbox; sign-ins by SMTP over 90 days show address and client.

Exceptions: one mailbox per application, limited by address through Conditional Access.

Severity: medium: each exception is one more password that sends mail.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from portero.core.address import mailbox_key
from portero.core.checks.origins import of_answers, of_objects
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import setting
from portero.core.exchange.powershell import run
from portero.core.exchange.settings import Absent, flag
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.sender import Path, Sender
from portero.core.text import Text

# How long an exception may go unused. Source: controls catalogue AUTH-02.
UNUSED_AFTER = timedelta(days=90)


def _judge(posture: Posture) -> Verdict:
    items = posture.tenant.objects("Get-CASMailbox") or ()
    excepted = [item for item in items if flag(item, "SmtpClientAuthenticationDisabled") is False]
    kinds, using = _kinds(posture), _using(posture)
    standing = [(item, _standing(item, posture, kinds, using)) for item in excepted]
    wrong = [item for item, stands in standing if stands is Outcome.FAIL]
    if wrong:
        names = tuple(map(_address, wrong))
        return Verdict(
            Outcome.FAIL,
            Text(
                "Mailboxes that may use SMTP AUTH by exception and are unowned, unused or shared: {names}.",
                names=names,
            ),
            of_objects(wrong),
            changes=tuple(
                change
                for item in wrong
                for change in setting(item, {"SmtpClientAuthenticationDisabled": True})
            ),
            subjects=names,
            controls=(f"smtp-auth-off={','.join(names)}",) if all("@" in name for name in names) else (),
        )
    unclear = [item for item, stands in standing if stands is Outcome.UNKNOWN]
    if unclear:
        return Verdict(
            Outcome.UNKNOWN,
            Text(
                "Owner and use of these exceptions are not in the evidence: {names}. The SMTP AUTH clients report or "
                "sign-ins by SMTP over 90 days, and the register, would tell.",
                names=tuple(map(_address, unclear)),
            ),
            of_objects(unclear),
        )
    absent = [item for item in items if isinstance(flag(item, "SmtpClientAuthenticationDisabled"), Absent)]
    if absent:
        return Verdict(
            Outcome.UNKNOWN,
            Text(
                "The export lacks SmtpClientAuthenticationDisabled of {names}.",
                names=tuple(map(_address, absent[:20])),
            ),
            of_objects(absent[:20]),
        )
    if not excepted:
        because = Text("No mailbox has an exception for SMTP AUTH.")
    else:
        because = Text(
            "Every exception for SMTP AUTH is owned and in use: {names}.",
            names=tuple(map(_address, excepted)),
        )
    return Verdict(
        Outcome.PASS, because, of_objects(excepted) or of_answers(posture.tenant, "Get-CASMailbox")
    )


def _standing(
    item: ConfigObject, posture: Posture, kinds: Mapping[str, str], senders: Mapping[str, list[Sender]]
) -> Outcome:
    address = mailbox_key(_address(item))
    if kinds.get(address) == "sharedmailbox":
        return Outcome.FAIL
    using = senders.get(address, [])
    alive = address in {*posture.settings.smtp_auth_protocols, *posture.settings.smtp_auth_clients}
    if not using:
        return Outcome.UNKNOWN
    last = max((sender.last_seen for sender in using if sender.last_seen is not None), default=None)
    if not alive and last is not None and posture.now - last > UNUSED_AFTER:
        return Outcome.FAIL
    if not any(sender.owner for sender in using):
        return Outcome.FAIL
    return Outcome.PASS if alive or last is not None else Outcome.UNKNOWN


def _using(posture: Posture) -> Mapping[str, list[Sender]]:
    """Give the senders that submit with credentials, by the mailboxes they write as."""
    found: dict[str, list[Sender]] = {}
    for sender in posture.senders:
        if sender.path is Path.AUTHENTICATED:
            for address in sender.header_from:
                found.setdefault(mailbox_key(address), []).append(sender)
    return found


def _kinds(posture: Posture) -> Mapping[str, str]:
    """Give RecipientTypeDetails by mailbox, where Get-Mailbox was exported."""
    return {
        mailbox_key(_address(item)): str(item.properties.get("RecipientTypeDetails") or "").lower()
        for item in posture.tenant.objects("Get-Mailbox") or ()
    }


def _address(item: ConfigObject) -> str:
    return str(item.properties.get("PrimarySmtpAddress") or item.properties.get("Identity") or "")


CHECK = Check(
    id="AUTH-02",
    title=Text("Per-mailbox SMTP AUTH exceptions are few, owned and alive"),
    severity=Severity.MEDIUM,
    needs=("Get-CASMailbox",),
    judge=_judge,
    fix=run(["Set-CASMailbox -Identity 'MAILBOX' -SmtpClientAuthenticationDisabled $true"]),
    undo=run(["Set-CASMailbox -Identity 'MAILBOX' -SmtpClientAuthenticationDisabled $false"]),
    maps={
        "CIS": "6.5.4 (impact statement)",
        "365Inspect": "MailboxesWithSMTPEnabled",
        "NIST": "AC-6, AC-2(3)",
        "ATT&CK": "T1078.004",
    },
)
