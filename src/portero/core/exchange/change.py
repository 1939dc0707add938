"""Changes to exported objects with their way back: exact commands made of the values that the export holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from portero.core.evidence import ConfigObject
from portero.core.exchange.powershell import adding, identity, listed, literal, quote, removing, shows_itself

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
    One change to one object, for a person to copy and for a script to make.

    noun:       what is changed, by Microsoft's noun, for example ``InboundConnector``.
    do, undo:   PowerShell statements; undo restores what the export holds, and is ``""`` where nothing can.
    verify:     the command that shows a person whether the change is in effect.
    read:       expression that gives the object, or nothing while there is none.
    in_effect:  expression over ``$current``, the object as it is read, that is ``$true`` while the change is in effect.
    unchanged:  expression over ``$prior``, the object as it was read before, that is ``$true`` while it is still as
                the export has it.
    restore:    statements that restore what ``$prior`` holds, whether that is what the export holds or not.
    """

    noun: str
    do: str
    verify: str
    undo: str
    read: str
    in_effect: str
    unchanged: str
    restore: str


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
    as_false = {name for name in moved if isinstance(wanted[name], bool) and noun not in _TAKE_NULL}
    before = {name: False if held[name] is None and name in as_false else held[name] for name in moved}
    after = {name: wanted[name] for name in moved}
    back = (
        f"-{name} " + (f"([bool]$prior.{name})" if name in as_false else f"$prior.{name}") for name in moved
    )
    setter, getter = f"Set-{noun}{_named(item)}", f"{item.cmdlet}{_named(item)}"
    return offered(
        Change(
            noun,
            do=f"{setter} {_parameters(after)}",
            verify=f"{getter} | Format-List -Property {listed(moved)}",
            undo=f"{setter} {_parameters(before)}",
            read=getter,
            in_effect=_equal("$current", after),
            unchanged=_equal("$prior", {name: held[name] for name in moved}),
            restore=f"{setter} {' '.join(back)}",
        )
    )


def taking_out(item: ConfigObject, name: str, entries: Iterable[str]) -> tuple[Change, ...]:
    """Take entries out of a list property and leave the others alone."""
    held = tuple(entries)
    if not held:
        return ()
    taken = f"{listed(held)} | Where-Object {{ @($prior.{name}) -contains $_ }}"
    return _edited(
        item,
        name,
        change=removing(held),
        back=adding(held),
        in_effect=_none_of(held, f"@($current.{name}) -contains $_"),
        unchanged=_none_of(held, f"@($prior.{name}) -notcontains $_"),
        restore="@{Add=@(" + taken + ")}",
    )


def putting_in(item: ConfigObject, name: str, entries: Iterable[str]) -> tuple[Change, ...]:
    """Put entries into a list property beside those that are there."""
    held = tuple(entries)
    if not held:
        return ()
    put = f"{listed(held)} | Where-Object {{ @($prior.{name}) -notcontains $_ }}"
    return _edited(
        item,
        name,
        change=adding(held),
        back=removing(held),
        in_effect=_none_of(held, f"@($current.{name}) -notcontains $_"),
        unchanged=_none_of(held, f"@($prior.{name}) -contains $_"),
        restore="@{Remove=@(" + put + ")}",
    )


def switching_off(rule: ConfigObject) -> tuple[Change, ...]:
    """Disable a rule that has a State of its own. Source: Disable-TransportRule and its like."""
    return _switched(rule, on=False)


def switching_on(rule: ConfigObject) -> tuple[Change, ...]:
    """Enable a rule that has a State of its own."""
    return _switched(rule, on=True)


def making(
    noun: str, name: str, values: Mapping[str, object], proof: Iterable[str] = ()
) -> tuple[Change, ...]:
    """
    Make an object of that name; the way back removes it.

    proof:  values that the made object must be seen to have; Exchange rewrites some of what it is given.
    """
    removed = f"Remove-{noun} -Identity {quote(name)} -Confirm:$false"
    held = {each: values[each] for each in proof}
    return offered(
        Change(
            noun,
            do=f"New-{noun} -Name {quote(name)} {_parameters(values)}".rstrip(),
            verify=f"Get-{noun} -Identity {quote(name)}",
            undo=removed,
            read=f"Get-{noun} | Where-Object {{ $_.Name -eq {quote(name)} }}",
            in_effect=_equal("$current", held) if held else "$null -ne $current",
            unchanged="$null -eq $prior",
            restore=removed,
        )
    )


def taking_away(item: ConfigObject, remove: str, make: str, read: str) -> tuple[Change, ...]:
    """Remove an object that is known by other parameters than its name; the commands are given whole."""
    return offered(
        Change(
            noun_of(item.cmdlet),
            do=remove,
            verify=item.cmdlet,
            undo=make,
            read=read,
            in_effect="$null -eq $current",
            unchanged="$null -ne $prior",
            restore=make,
        )
    )


def offered(change: Change) -> tuple[Change, ...]:
    """Give a change, or nothing where a name or value in it could hide from its reviewer what it does."""
    return (change,) if shows_itself(change.do + change.undo) else ()


def _edited(
    item: ConfigObject, name: str, *, change: str, back: str, in_effect: str, unchanged: str, restore: str
) -> tuple[Change, ...]:
    noun = noun_of(item.cmdlet)
    setter, getter = f"Set-{noun}{_named(item)} -{name}", f"{item.cmdlet}{_named(item)}"
    return offered(
        Change(
            noun,
            do=f"{setter} {change}",
            verify=f"{getter} | Format-List -Property {quote(name)}",
            undo=f"{setter} {back}",
            read=getter,
            in_effect=in_effect,
            unchanged=unchanged,
            restore=f"{setter} {restore}",
        )
    )


def _switched(rule: ConfigObject, *, on: bool) -> tuple[Change, ...]:
    noun, getter = noun_of(rule.cmdlet), f"{rule.cmdlet}{_named(rule)}"
    enable = f"Enable-{noun}{_named(rule)}"
    disable = f"Disable-{noun}{_named(rule)} -Confirm:$false"
    do, undo = (enable, disable) if on else (disable, enable)
    after, before = ("Enabled", "Disabled") if on else ("Disabled", "Enabled")
    return offered(
        Change(
            noun,
            do=do,
            verify=f"{getter} | Format-List -Property 'State'",
            undo=undo,
            read=getter,
            in_effect=f"'{after}' -eq $current.State",
            unchanged=f"'{before}' -eq $prior.State",
            restore=f"if ('{before}' -eq $prior.State) {{ {undo} }}",
        )
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


def _equal(variable: str, values: Mapping[str, object]) -> str:
    """Write that an object has these values; null, false and the empty list are told apart as PowerShell does."""
    parts = (
        f"-not (Compare-Object @({variable}.{name}) @({literal(value)}))"
        if isinstance(value, list | tuple) and value
        else f"-not {variable}.{name}"
        if isinstance(value, list | tuple)
        else f"{literal(value)} -eq {variable}.{name}"
        for name, value in values.items()
    )
    return " -and ".join(f"({part})" for part in parts)


def _none_of(entries: Iterable[str], condition: str) -> str:
    return f"-not ({listed(entries)} | Where-Object {{ {condition} }})"


def _plain(value: object) -> object:
    """Read the Boolean texts of CSV exports; everything else stays."""
    if isinstance(value, str) and value.strip().lower() in {"true", "false"}:
        return value.strip().lower() == "true"
    return value
