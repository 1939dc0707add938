"""
No entry of the tenant's allow list names us, and each ends by itself.

Before: an own domain, address or network is allowed, or an entry has no end, and what it names passes for as long as nobody looks.

After: no allowed entry is ours; each has an expiration date or goes after its last use.

Mend: remove the entries named.

Verify: Get-TenantAllowBlockListItems lists no such Allow.

May break: that sender is filtered again; its mail in the trace shows how much.

Exceptions: entries made by a submission to Microsoft, which end by themselves.

Severity: high for our own names, medium for the rest: an allow entry beats most verdicts.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from portero.core.address import a_label, domain_of, lies_in, parse_network, parse_range
from portero.core.checks.origins import of_objects
from portero.core.checks.standing import Standing, judge_objects, unread
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import Change, taking_away
from portero.core.exchange.dates import moment
from portero.core.exchange.powershell import quote, run
from portero.core.exchange.settings import Absent, prop
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

_CMDLET = "Get-TenantAllowBlockListItems"
_ENDS = ("ExpirationDate", "RemoveAfter")


def _judge(posture: Posture) -> Verdict:
    return judge_objects(
        posture, _CMDLET, _standing, Text("No allow entry of the tenant names us, and each ends by itself.")
    )


def _standing(posture: Posture, item: ConfigObject) -> Standing:
    value, origins, action = str(item.properties.get("Value") or ""), of_objects([item]), prop(item, "Action")
    if not isinstance(action, str) or not value:
        return unread(item, ("Action", "Value"), value or "?")
    if action.strip().lower() != "allow":
        return Standing(
            value, Outcome.NOT_APPLICABLE, Text("{entry} is no allow entry", entry=value), origins
        )
    if _ours(value, posture):
        reason = Text("{entry}, which is ours, is allowed", entry=value)
        return Standing(value, Outcome.FAIL, reason, origins, Severity.HIGH, changes=_removed(item, value))
    ends = [prop(item, name) for name in _ENDS]
    if all(isinstance(end, Absent) for end in ends):
        return unread(item, _ENDS, value)
    if not any(end not in {None, "", 0} and not isinstance(end, Absent) for end in map(_hashable, ends)):
        reason = Text("{entry} is allowed without an end", entry=value)
        return Standing(value, Outcome.WARN, reason, origins, changes=_removed(item, value))
    used = moment(prop(item, "LastUsedDate"))
    if used is not None and posture.now - used > timedelta(days=posture.limits.allow_unused_days):
        reason = Text("{entry} is allowed and was last used on {day}", entry=value, day=_day(used))
        return Standing(value, Outcome.WARN, reason, origins, changes=_removed(item, value))
    return Standing(value, Outcome.PASS, Text("{entry} ends by itself", entry=value), origins)


def _hashable(value: object) -> object:
    return value if isinstance(value, str | int | None | Absent) else str(value)


def _day(when: datetime) -> str:
    return when.date().isoformat()


def _ours(value: str, posture: Posture) -> bool:
    """Tell whether an entry is an own domain or address, or lies in a network that the organisation calls its own."""
    try:
        networks = parse_range(value)
    except ValueError:
        return posture.settings.names_us(domain_of(value) if "@" in value else a_label(value.split("/")[0]))
    own = [
        network
        for place in posture.configuration.networks
        if place.use != "partner"
        for network in place.networks
    ]
    listed = [
        parse_network(text)
        for held in posture.settings.connectors
        if not held.partner
        for text in held.addresses
    ]
    return any(lies_in(network, held) for network in networks for held in (*own, *listed))


def _list_type(value: str) -> str:
    try:
        parse_range(value)
    except ValueError:
        return "Url" if "/" in value else "FileHash" if len(value) == 64 and "." not in value else "Sender"
    return "IP"


def _removed(item: ConfigObject, value: str) -> tuple[Change, ...]:
    kind = str(item.properties.get("ListType") or _list_type(value))
    entry = f"-ListType {quote(kind)} -Entries {quote(value)}"
    end = item.properties.get("ExpirationDate")
    until = (
        f"-ExpirationDate {quote(end)}"
        if end
        else "-RemoveAfter 45"
        if item.properties.get("RemoveAfter")
        else "-NoExpiration"
    )
    return taking_away(
        item,
        f"Remove-TenantAllowBlockListItems {entry}",
        f"New-TenantAllowBlockListItems {entry} -Allow {until}",
        f"{_CMDLET} -ListType {quote(kind)} | Where-Object {{ $_.Value -eq {quote(value)} }}",
    )


CHECK = Check(
    id="SPAM-09",
    title=Text("Tenant allow entries expire and never name us"),
    severity=Severity.HIGH,
    needs=("Get-TenantAllowBlockListItems", "domains"),
    judge=_judge,
    fix=run(["Remove-TenantAllowBlockListItems -ListType Sender -Entries 'ENTRY'"]),
    undo=run(["New-TenantAllowBlockListItems -ListType Sender -Allow -Entries 'ENTRY' -RemoveAfter 45"]),
    maps={"CIPP": "TenantAllowBlockListTemplate", "NIST": "AC-4", "ATT&CK": "T1562.001"},
)
