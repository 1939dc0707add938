"""
Outlook shows which mail comes from outside.

Before: the mark is off, or an own domain stands on the list of those that bear none; that list goes by the visible From.

After: Enabled is true and the list holds no domain of ours.

Mend: switch it on and take own domains off the list.

Verify: Get-ExternalInOutlook; the mark shows in Outlook after 24 to 48 hours.

May break: nothing.

Exceptions: none.

Severity: medium: it helps readers, and stops nothing.
"""

from __future__ import annotations

from portero.core.address import a_label, domain_of
from portero.core.checks.origins import of_objects
from portero.core.checks.standing import judge_single, unsaid
from portero.core.checks.transport_rules import by_origin, live, marks
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import setting, taking_out
from portero.core.exchange.powershell import identity, run
from portero.core.exchange.settings import Absent, flag, texts
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text


def _judge(posture: Posture) -> Verdict:
    return judge_single(posture, "Get-ExternalInOutlook", _tag)


def _tag(posture: Posture, item: ConfigObject) -> Verdict:
    on, allowed, origins = flag(item, "Enabled"), texts(item, "AllowList"), of_objects([item])
    ours = tuple(entry for entry in allowed or () if posture.settings.names_us(_domain(entry)))
    if ours:
        return Verdict(
            Outcome.FAIL,
            Text("Our own names never bear the mark: {entries}.", entries=ours),
            origins,
            changes=(*setting(item, {"Enabled": True}), *taking_out(item, "AllowList", ours)),
        )
    if isinstance(on, Absent) or on is None or allowed is None:
        return Verdict(
            Outcome.UNKNOWN,
            Text(
                "Whether the mark is on, and for whom not, is not known: {what}.",
                what=unsaid(item, ("Enabled",))
                if on is None or isinstance(on, Absent)
                else unsaid(item, ("AllowList",)),
            ),
            origins,
        )
    if not on:
        rules = [
            rule
            for rule in posture.tenant.objects("Get-TransportRule") or ()
            if live(rule) is True and marks(rule) and by_origin(rule)
        ]
        because = (
            Text(
                "Outlook does not mark external mail; rules that go by its origin do: {rules}.",
                rules=tuple(map(identity, rules)),
            )
            if rules
            else Text("Outlook does not mark external mail.")
        )
        return Verdict(
            Outcome.WARN if rules else Outcome.FAIL,
            because,
            (*origins, *of_objects(rules)),
            changes=setting(item, {"Enabled": True}),
        )
    if allowed and not posture.settings.accepted_domains:
        because = Text("Which domains are ours is not known, so nobody can say whether the list names them.")
        return Verdict(Outcome.UNKNOWN, because, origins)
    return Verdict(Outcome.PASS, Text("Outlook marks external mail, and none of ours is excepted."), origins)


def _domain(entry: str) -> str:
    return domain_of(entry) if "@" in entry else a_label(entry.removeprefix("*."))


CHECK = Check(
    id="UX-01",
    title=Text("Outlook marks external mail"),
    severity=Severity.MEDIUM,
    needs=("Get-ExternalInOutlook",),
    judge=_judge,
    fix=run(["Set-ExternalInOutlook -Enabled $true"]),
    undo=run(["Set-ExternalInOutlook -Enabled $false"]),
    maps={
        "CIS": "6.2.3",
        "ORCA": "240",
        "SCuBA": "MS.EXO.7.1v1 (by intent)",
        "Prowler": "exchange_external_email_tagging_enabled",
        "CIPP": "SpoofWarn",
        "NIST": "AT-2",
        "ATT&CK": "T1566",
    },
)
