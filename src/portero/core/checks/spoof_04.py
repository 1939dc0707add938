"""
No allow pair lets somebody write as one of our own domains, unless it is one sender's, registered and dated.

Before: the tenant's allow list holds a pair of type Internal: whatever comes from that infrastructure may write as our user, or as
anybody (*). Tools for phishing simulations leave such pairs behind.

After: no pair of type Internal has action Allow.

Mend: remove the pairs named, after giving their senders a connector or a signature.

Verify: Get-TenantAllowBlockListSpoofItems lists no Internal Allow.

May break: that sender counts as spoofing again; Get-SpoofMailReport for the pair over 30 days shows how much it mails.

Exceptions: the migration of one sender, with its end date in the notes.

Severity: critical: it is a standing permission to write as us.
"""

from __future__ import annotations

from portero.core.address import is_at_or_below, lies_in, parse_network
from portero.core.checks.origins import of_answers, of_objects
from portero.core.evidence import ConfigObject
from portero.core.exchange.change import Change, taking_away
from portero.core.exchange.powershell import quote, run
from portero.core.exchange.settings import Absent, prop
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.sender import DecidedBy, Judgement, Sender
from portero.core.text import Text

_CMDLET = "Get-TenantAllowBlockListSpoofItems"


def _judge(posture: Posture) -> Verdict:
    items = posture.tenant.objects(_CMDLET) or ()
    allowed = [
        item for item in items if _word(item, "Action") == "allow" and _word(item, "SpoofType") == "internal"
    ]
    registered = [
        sender
        for sender in posture.senders
        if sender.decided_by is not DecidedBy.EVIDENCE and sender.judgement is Judgement.LEGITIMATE
    ]
    open_ = [item for item in allowed if not _bounded(item, registered)]
    if open_:
        return _verdict(
            Outcome.FAIL,
            Text("Anybody behind these may write as us: {pairs}.", pairs=tuple(map(_pair, open_))),
            open_,
        )
    if allowed:
        return _verdict(
            Outcome.WARN,
            Text(
                "Standing permissions to write as us, for registered senders: {pairs}.",
                pairs=tuple(map(_pair, allowed)),
            ),
            allowed,
        )
    unclear = [item for item in items if _unclear(item)]
    if unclear:
        return Verdict(
            Outcome.UNKNOWN,
            Text(
                "The export lacks Action or SpoofType of some pairs: {pairs}.",
                pairs=tuple(map(_pair, unclear)),
            ),
            of_objects(unclear),
        )
    return Verdict(
        Outcome.PASS,
        Text("No pair allows anybody to write as our domains."),
        of_answers(posture.tenant, _CMDLET),
    )


def _word(item: ConfigObject, name: str) -> str | None:
    value = prop(item, name)
    return None if value is None or isinstance(value, Absent) else str(value).strip().lower()


def _unclear(item: ConfigObject) -> bool:
    """Tell whether what the export lacks could make it an Internal Allow."""
    return _word(item, "Action") in {None, "allow"} and _word(item, "SpoofType") in {None, "internal"}


def _bounded(item: ConfigObject, registered: list[Sender]) -> bool:
    """Tell whether a pair names a user of ours and the infrastructure of one registered sender alone."""
    user, infrastructure = _word(item, "SpoofedUser"), _word(item, "SendingInfrastructure")
    if user in {None, "", "*"} or infrastructure in {None, "", "*"}:
        return False
    return any(_belongs(str(infrastructure), sender) for sender in registered)


def _belongs(infrastructure: str, sender: Sender) -> bool:
    """An address or network must lie within the sender's; a name must be where its addresses resolve to."""
    try:
        network = parse_network(infrastructure)
    except ValueError:
        return any(is_at_or_below(name.lower(), infrastructure) for name in sender.facts.ptr)
    return any(lies_in(network, parse_network(text)) for text in sender.client_networks)


def _pair(item: ConfigObject) -> Text:
    return Text(
        "{user} from {infrastructure}",
        user=item.properties.get("SpoofedUser") or "?",
        infrastructure=item.properties.get("SendingInfrastructure") or "?",
    )


def _verdict(outcome: Outcome, because: Text, items: list[ConfigObject]) -> Verdict:
    return Verdict(
        outcome,
        because,
        of_objects(items),
        changes=tuple(change for item in items for change in _removed(item)),
        subjects=tuple(str(_pair(item)) for item in items),
    )


def _removed(item: ConfigObject) -> tuple[Change, ...]:
    properties = item.properties
    return taking_away(
        item,
        f"Remove-TenantAllowBlockListSpoofItems -Identity Default -Ids {quote(properties.get('Identity') or '')}",
        "New-TenantAllowBlockListSpoofItems -Identity Default -SpoofType Internal -Action Allow "
        f"-SpoofedUser {quote(properties.get('SpoofedUser') or '')} "
        f"-SendingInfrastructure {quote(properties.get('SendingInfrastructure') or '')}",
        f"{_CMDLET} | Where-Object {{ $_.SpoofedUser -eq {quote(properties.get('SpoofedUser') or '')} "
        f"-and $_.SendingInfrastructure -eq {quote(properties.get('SendingInfrastructure') or '')} }}",
    )


CHECK = Check(
    id="SPOOF-04",
    title=Text("Allowed spoof pairs for our own domains are none or dated"),
    severity=Severity.CRITICAL,
    needs=(_CMDLET,),
    judge=_judge,
    fix=run(["Remove-TenantAllowBlockListSpoofItems -Identity Default -Ids 'ID'"]),
    undo=run(
        [
            "New-TenantAllowBlockListSpoofItems -Identity Default -SpoofedUser 'USER' -SendingInfrastructure 'SOURCE' -SpoofType Internal -Action Allow"
        ]
    ),
    maps={"NIST": "AC-4, SI-8", "ATT&CK": "T1672, T1562.001"},
)
