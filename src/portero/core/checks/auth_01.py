"""
SMTP AUTH is off for the organisation; mailboxes that need it are exceptions by name.

Before: any mailbox may submit mail with a password alone over SMTP, with the full identity of its owner.

After: the organisation's switch is closed, and only mailboxes with an explicit exception submit (AUTH-02).

Mend: find who submits by SMTP over 90 days, give each an exception or another way, then close the switch.

Verify: Get-TransportConfig shows SmtpClientAuthenticationDisabled True.

May break: mailboxes whose own value is blank stop submitting: devices, applications, POP and IMAP clients. Direct Send is not
touched by it.

Exceptions: those of AUTH-02.

Severity: high: a password alone sends with the full identity of its owner.
"""

from __future__ import annotations

from portero.core.checks.origins import of_answers, of_objects
from portero.core.exchange.change import setting
from portero.core.exchange.powershell import run
from portero.core.exchange.settings import flag
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

_OFF = "Set-TransportConfig -SmtpClientAuthenticationDisabled $true"
_ON = "Set-TransportConfig -SmtpClientAuthenticationDisabled $false"


def _judge(posture: Posture) -> Verdict:
    item = posture.tenant.single("Get-TransportConfig")
    if item is None:
        return Verdict(
            Outcome.UNKNOWN,
            Text("Get-TransportConfig came back empty, so the switch was not seen."),
            of_answers(posture.tenant, "Get-TransportConfig"),
        )
    value, origins = flag(item, "SmtpClientAuthenticationDisabled"), of_objects([item])
    if value is True:
        return Verdict(Outcome.PASS, Text("SmtpClientAuthenticationDisabled is true."), origins)
    if value is False:
        return Verdict(
            Outcome.FAIL,
            Text(
                "SmtpClientAuthenticationDisabled is false: mailboxes without a setting of their own may submit."
            ),
            origins,
            changes=setting(item, {"SmtpClientAuthenticationDisabled": True}),
            controls=("smtp-auth-off",),
        )
    if value is None:
        # The service's default depends on the tenant's age, so a value that was never set says neither.
        return Verdict(
            Outcome.UNKNOWN,
            Text(
                "SmtpClientAuthenticationDisabled was never set (null), and the default depends on the tenant's age."
            ),
            origins,
        )
    return Verdict(
        Outcome.UNKNOWN,
        Text("The export of Get-TransportConfig lacks SmtpClientAuthenticationDisabled."),
        origins,
    )


CHECK = Check(
    id="AUTH-01",
    title=Text("SMTP AUTH is off for the organisation"),
    severity=Severity.HIGH,
    needs=("Get-TransportConfig",),
    judge=_judge,
    fix=run([_OFF]),
    undo=run([_ON]),
    maps={
        "SCuBA": "MS.EXO.5.1v1",
        "CIS": "6.5.4",
        "Maester": "CISA.MS.EXO.5.1",
        "Prowler": "exchange_transport_config_smtp_auth_disabled",
        "CIPP": "DisableBasicAuthSMTP",
        "NIST": "CM-7, IA-2",
        "ATT&CK": "T1078.004, T1110.003",
    },
)
