"""Changes to exported objects with their way back: exact commands made of the values that the export holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from portero.core.evidence import ConfigObject
from portero.core.exchange.powershell import adding, identity, listed, literal, quote, removing

# Cmdlets of which a tenant has one object, so that they take no -Identity.
_ONE_PER_TENANT = frozenset(
    {"AdminAuditLogConfig", "ExternalInOutlook", "OrganizationConfig", "TransportConfig"}
)
# Only here does a Boolean parameter take $null, which means "as the organisation says".
# Source: Set-CASMailbox -SmtpClientAuthenticationDisabled; reference exchange-online 6.3.
_TAKE_NULL = frozenset({"CASMailbox"})


@dataclass(frozen=True, slots=True)
class Change:
    """
    One change to one object.

    noun:    what is changed, by Microsoft's noun, for example ``InboundConnector``.
    do, undo: PowerShell statements; undo restores what the export holds.
    verify:  the command that shows whether the change is in effect.
    """

    noun: str
    do: str
    verify: str
    undo: str


def noun_of(cmdlet: str) -> str:
    """Give the noun of a cmdlet: ``InboundConnector`` of ``Get-InboundConnector``."""
    return cmdlet.partition("-")[2]


def setting(item: ConfigObject, wanted: Mapping[str, object]) -> tuple[Change, ...]:
    """
    Set properties to the values wanted; what already has its value, or was not exported, is left alone.

    A null that a Boolean parameter cannot take back is restored as false, which is how Exchange reads it.
    """
    noun = noun_of(item.cmdlet)
    held = {name: _plain(item.properties[name]) for name in wanted if name in item.properties}
    moved = [name for name in held if held[name] != wanted[name]]
    if not moved:
        return ()
    before = {name: _restorable(noun, held[name], wanted[name]) for name in moved}
    return (
        Change(
            noun,
            f"Set-{noun}{_named(item)} {_parameters({name: wanted[name] for name in moved})}",
            f"{item.cmdlet}{_named(item)} | Format-List -Property {listed(moved)}",
            f"Set-{noun}{_named(item)} {_parameters(before)}",
        ),
    )


def taking_out(item: ConfigObject, name: str, entries: Iterable[str]) -> tuple[Change, ...]:
    """Take entries out of a list property and leave the others alone."""
    held = tuple(entries)
    return _edited(item, name, removing(held), adding(held)) if held else ()


def putting_in(item: ConfigObject, name: str, entries: Iterable[str]) -> tuple[Change, ...]:
    """Put entries into a list property beside those that are there."""
    held = tuple(entries)
    return _edited(item, name, adding(held), removing(held)) if held else ()


def switching_off(rule: ConfigObject) -> tuple[Change, ...]:
    """Disable a rule that has a State of its own. Source: Disable-TransportRule and its like."""
    noun = noun_of(rule.cmdlet)
    return (
        Change(
            noun,
            f"Disable-{noun}{_named(rule)} -Confirm:$false",
            f"{rule.cmdlet}{_named(rule)} | Format-List -Property 'State'",
            f"Enable-{noun}{_named(rule)}",
        ),
    )


def switching_on(rule: ConfigObject) -> tuple[Change, ...]:
    """Enable a rule that has a State of its own."""
    noun = noun_of(rule.cmdlet)
    return (
        Change(
            noun,
            f"Enable-{noun}{_named(rule)}",
            f"{rule.cmdlet}{_named(rule)} | Format-List -Property 'State'",
            f"Disable-{noun}{_named(rule)} -Confirm:$false",
        ),
    )


def making(noun: str, name: str, values: Mapping[str, object]) -> tuple[Change, ...]:
    """Make an object of that name; the way back removes it."""
    return (
        Change(
            noun,
            f"New-{noun} -Name {quote(name)} {_parameters(values)}",
            f"Get-{noun} -Identity {quote(name)}",
            f"Remove-{noun} -Identity {quote(name)} -Confirm:$false",
        ),
    )


def taking_away(item: ConfigObject, remove: str, make: str) -> tuple[Change, ...]:
    """Remove an object that is known by other parameters than its name; both commands are given whole."""
    return (Change(noun_of(item.cmdlet), remove, item.cmdlet, make),)


def _edited(item: ConfigObject, name: str, change: str, back: str) -> tuple[Change, ...]:
    noun = noun_of(item.cmdlet)
    return (
        Change(
            noun,
            f"Set-{noun}{_named(item)} -{name} {change}",
            f"{item.cmdlet}{_named(item)} | Format-List -Property {quote(name)}",
            f"Set-{noun}{_named(item)} -{name} {back}",
        ),
    )


def _named(item: ConfigObject) -> str:
    noun = noun_of(item.cmdlet)
    if noun in _ONE_PER_TENANT:
        return ""
    # Two mailboxes may bear one name; their addresses and identities are their own.
    own = item.properties.get("PrimarySmtpAddress") or item.properties.get("Identity")
    return f" -Identity {quote(own if own and 'Mailbox' in noun else identity(item))}"


def _parameters(values: Mapping[str, object]) -> str:
    return " ".join(f"-{name} {literal(value)}" for name, value in values.items())


def _plain(value: object) -> object:
    """Read the Boolean texts of CSV exports; everything else stays."""
    if isinstance(value, str) and value.strip().lower() in {"true", "false"}:
        return value.strip().lower() == "true"
    return value


def _restorable(noun: str, held: object, wanted: object) -> object:
    if held is None and isinstance(wanted, bool) and noun not in _TAKE_NULL:
        return False
    return held
