"""
What phishing simulations may send past every filter is current, narrow and never under our own domain.

Before: an override names one of our domains, or ranges nobody knows, or outlives its contract; that mail skips nearly everything.

After: each override names the vendor's domains and few ranges that are registered as known networks.

Mend: remove the override, or record its ranges as a network of use partner in portero.toml with an owner.

Verify: Get-ExoPhishSimOverrideRule shows the ranges that are left.

May break: training mail is filtered; ask the vendor.

Exceptions: an active contract.

Severity: medium: few know these overrides, and what they name is not looked at.
"""

from __future__ import annotations

from portero.core.address import IPNetwork, a_label, lies_in, parse_range
from portero.core.checks.origins import of_objects
from portero.core.checks.standing import Standing, judge_objects, unread
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import Change, taking_away
from portero.core.exchange.powershell import identity, listed, quote, run
from portero.core.exchange.settings import texts
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.text import Text, count

_CMDLET = "Get-ExoPhishSimOverrideRule"


def _judge(posture: Posture) -> Verdict:
    return judge_objects(
        posture, _CMDLET, _standing, Text("No override for phishing simulations is out of hand.")
    )


def _standing(posture: Posture, item: ConfigObject) -> Standing:
    name, origins = identity(item), of_objects([item])
    domains, ranges = texts(item, "Domains"), texts(item, "SenderIpRanges")
    if domains is None or ranges is None:
        return unread(item, ("Domains", "SenderIpRanges"))
    ours = tuple(domain for domain in domains if posture.settings.names_us(a_label(domain)))
    if ours:
        reason = Text("override “{name}” names our own {domains}", name=name, domains=ours)
        return Standing(name, Outcome.FAIL, reason, origins, changes=_removed(item, domains, ranges))
    known = [network for place in posture.configuration.networks for network in place.networks]
    if ranges and not known:
        reason = Text("whose the ranges of override “{name}” are is not in portero.toml", name=name)
        return Standing(name, Outcome.UNKNOWN, reason, origins)
    strange = tuple(text for text in ranges if not _known(text, known))
    if strange:
        reason = Text(
            "override “{name}” names ranges that nobody registered: {ranges}", name=name, ranges=strange
        )
        return Standing(name, Outcome.FAIL, reason, origins, changes=_removed(item, domains, ranges))
    if len(ranges) > posture.limits.simulation_ranges:
        reason = count(
            "override “{name}” names {n} range", "override “{name}” names {n} ranges", len(ranges), name=name
        )
        return Standing(name, Outcome.WARN, reason, origins)
    return Standing(name, Outcome.PASS, Text("override “{name}” is registered", name=name), origins)


def _known(text: str, known: list[IPNetwork]) -> bool:
    try:
        networks = parse_range(text)
    except ValueError:
        return False
    return all(any(lies_in(network, held) for held in known) for network in networks)


def _removed(item: ConfigObject, domains: tuple[str, ...], ranges: tuple[str, ...]) -> tuple[Change, ...]:
    parts = [
        f"-Domains {listed(domains)}" if domains else "",
        f"-SenderIpRanges {listed(ranges)}" if ranges else "",
    ]
    again = " ".join(part for part in parts if part)
    return taking_away(
        item,
        f"Remove-ExoPhishSimOverrideRule -Identity {quote(identity(item))} -Confirm:$false",
        f"New-ExoPhishSimOverrideRule -Policy PhishSimOverridePolicy -Name {quote(identity(item))} {again}",
        f"{_CMDLET} | Where-Object {{ $_.Name -eq {quote(identity(item))} }}",
    )


CHECK = Check(
    id="SPOOF-10",
    title=Text("Phishing-simulation and SecOps overrides are current"),
    severity=Severity.MEDIUM,
    needs=("Get-ExoPhishSimOverrideRule",),
    judge=_judge,
    fix=run(["Remove-ExoPhishSimOverrideRule -Identity 'RULE'"]),
    undo=run(
        [
            "New-ExoPhishSimOverrideRule -Policy PhishSimOverridePolicy -Domains 'DOMAIN' -SenderIpRanges 'RANGE'"
        ]
    ),
    maps={"CIPP": "PhishingSimulations", "365Inspect": "SimPhish", "NIST": "AC-4", "ATT&CK": "T1562.001"},
)
