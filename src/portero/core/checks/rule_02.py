"""
No mail flow rule in force takes mail past Safe Links or Safe Attachments.

Before: a rule writes the header that tells one of them to look away, for a fax product or a simulation of years ago.

After: no rule in force writes it; simulations use the overrides of SPOOF-10.

Mend: disable the rule.

Verify: Get-TransportRule shows it Disabled.

May break: simulations and fax products; the rule's report shows its mail.

Exceptions: rules bound to the addresses of a registered simulation.

Severity: high: links and attachments of that mail are not looked at by anything.
"""

from __future__ import annotations

from collections.abc import Iterable

from portero.core.address import IPNetwork, lies_in, parse_range
from portero.core.checks.origins import of_objects
from portero.core.checks.standing import Standing, judge_objects, unread
from portero.core.checks.transport_rules import live
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import switching_off
from portero.core.exchange.powershell import identity, run
from portero.core.exchange.settings import Absent, prop, texts
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text

# Source: controls catalogue RULE-02.
_HEADERS = {
    "x-ms-exchange-organization-skipsafelinksprocessing",
    "x-ms-exchange-organization-skipsafeattachmentprocessing",
}


def _judge(posture: Posture) -> Verdict:
    return judge_objects(
        posture,
        "Get-TransportRule",
        _standing,
        Text("No rule takes mail past Safe Links or Safe Attachments."),
    )


def _standing(posture: Posture, rule: ConfigObject) -> Standing:
    name, header, origins = identity(rule), prop(rule, "SetHeaderName"), of_objects([rule])
    if isinstance(header, Absent) and live(rule) is not False:
        return unread(rule, ("SetHeaderName",))
    if str(header).strip().lower() not in _HEADERS:
        return Standing(name, Outcome.PASS, Text("rule “{rule}” sets no such header", rule=name), origins)
    on = live(rule)
    if on is None:
        return unread(rule, ("State", "Mode"))
    if not on:
        return Standing(name, Outcome.PASS, Text("rule “{rule}” is not in force", rule=name), origins)
    if _simulation(posture, rule):
        reason = Text("rule “{rule}” holds for registered addresses alone", rule=name)
        return Standing(name, Outcome.WARN, reason, origins, changes=switching_off(rule))
    reason = Text("rule “{rule}” sets {header}", rule=name, header=str(header))
    return Standing(name, Outcome.FAIL, reason, origins, changes=switching_off(rule))


def _simulation(posture: Posture, rule: ConfigObject) -> bool:
    """Tell whether a rule is bound to addresses that an override for simulations or a known partner network names."""
    ranges = _networks(texts(rule, "SenderIpRanges") or ())
    overrides = posture.tenant.objects("Get-ExoPhishSimOverrideRule") or ()
    known = _networks(text for item in overrides for text in texts(item, "SenderIpRanges") or ())
    known += [
        net for place in posture.configuration.networks if place.use == "partner" for net in place.networks
    ]
    return bool(ranges) and all(any(lies_in(each, held) for held in known) for each in ranges)


def _networks(entries: Iterable[str]) -> list[IPNetwork]:
    found: list[IPNetwork] = []
    for text in entries:
        try:
            found += parse_range(text)
        except ValueError:
            continue
    return found


CHECK = Check(
    id="RULE-02",
    title=Text("No rule switches off Safe Links or Safe Attachments"),
    severity=Severity.HIGH,
    needs=("Get-TransportRule",),
    judge=_judge,
    fix=run(["Disable-TransportRule -Identity 'RULE'"]),
    undo=run(["Enable-TransportRule -Identity 'RULE'"]),
    maps={
        "ORCA": "189, 189.2",
        "365Inspect": "BypassingSafeLinks, BypassingSafeAttachments",
        "NIST": "SI-3",
        "ATT&CK": "T1562.001",
    },
)
