"""Where findings point: at exported objects, at the document of a cmdlet's answer, or at senders' rows."""

from __future__ import annotations

from collections.abc import Iterable

from portero.core.evidence import ConfigObject, Origin
from portero.core.exchange.settings import Tenant
from portero.core.sender import Sender

# A finding shows where to look; the inventory holds every row.
ORIGINS_SHOWN = 20


def of_objects(items: Iterable[ConfigObject]) -> tuple[Origin, ...]:
    """Give the places of exported objects, each once, in order."""
    return tuple(dict.fromkeys(item.origin for item in items))


def of_answers(tenant: Tenant, *cmdlets: str) -> tuple[Origin, ...]:
    """Give the documents that hold the answers of cmdlets, for a finding that rests on an empty answer too."""
    found = (tenant.origin(cmdlet) for cmdlet in cmdlets)
    return tuple(dict.fromkeys(origin for origin in found if origin is not None))


def of_senders(senders: Iterable[Sender]) -> tuple[Origin, ...]:
    """Give a sample of the rows behind senders."""
    found: dict[Origin, None] = {}
    for sender in senders:
        for rows in sender.facts.origins.values():
            found.update(dict.fromkeys(rows))
        for reason in sender.because:
            found.update(dict.fromkeys(reason.origins))
    return tuple(found)[:ORIGINS_SHOWN]
