"""
Where mail comes through a gateway, Exchange judges the address before the gateway, not the gateway's.

Before: SPF and DMARC are judged on the gateway's address; verdicts on spoofing are noise, and people switch them off.

After: every connector for * skips the last address, or names those to skip, for everyone and not as a test.

Mend: switch it on for a pilot group, then for everyone.

Verify: Get-InboundConnector shows EFSkipLastIP or EFSkipIPs, EFUsers empty, EFTestMode False; headers show the true source.

May break: more quarantine at first, because true sources are seen; compare verdicts for a week.

Exceptions: hybrid organisations with centralised transport: name all hops.

Severity: high: without it the checks of spoofing judge the wrong address.
"""

from __future__ import annotations

from portero.core.address import parse_range
from portero.core.checks.origins import of_answers, of_objects
from portero.core.checks.standing import Standing, conclude, unread
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import setting
from portero.core.exchange.powershell import identity, run
from portero.core.exchange.settings import Absent, flag, sender_domain, texts
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

_CMDLET = "Get-InboundConnector"
_WIDEST = 256  # addresses in one skipped range without a vendor's publication; controls catalogue CON-09


def _judge(posture: Posture) -> Verdict:
    answers = of_answers(posture.tenant, _CMDLET)
    if posture.settings.mx_at_microsoft is None:
        return Verdict(Outcome.UNKNOWN, Text("Where the MX records point is not in the evidence."), answers)
    if posture.settings.mx_at_microsoft:
        return Verdict(
            Outcome.NOT_APPLICABLE, Text("Mail enters at Microsoft: no hop sits before it."), answers
        )
    front = [
        item
        for item in posture.tenant.objects(_CMDLET) or ()
        if flag(item, "Enabled") is not False and _of_everybody(item) is not False
    ]
    if not front:
        return Verdict(
            Outcome.FAIL,
            Text(
                "Mail comes through a gateway, and no connector for * stands for it that could skip its address."
            ),
            answers,
        )
    return conclude(
        [_standing(item) for item in front],
        Text("Exchange judges the address before the gateway on every connector for *."),
        Text("No connector was judged."),
    )


def _of_everybody(item: ConfigObject) -> bool | None:
    """Tell whether a connector takes mail of every sender domain; None where that was not exported."""
    domains = texts(item, "SenderDomains")
    return None if domains is None else "*" in map(sender_domain, domains)


def _standing(item: ConfigObject) -> Standing:
    name, origins = identity(item), of_objects([item])
    last, skipped, users = flag(item, "EFSkipLastIP"), texts(item, "EFSkipIPs"), texts(item, "EFUsers")
    test = flag(item, "EFTestMode")
    if _of_everybody(item) is None or isinstance(flag(item, "Enabled"), Absent):
        return unread(item, ("Enabled", "SenderDomains"))
    if isinstance(last, Absent) or skipped is None:
        return unread(item, ("EFSkipLastIP", "EFSkipIPs"))
    if not last and not skipped:
        reason = Text("connector “{name}” skips no address", name=name)
        return Standing(name, Outcome.FAIL, reason, origins, changes=setting(item, {"EFSkipLastIP": True}))
    if users or test is True:
        reason = Text("connector “{name}” skips addresses for some people only, or as a test", name=name)
        whole = setting(item, {"EFUsers": None, "EFTestMode": False})
        return Standing(name, Outcome.FAIL, reason, origins, changes=whole)
    if users is None or isinstance(test, Absent):
        return unread(item, ("EFUsers", "EFTestMode"))
    wide = tuple(text for text in skipped if _wide(text))
    if wide:
        reason = Text(
            "connector “{name}” skips wide ranges, which hide who sends from them: {ranges}",
            name=name,
            ranges=wide,
        )
        return Standing(name, Outcome.WARN, reason, origins)
    return Standing(name, Outcome.PASS, Text("connector “{name}” skips the gateway", name=name), origins)


def _wide(text: str) -> bool:
    try:
        return sum(network.num_addresses for network in parse_range(text)) > _WIDEST
    except ValueError:
        return True


CHECK = Check(
    id="CON-09",
    title=Text("Enhanced Filtering is on where a hop sits before Microsoft"),
    severity=Severity.HIGH,
    needs=("Get-InboundConnector", "domains"),
    judge=_judge,
    fix=run(["Set-InboundConnector -Identity 'NAME' -EFSkipLastIP $true -EFUsers $null"]),
    undo=run(["Set-InboundConnector -Identity 'NAME' -EFSkipLastIP $false"]),
    maps={"ORCA": "233, 233.1", "NIST": "SI-8", "ATT&CK": "T1672"},
)
