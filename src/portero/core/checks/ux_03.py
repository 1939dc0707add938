"""
What a reader reports as phishing reaches somebody who looks.

Before: the report goes nowhere, or the alert about it is off.

After: reports go to Microsoft, to a mailbox that somebody watches, or both, and the alert is on.

Mend: name the mailbox, switch the reports on.

Verify: report a test message, and find it in the mailbox or among the submissions.

May break: a report button of another vendor; ask.

Exceptions: a mailbox that a vendor runs.

Severity: medium: readers see what filters miss, and stop telling where nobody answers.
"""

from __future__ import annotations

from portero.core.checks.alerts import alert_named
from portero.core.checks.origins import of_objects
from portero.core.checks.standing import judge_single
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import setting
from portero.core.exchange.powershell import run
from portero.core.exchange.settings import Absent, flag, texts
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

_ALERT = "Email reported by user as malware or phish"


def _judge(posture: Posture) -> Verdict:
    return judge_single(posture, "Get-ReportSubmissionPolicy", _policy)


def _policy(posture: Posture, item: ConfigObject) -> Verdict:
    origins = of_objects([item])
    to_microsoft, to_us = flag(item, "EnableReportToMicrosoft"), flag(item, "ReportPhishToCustomizedAddress")
    addresses = texts(item, "ReportPhishAddresses")
    reaches_us = to_us is True and bool(addresses)
    if to_microsoft is not True and not reaches_us:
        if isinstance(to_microsoft, Absent) or isinstance(to_us, Absent):
            return Verdict(Outcome.UNKNOWN, Text("Where reports go was not exported."), origins)
        return Verdict(
            Outcome.FAIL,
            Text("Reported messages go nowhere."),
            origins,
            changes=setting(item, {"EnableReportToMicrosoft": True}),
        )
    alert = alert_named(posture.tenant, _ALERT)
    if alert is None:
        because = Text("Reports go somewhere; whether alert “{alert}” is on was not exported.", alert=_ALERT)
        return Verdict(Outcome.UNKNOWN, because, origins)
    if flag(alert, "Disabled") is True:
        return Verdict(
            Outcome.FAIL,
            Text("Alert “{alert}” is switched off.", alert=_ALERT),
            of_objects([item, alert]),
            changes=setting(alert, {"Disabled": False}),
        )
    return Verdict(Outcome.PASS, Text("Reported messages reach somebody."), of_objects([item, alert]))


CHECK = Check(
    id="UX-03",
    title=Text("Reported messages reach someone"),
    severity=Severity.MEDIUM,
    needs=("Get-ReportSubmissionPolicy",),
    judge=_judge,
    fix=run(
        ["Set-ReportSubmissionPolicy -Identity DefaultReportSubmissionPolicy -EnableReportToMicrosoft $true"]
    ),
    undo=run(
        ["Set-ReportSubmissionPolicy -Identity DefaultReportSubmissionPolicy -EnableReportToMicrosoft $false"]
    ),
    maps={"CIS": "8.6.1 (sibling in Teams)", "CIPP": "UserSubmissions", "NIST": "IR-6", "ATT&CK": "T1566"},
)
