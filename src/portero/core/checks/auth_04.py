"""
Whoever still submits with a password alone has a plan with a date before Microsoft closes that way.

Before: devices and applications submit by basic SMTP AUTH, and learn of its end from error 5.7.30.

After: none has done so in 30 days, or each has a plan: an exception for this check in portero.toml with the mailbox, an owner and a date.

Mend: move each to OAuth, High Volume Email, Azure Communication Services, the relay with a connector, or Graph.

Verify: the report of SMTP AUTH clients shows no basic use.

May break: what is not moved in time is refused with 5.7.30.

Exceptions: none after the removal.

Severity: high in the last weeks before the date: existing tenants have basic SMTP AUTH disabled by default at the end of December 2026, and its
removal is to be announced in the second half of 2027.
"""

from __future__ import annotations

from datetime import date

from portero.core.exchange.powershell import run
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

# From then on basic SMTP AUTH is off by default. Source: Microsoft's post of 27 January 2026; controls catalogue AUTH-04.
DEFAULT_OFF = date(2026, 12, 31)


def _judge(posture: Posture) -> Verdict:
    protocols = posture.settings.smtp_auth_protocols
    if not protocols:
        return Verdict(
            Outcome.UNKNOWN,
            Text(
                "Who submits by basic SMTP AUTH is not in the evidence: hand over the SMTP AUTH clients report."
            ),
        )
    basic = sorted(mailbox for mailbox, protocol in protocols.items() if protocol == "basic")
    if not basic:
        return Verdict(Outcome.PASS, Text("Nobody submits by basic SMTP AUTH."))
    plans = {
        each.subject.casefold(): each.until
        for each in posture.configuration.acceptances
        if each.check == "AUTH-04" and each.subject
    }
    closed = posture.now.date() > DEFAULT_OFF
    unplanned = tuple(
        mailbox for mailbox in basic if closed or plans.get(mailbox.casefold(), date.max) > DEFAULT_OFF
    )
    if unplanned:
        because = (
            Text(
                "Basic SMTP AUTH is off by default by now, and these still use it: {mailboxes}.",
                mailboxes=unplanned,
            )
            if closed
            else Text(
                "These submit by basic SMTP AUTH without a plan before {day}: {mailboxes}.",
                day=DEFAULT_OFF.isoformat(),
                mailboxes=unplanned,
            )
        )
        return Verdict(Outcome.FAIL, because, subjects=unplanned, controls=("smtp-basic-off",))
    return Verdict(
        Outcome.PASS,
        Text("Each mailbox that submits by basic SMTP AUTH has a plan: {mailboxes}.", mailboxes=tuple(basic)),
    )


CHECK = Check(
    id="AUTH-04",
    title=Text("Every basic SMTP AUTH user has a dated plan before Microsoft's defaults change"),
    severity=Severity.HIGH,
    needs=(),
    judge=_judge,
    fix=Text(
        "Move the mailbox to OAuth, High Volume Email, Azure Communication Services, the relay or Graph; until then record an exception for AUTH-04 with its date."
    ),
    undo=run(["Set-CASMailbox -Identity 'MAILBOX' -SmtpClientAuthenticationDisabled $false"]),
    maps={"CIPP": "issues 4665, 5319, 5291", "NIST": "IA-2, SA-22", "ATT&CK": "T1078.004"},
)
