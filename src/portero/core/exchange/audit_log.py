"""The unified audit log: who changed, by which cmdlet, what decides over mail."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from portero.core.evidence import ConfigObject, Origin
from portero.core.exchange.dates import moment
from portero.core.exchange.settings import Tenant

SOURCE = "Search-UnifiedAuditLog"
_TRUST = (
    "InboundConnector", "OutboundConnector", "TransportRule", "HostedConnectionFilterPolicy", "AntiPhishPolicy",
    "AntiPhishRule", "HostedContentFilterPolicy", "TenantAllowBlockListItems", "TenantAllowBlockListSpoofItems",
    "ArcConfig", "TransportConfig", "AcceptedDomain", "RemoteDomain",
)  # fmt: skip
_CHANGES = ("New", "Set", "Remove", "Enable", "Disable", "Add")


@dataclass(frozen=True, slots=True)
class LogEntry:
    """
    One change by one person.

    who:         the user or application, as the log names it.
    object:      what was changed.
    parameters:  by name.
    """

    cmdlet: str
    who: str
    object: str
    parameters: Mapping[str, str]
    when: datetime | None
    origins: tuple[Origin, ...]

    @property
    def day(self) -> str:
        """Give the UTC day as ISO 8601, ``?`` where the log has no time."""
        return "?" if self.when is None else self.when.date().isoformat()


def trust_changes(tenant: Tenant) -> tuple[LogEntry, ...]:
    """Give the changes to what decides whom mail is believed from, newest first, each record once."""
    found = [entry for entry in _entries(tenant) if _matters(entry)]
    return tuple(sorted(found, key=lambda entry: entry.when.isoformat() if entry.when else "", reverse=True))


def changes_of(tenant: Tenant, cmdlet: str, parameter: str) -> tuple[LogEntry, ...]:
    """Give the changes of one setting, newest first."""
    return tuple(
        entry
        for entry in trust_changes(tenant)
        if entry.cmdlet.casefold() == cmdlet.casefold()
        and parameter.casefold() in {name.casefold() for name in entry.parameters}
    )


def _matters(entry: LogEntry) -> bool:
    verb, _, noun = entry.cmdlet.partition("-")
    if noun == "OrganizationConfig":
        return any(name.casefold() == "rejectdirectsend" for name in entry.parameters)
    return verb in _CHANGES and noun in _TRUST


def _entries(tenant: Tenant) -> Iterator[LogEntry]:
    seen: set[str] = set()
    for item in tenant.objects(SOURCE) or ():
        data = _data(item)
        number = str(data.get("Id") or item.properties.get("Identity") or item.origin)
        if number in seen:
            continue
        seen.add(number)
        parameters = data.get("Parameters")
        yield LogEntry(
            cmdlet=str(data.get("Operation") or item.properties.get("Operations") or ""),
            who=str(data.get("UserId") or item.properties.get("UserIds") or "?"),
            object=str(data.get("ObjectId") or ""),
            parameters={
                str(each.get("Name")): str(each.get("Value"))
                for each in (parameters if isinstance(parameters, list) else ())
                if isinstance(each, Mapping)
            },
            when=moment(data.get("CreationTime")) or moment(item.properties.get("CreationDate")),
            origins=(item.origin,),
        )


def _data(item: ConfigObject) -> Mapping[str, object]:
    """Give the record: the text of AuditData, or the object itself where it was exported unfolded."""
    held = item.properties.get("AuditData")
    if isinstance(held, Mapping):
        return held
    if isinstance(held, str):
        try:
            read = json.loads(held)
        except (ValueError, RecursionError):
            return {}
        return read if isinstance(read, Mapping) else {}
    return item.properties
