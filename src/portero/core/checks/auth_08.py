"""
Somebody notices when an account submits by SMTP from where it never did.

Before: nothing looks at successful sign-ins by SMTP; a stolen password sends mail for weeks.

After: a detection compares them with the last 30 days, and ran within a day.

Mend: schedule it here or in the SIEM, and record it under [[detection]] in portero.toml.

Verify: its last run is less than a day ago.

May break: nothing.

Exceptions: sign-in logs need a licence of Entra P1.

Severity: medium: it finds what AUTH-01 to AUTH-06 did not prevent.
"""

from __future__ import annotations

from portero.core.checks.schedule import judge_schedule
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text


def _judge(posture: Posture) -> Verdict:
    return judge_schedule(
        posture,
        "AUTH-08",
        Verdict(
            Outcome.UNKNOWN,
            Text("Whether a detection of unusual sign-ins by SMTP runs anywhere is not in the evidence."),
        ),
    )


CHECK = Check(
    id="AUTH-08",
    title=Text("Unusual SMTP AUTH success is noticed"),
    severity=Severity.MEDIUM,
    needs=(),
    judge=_judge,
    fix=Text(
        "Schedule a detection over sign-ins by SMTP: by account, address, country and hour against 30 days; record it under [[detection]] in portero.toml."
    ),
    undo=Text("Disable the detection."),
    maps={"CIPP": "Get-CIPPAlertSmtpAuthSuccess", "NIST": "AU-6, SI-4", "ATT&CK": "T1078.004, T1110.003"},
)
