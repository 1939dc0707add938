"""Exported property values in one shape: dates as ISO text, wrappers opened, annotations gone, lost data named."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

_DATE = re.compile(r"^/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/$")
_LOST = re.compile(
    r"^(?:System\.[\w.]+\[\]|System\.Collections\.\S+|Microsoft\.Exchange\.[\w.]+`\d.*|@\{.*\})$", re.DOTALL
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NESTING = 60
# Lists whose entries hold neither blanks nor commas; too small a -Depth or a join writes them as one text.
_LISTS = frozenset(
    [
        "SenderIPAddresses",
        "SenderDomains",
        "IPAllowList",
        "IPBlockList",
        "EFSkipIPs",
        "RecipientDomains",
        "AllowedSenderDomains",
    ]
)
# Windows PowerShell writes enumerations as numbers. Source: the types' own declarations
# (Microsoft.Exchange.Data.TenantConnectorType, ...SystemConfiguration.AcceptedDomainType).
_ENUMERATIONS: dict[str, dict[int, str]] = {
    "ConnectorType": {1: "OnPremises", 2: "Partner"},
    "DomainType": {0: "Authoritative", 1: "ExternalRelay", 2: "InternalRelay"},
}


class _LostError(Exception):
    """The export holds a type's name where the data was."""


def cleaned(item: Mapping[str, object]) -> tuple[dict[str, object], list[str]]:
    """
    Give an object's properties in one shape, and the names of those whose data the export lost.

    A lost property is left out: nothing is known of it. null stays None.
    """
    properties: dict[str, object] = {}
    lost: list[str] = []
    for name, value in item.items():
        if "@" in name:
            continue  # annotations of the REST answer: X@odata.type, X@data.type
        try:
            properties[name] = _named(name, _value(value, 0))
        except _LostError:
            lost.append(name)
    return properties, lost


def _named(name: str, value: object) -> object:
    if name in _LISTS and isinstance(value, str):
        return [part for part in re.split(r"[\s,]+", value) if part]
    if name in _ENUMERATIONS and isinstance(value, int) and not isinstance(value, bool):
        # A number of no known meaning says nothing.
        try:
            return _ENUMERATIONS[name][value]
        except KeyError:
            raise _LostError from None
    return value


def _value(value: object, depth: int) -> object:
    if depth > _NESTING:
        raise _LostError
    if isinstance(value, str):
        if _LOST.match(value):
            raise _LostError
        return iso_date(value)
    if isinstance(value, list):
        return [_value(entry, depth + 1) for entry in value]
    if isinstance(value, dict):
        return _unwrapped(value, depth)
    return value


def _unwrapped(value: dict[str, object], depth: int) -> object:
    """Open what Windows PowerShell puts around lists, dates and enumerations."""
    inner = value.get("value")
    if isinstance(inner, list) and value.keys() <= {"value", "Count"}:
        return _value(inner, depth + 1)
    if isinstance(inner, str) and _DATE.match(inner):
        return iso_date(inner)
    if value.keys() == {"value", "Value"}:
        return _value(value["Value"], depth + 1)
    return {name: _value(entry, depth + 1) for name, entry in value.items() if "@" not in name}


def iso_date(text: str) -> str:
    """Give ``/Date(ms)/`` as ISO 8601 text in UTC; any other text as it is."""
    found = _DATE.match(text)
    if not found:
        return text
    try:
        moment = _EPOCH + timedelta(milliseconds=int(found[1]))
    except OverflowError:
        return text
    return moment.isoformat().replace("+00:00", "Z")


def objects_in(value: object, depth: int = 0) -> Iterator[dict[str, object]]:
    """Give the objects of an answer: one, a list, or a list in a list; null stands for nothing."""
    if isinstance(value, dict):
        yield value
    elif isinstance(value, list) and depth < 4:
        for entry in value:
            yield from objects_in(entry, depth + 1)
