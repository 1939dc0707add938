"""
The connection filter's allow list is empty.

Before: an address on the list skips spam filtering, and with it most of what would stop a spoof. It is a common wrong cure for scanner
mail in junk, and with the office's address listed every laptop and visitor behind it is let through.

After: IPAllowList holds nothing.

Mend: give the sender behind each address a connector (DS-03), then remove the address.

Verify: Get-HostedConnectionFilterPolicy shows an empty IPAllowList.

May break: mail from there is filtered again; the trace by FromIP shows what comes.

Exceptions: limited in time, with the name of whoever approved it.

Severity: high: what comes from an allowed address is hardly looked at.
"""

from __future__ import annotations

from portero.core.address import parse_network, parse_range
from portero.core.checks.origins import of_answers, of_objects
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import taking_out
from portero.core.exchange.powershell import run
from portero.core.exchange.settings import texts
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.sender import Judgement
from portero.core.text import Text

_CMDLET = "Get-HostedConnectionFilterPolicy"


def _judge(posture: Posture) -> Verdict:
    items = posture.tenant.objects(_CMDLET) or ()
    listing = [item for item in items if texts(item, "IPAllowList")]
    if listing:
        return _verdict(listing, posture)
    unread = [item for item in items if texts(item, "IPAllowList") is None]
    if unread or not items:
        return Verdict(
            Outcome.UNKNOWN,
            Text("The export of {cmdlet} lacks IPAllowList.", cmdlet=_CMDLET),
            of_objects(unread) or of_answers(posture.tenant, _CMDLET),
        )
    return Verdict(Outcome.PASS, Text("IPAllowList is empty."), of_objects(items))


def _verdict(listing: list[ConfigObject], posture: Posture) -> Verdict:
    entries = tuple(entry for item in listing for entry in texts(item, "IPAllowList") or ())
    own = tuple(entry for entry in entries if _own(entry, posture))
    because = (
        Text(
            "Addresses of our own senders are allowed past filtering: {own}. All entries: {entries}.",
            own=own,
            entries=entries,
        )
        if own
        else Text("Addresses are allowed past filtering: {entries}.", entries=entries)
    )
    return Verdict(
        Outcome.FAIL,
        because,
        of_objects(listing),
        changes=tuple(
            change
            for item in listing
            for change in taking_out(item, "IPAllowList", texts(item, "IPAllowList") or ())
        ),
        subjects=entries,
    )


def _own(entry: str, posture: Posture) -> bool:
    """Tell whether an entry covers the address of a legitimate sender."""
    try:
        ranges = parse_range(entry)
    except ValueError:
        return False
    return any(
        held.overlaps(network)
        for sender in posture.senders
        if sender.judgement is Judgement.LEGITIMATE
        for network in map(parse_network, sender.client_networks)
        for held in ranges
        if held.version == network.version
    )


CHECK = Check(
    id="SPAM-03",
    title=Text("The connection filter allow list is empty"),
    severity=Severity.HIGH,
    needs=(_CMDLET,),
    judge=_judge,
    fix=run(["Set-HostedConnectionFilterPolicy -Identity Default -IPAllowList @{Remove='ADDRESS'}"]),
    undo=run(["Set-HostedConnectionFilterPolicy -Identity Default -IPAllowList @{Add='ADDRESS'}"]),
    maps={
        "SCuBA": "MS.SECURITYSUITE.8.1v1",
        "SCuBA before 2026": "MS.EXO.12.1v1",
        "CIS": "2.1.12",
        "ORCA": "114",
        "Prowler": "defender_antispam_connection_filter_policy_empty_ip_allowlist",
        "NIST": "AC-4",
        "ATT&CK": "T1562.001",
    },
)
