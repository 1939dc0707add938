"""The inventory knows a sender of the organisation at this address."""

from __future__ import annotations

from portero.core.flow import FlowKey
from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match the inventory's legitimate senders."""
    held = case.arrival
    if held.sender is None or not held.sender.legitimate or held.boundary.forged:
        return None
    if held.client_ip and case.author in {_author(flow.key) for flow in held.sender.flows}:
        return Text(
            "The inventory knows it: {sender} sends in this name from {address}.",
            sender=held.sender.label,
            address=held.client_ip,
        )
    return None


def _author(key: FlowKey) -> str:
    return key.header_from or key.sender or ""


RULE = Rule(
    id="known-sender",
    title="known to the inventory",
    level="informational",
    weight=-4.0,
    match=match,
    falsepositives=("A device that somebody took over.",),
    references=("contract section 4",),
)
