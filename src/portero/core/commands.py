"""Changes to the tenant as PowerShell: every value quoted so that it stays a value, every change with its way back."""

from __future__ import annotations

import ipaddress
import unicodedata
from collections.abc import Iterable

from portero.core.address import a_label, domain_of, parse_network
from portero.core.evidence import ConfigObject
from portero.core.exchange.powershell import quote
from portero.core.exchange.settings import ABSENT, Settings, Tenant, flag, prop, texts
from portero.core.step import Command

# Exchange takes only IPv4 blocks this long or longer. Source: reference exchange-online 1.3.
_SHORTEST_BLOCK = 24
# A wider network than this would need more than 256 blocks, and is no list of one gateway's servers.
_WIDEST_NETWORK = 16


class UnquotableError(ValueError):
    """A value that holds characters no reviewer could see: line breaks, controls, text direction."""


def quoted(value: str) -> str:
    """
    Write a value as a single-quoted PowerShell string, in which nothing is expanded.

    Raises UnquotableError for line breaks, controls and invisible format characters, which could hide what a script
    does from the person who reviews it.
    """
    if any(unicodedata.category(each) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for each in value):
        raise UnquotableError(repr(value))
    return quote(value)


def quoted_list(values: Iterable[str]) -> str:
    """Write values as a PowerShell array of single-quoted strings."""
    return "@(" + ", ".join(quoted(each) for each in values) + ")"


def connector_blocks(ranges: Iterable[str]) -> tuple[str, ...] | None:
    """
    Split networks (CIDR texts) into what SenderIPAddresses takes: IPv4 addresses and blocks of /24 to /32.

    None where a connector cannot hold them: IPv6, or a network wider than /16.
    Source: reference exchange-online 1.3 and 6.2.
    """
    held: list[ipaddress.IPv4Network] = []
    for text in ranges:
        network = parse_network(text)
        if isinstance(network, ipaddress.IPv6Network) or network.prefixlen < _WIDEST_NETWORK:
            return None
        held.append(network)
    blocks: list[str] = []
    for network in ipaddress.collapse_addresses(held):
        parts = (
            network.subnets(new_prefix=_SHORTEST_BLOCK) if network.prefixlen < _SHORTEST_BLOCK else [network]
        )
        blocks += [str(part.network_address) if part.prefixlen == 32 else str(part) for part in parts]
    return tuple(blocks)


def reject_direct_send(tenant: Tenant) -> tuple[Command, ...]:
    """
    Switch RejectDirectSend on. Null cannot be written back to this Boolean; it is restored as false, its meaning.

    Source: Set-OrganizationConfig -RejectDirectSend; reference exchange-online 6.1.
    """
    held = tenant.single("Get-OrganizationConfig")
    value = prop(held, "RejectDirectSend") if held else ABSENT
    unchanged = "-not $prior.RejectDirectSend"
    if value is None:
        unchanged = "$null -eq $prior.RejectDirectSend"
    elif value is False:
        unchanged = "$false -eq $prior.RejectDirectSend"
    return (
        Command(
            snapshot="Get-OrganizationConfig",
            properties=("RejectDirectSend",),
            apply="Set-OrganizationConfig -RejectDirectSend $true",
            verify="$true -eq $current.RejectDirectSend",
            undo="Set-OrganizationConfig -RejectDirectSend ([bool]$prior.RejectDirectSend)",
            unchanged=unchanged,
        ),
    )


