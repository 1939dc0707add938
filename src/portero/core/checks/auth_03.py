"""
A policy of the organisation refuses passwords alone over SMTP.

Before: no default authentication policy exists, or it lets SMTP take a name and a password and nothing else.

After: the default policy has AllowBasicAuthSmtp false, and no other policy allows it but for dated exceptions.

Mend: make a policy without any basic form, and name it as the default.

Verify: Get-OrganizationConfig shows DefaultAuthenticationPolicy, Get-AuthenticationPolicy shows AllowBasicAuthSmtp False.

May break: every device and application that submits with a password; sign-ins by basic SMTP over 90 days show which.

Exceptions: a policy per user, with a date.

Severity: medium: AUTH-01 closes the same door with one switch, and this one holds where a mailbox reopens it.
"""

from __future__ import annotations

from portero.core.checks.origins import of_answers, of_objects
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import making, setting
from portero.core.exchange.powershell import identity, run
from portero.core.exchange.settings import ABSENT, Absent, flag, prop
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

_NAME = "No basic"
_CONTROLS = ("smtp-basic-off",)


def _judge(posture: Posture) -> Verdict:
    organisation = posture.tenant.single("Get-OrganizationConfig")
    policies = posture.tenant.objects("Get-AuthenticationPolicy") or ()
    answers = of_answers(posture.tenant, "Get-OrganizationConfig", "Get-AuthenticationPolicy")
    default = ABSENT if organisation is None else prop(organisation, "DefaultAuthenticationPolicy")
    if organisation is None or isinstance(default, Absent):
        because = Text("The export lacks {name}.", name="DefaultAuthenticationPolicy")
        return Verdict(Outcome.UNKNOWN, because, answers)
    loose = [policy for policy in policies if flag(policy, "AllowBasicAuthSmtp") is True]
    if not default:
        changes = (
            *making("AuthenticationPolicy", _NAME, {}),
            *setting(organisation, {"DefaultAuthenticationPolicy": _NAME}),
        )
        because = Text("No default authentication policy is set.")
        return Verdict(Outcome.WARN, because, answers, changes=changes, controls=_CONTROLS)
    held = next((each for each in policies if _is(each, str(default))), None)
    if held is None:
        because = Text("The default policy {name} is not among the policies exported.", name=str(default))
        return Verdict(Outcome.UNKNOWN, because, answers)
    if loose:
        names = tuple(map(identity, loose))
        return Verdict(
            Outcome.FAIL,
            Text("These policies let SMTP take a password alone: {names}.", names=names),
            of_objects(loose),
            changes=tuple(c for policy in loose for c in setting(policy, {"AllowBasicAuthSmtp": False})),
            subjects=names,
            controls=_CONTROLS,
        )
    unread = [policy for policy in policies if flag(policy, "AllowBasicAuthSmtp") is not False]
    if unread:
        because = Text("The export lacks {name}.", name="AllowBasicAuthSmtp")
        return Verdict(Outcome.UNKNOWN, because, of_objects(unread))
    return Verdict(
        Outcome.PASS, Text("The default policy {name} refuses basic SMTP.", name=str(default)), answers
    )


def _is(policy: ConfigObject, name: str) -> bool:
    """Tell whether a policy bears a name, which the organisation's setting may write with a path before it."""
    return identity(policy).casefold() == name.replace("\\", "/").rpartition("/")[2].casefold()


CHECK = Check(
    id="AUTH-03",
    title=Text("Basic authentication for SMTP is closed by policy"),
    severity=Severity.MEDIUM,
    needs=("Get-AuthenticationPolicy", "Get-OrganizationConfig"),
    judge=_judge,
    fix=run(
        [
            "New-AuthenticationPolicy -Name 'No basic'",
            "Set-OrganizationConfig -DefaultAuthenticationPolicy 'No basic'",
        ]
    ),
    undo=run(["Set-OrganizationConfig -DefaultAuthenticationPolicy $null"]),
    maps={
        "SCuBA": "MS.EXO.5.1v1 (intent)",
        "CIPP": "DisableBasicAuth",
        "NIST": "IA-2, CM-7",
        "ATT&CK": "T1110.003",
    },
)
