"""Spoof pairs of the Tenant Allow/Block List: a From address with an infrastructure, blocked or allowed to fail."""

from __future__ import annotations

import ipaddress

from portero.core.address import domain_of, is_at_or_below
from portero.core.dns import DnsStatus
from portero.core.exchange.attribution import Attribution, By, within
from portero.core.exchange.change import Change, offered
from portero.core.exchange.decision import Decision, kept, refused, undetermined
from portero.core.exchange.powershell import quote
from portero.core.exchange.settings import Settings, SpoofPair
from portero.core.flow import Flow
from portero.core.text import Text


def allowed_pair(flow: Flow, attribution: Attribution, settings: Settings) -> Decision | None:
    """
    Doubt the DMARC policy's refusal of a flow that an allowed pair names, or may name; None where none does.

    Whether an allowed pair wins over the policy no document says.
    """
    for pair in settings.spoof_pairs:
        if pair.allow and _concerns(attribution) and _meets(pair, flow, settings) is not False:
            return undetermined(
                Text("A spoof pair allows it; no document says whether that wins over the DMARC policy.")
            )
    return None


def blocked_pair(
    flow: Flow, attribution: Attribution, settings: Settings, passes: bool | None
) -> Decision | None:
    """
    Decide what the blocked pairs do to a flow; None where none of them concerns it.

    passes:  whether its mail passes DMARC; only mail that fails is taken for a spoof.
    What becomes of a blocked spoof is what the anti-phishing policies do with failed authentication.
    Source: reference exchange-online 4 (compauth 002), 5.2 and 6.5; Get-TenantAllowBlockListSpoofItems.
    """
    if passes is True or not _concerns(attribution):
        return None
    found = {_meets(pair, flow, settings) for pair in settings.spoof_pairs if not pair.allow}
    if True in found:
        if passes is None:
            return undetermined(
                Text("It is of a blocked pair, which takes mail that fails; no witness says whether it does.")
            )
        return _blocked(settings)
    if None in found:
        return undetermined(
            Text(
                "The evidence does not say whether it is of the blocked pair: its From or its reverse name is open."
            )
        )
    return None


def _concerns(attribution: Attribution) -> bool:
    """Tell whether mail is looked at for spoofs: not submitted mail, nor what an OnPremises connector takes."""
    held = attribution.connector
    trusted = attribution.exempts and held is not None and not held.partner
    return attribution.by is not By.SUBMITTED and not trusted


def _meets(pair: SpoofPair, flow: Flow, settings: Settings) -> bool | None:
    one, other = _names(pair, flow), _comes_from(pair, flow, settings)
    return False if False in (one, other) else None if None in (one, other) else True


def _blocked(settings: Settings) -> Decision:
    if settings.mx_at_microsoft is False or settings.spoof_action is None:
        return undetermined(
            Text(
                "It is of a blocked spoof pair; what the anti-phishing policies do with such mail is not known."
            )
        )
    if settings.spoof_action == "Quarantine":
        return refused(None, Text("It is of a blocked spoof pair and would be quarantined."))
    return kept(Text("It is of a blocked spoof pair and would go to the junk folder."))


def _names(pair: SpoofPair, flow: Flow) -> bool | None:
    """Tell whether its From is the pair's; a traced sender may be the envelope's, so it only may be."""
    if pair.sender == "*":
        return True
    author = flow.key.header_from
    if author is None:
        return False if flow.key.sender and domain_of(flow.key.sender) != domain_of(pair.sender) else None
    # Mailbox traffic is folded by domain.
    return None if author == f"@{domain_of(pair.sender)}" else author == pair.sender


def _comes_from(pair: SpoofPair, flow: Flow, settings: Settings) -> bool | None:
    """
    Tell whether its infrastructure is the pair's: the domain of its reverse name or signature, the /24 without a name.
    """
    address = flow.key.client_ip
    if not address:
        return None if address is None else False
    names = _reverse_names(address, flow, settings)
    if "/" in pair.infrastructure:
        if not within(address, (pair.infrastructure,)):
            return False
        return True if names == () else None
    if any(is_at_or_below(name, pair.infrastructure) for name in names or ()):
        return True
    if any(is_at_or_below(name, pair.infrastructure) for name in flow.facts.dkim_domains):
        return None
    return None if names is None else False


def _reverse_names(address: str, flow: Flow, settings: Settings) -> tuple[str, ...] | None:
    """Give the reverse names of an address by recorded mail or DNS; None where neither says."""
    if flow.facts.ptr:
        return tuple(flow.facts.ptr)
    answer = settings.dns.lookup(ipaddress.ip_address(address).reverse_pointer, "PTR")
    if answer.status is DnsStatus.NXDOMAIN:
        return ()
    return tuple(each.rstrip(".") for each in answer.answers) if answer.status is DnsStatus.NOERROR else None


def pair_changes(settings: Settings) -> tuple[Change, ...]:
    """Make the spoof pairs of the settings, each with its way back. Source: reference exchange-online 6.5."""
    return tuple(change for pair in settings.spoof_pairs for change in _made(pair))


def _made(pair: SpoofPair) -> tuple[Change, ...]:
    noun = "TenantAllowBlockListSpoofItems"
    action = "Allow" if pair.allow else "Block"
    conditions = (
        f"$_.SpoofedUser -eq {quote(pair.sender)} -and $_.SendingInfrastructure -eq {quote(pair.infrastructure)} "
        f"-and $_.SpoofType -eq 'Internal' -and $_.Action -eq '{action}'"
    )
    read = f"Get-{noun} | Where-Object {{ {conditions} }}"
    remove = f"{read} | ForEach-Object {{ Remove-{noun} -Identity Default -Ids $_.Identity }}"
    return offered(
        Change(
            noun,
            do=f"New-{noun} -Identity Default -Action {action} -SpoofType Internal -SpoofedUser {quote(pair.sender)} "
            f"-SendingInfrastructure {quote(pair.infrastructure)}",
            verify=read,
            undo=remove,
            read=read,
            in_effect="[bool]$current",
            unchanged="-not $prior",
            restore=f"if (-not $prior) {{ {remove} }}",
        )
    )
