"""portero.toml names this sender, or the network it comes from."""

from __future__ import annotations

from portero.core.address import domain_of
from portero.core.flow import FlowKey
from portero.core.message.case import Case, Rule
from portero.core.text import Text


def match(case: Case) -> Text | None:
    """Match the register and the networks of devices and applications."""
    held = case.arrival
    if held.boundary.forged or not held.client_ip:
        return None
    key = FlowKey(
        client_ip=held.client_ip,
        mail_from_domain=None if held.mail_from is None else domain_of(held.mail_from),
        header_from=case.author,
        ehlo=held.boundary.entry.helo if held.boundary.entry else None,
    )
    entry = case.known.configuration.entry_for(key)
    if entry is not None and entry.judgement == "legitimate":
        return Text("The configuration names it: {sender}.", sender=entry.label)
    for place in case.known.configuration.network_map().covering(held.client_ip):
        if place.use in {"devices", "applications"} and held.author_is_ours:
            return Text("It comes from {network}, which the configuration knows.", network=place.name)
    return None


RULE = Rule(
    id="registered",
    title="named in the configuration",
    level="informational",
    weight=-4.0,
    match=match,
    falsepositives=("Whoever else sends from a network that is named as a whole.",),
    references=("contract section 2",),
)