def new_connector(name: str, ranges: Iterable[str], *, lock: bool) -> tuple[Command, ...]:
    """
    Create a Partner connector for every sender domain by address; none where the ranges do not fit a connector.

    lock:  restrict all mail to the addresses. Otherwise no Restrict flag is set: with one, a connector for ``*``
           would refuse everybody else.
    Source: controls catalogue DS-03 and CON-01; reference exchange-online 1.6 and 6.2.
    """
    blocks = connector_blocks(ranges)
    if not blocks:
        return ()
    identity = quoted(name)
    restrict = "$true" if lock else "$false"
    return (
        Command(
            snapshot=f"Get-InboundConnector | Where-Object {{ $_.Name -eq {identity} }}",
            properties=("Name", "SenderIPAddresses", "RestrictDomainsToIPAddresses", "Enabled"),
            apply=(
                f"New-InboundConnector -Name {identity} -ConnectorType Partner -SenderDomains '*' "
                f"-SenderIPAddresses {quoted_list(blocks)} -RestrictDomainsToIPAddresses {restrict} "
                "-RequireTls $false -Enabled $true"
            ),
            verify=(
                f"($true -eq $current.Enabled) -and ({restrict} -eq $current.RestrictDomainsToIPAddresses) -and "
                f"-not (Compare-Object @($current.SenderIPAddresses) {quoted_list(blocks)})"
            ),
            undo=f"Remove-InboundConnector -Identity {identity} -Confirm:$false",
            unchanged="$null -eq $prior",
        ),
    )


def remove_permission(check: str, tenant: Tenant, settings: Settings) -> tuple[Command, ...]:
    """
    Take back what a failed check found, as far as the export names the objects; empty where a person must choose.

    An object whose name cannot be written safely has no command.
    check:  an id of the controls catalogue.
    """
    builders = {
        "SPAM-01": ("Get-HostedContentFilterPolicy", "AllowedSenderDomains"),
        "SPAM-02": ("Get-HostedContentFilterPolicy", "AllowedSenders"),
        "SPAM-03": ("Get-HostedConnectionFilterPolicy", "IPAllowList"),
        "CON-05": ("Get-InboundConnector", "TreatMessagesAsInternal"),
        "CON-06": ("Get-InboundConnector", "CloudServicesMailEnabled"),
    }
    if check not in builders:
        return ()
    cmdlet, name = builders[check]
    made: list[Command] = []
    for item in tenant.objects(cmdlet) or ():
        try:
            if check.startswith("CON"):
                made += _switch_off(item, name)
            else:
                made += _take_out(item, name, settings)
        except UnquotableError:
            continue
    return tuple(made)


def _identity(item: ConfigObject) -> str:
    return quoted(str(item.properties.get("Identity") or item.properties.get("Name") or ""))


def _switch_off(item: ConfigObject, name: str) -> list[Command]:
    wizard = item.properties.get("ConnectorSource") == "HybridWizard"
    if flag(item, name) is not True or (name == "CloudServicesMailEnabled" and wizard):
        return []
    identity = _identity(item)
    return [
        Command(
            snapshot=f"{item.cmdlet} -Identity {identity}",
            properties=(name,),
            apply=f"Set-InboundConnector -Identity {identity} -{name} $false",
            verify=f"$false -eq $current.{name}",
            undo=f"Set-InboundConnector -Identity {identity} -{name} ([bool]$prior.{name})",
            unchanged=f"$true -eq $prior.{name}",
        )
    ]


def _take_out(item: ConfigObject, name: str, settings: Settings) -> list[Command]:
    """Take entries out of a list and leave the others; of senders and domains only the organisation's own."""
    entries = [
        entry
        for entry in texts(item, name) or ()
        if name == "IPAllowList"
        or settings.names_us(domain_of(entry) if name == "AllowedSenders" else a_label(entry))
    ]
    if not entries:
        return []
    identity, listed = _identity(item), quoted_list(entries)
    setter = item.cmdlet.replace("Get-", "Set-", 1)
    held = f"@({listed} | Where-Object {{ @($prior.{name}) -contains $_ }})"
    return [
        Command(
            snapshot=f"{item.cmdlet} -Identity {identity}",
            properties=(name,),
            apply=f"{setter} -Identity {identity} -{name} @{{ Remove = {listed} }}",
            verify=f"-not ({listed} | Where-Object {{ @($current.{name}) -contains $_ }})",
            undo=f"{setter} -Identity {identity} -{name} @{{ Add = {held} }}",
            unchanged=f"-not ({listed} | Where-Object {{ @($prior.{name}) -notcontains $_ }})",
        )
    ]
