"""RejectDirectSend: the predicate that refuses anonymous mail whose envelope sender is the organisation's own."""

from __future__ import annotations

from functools import lru_cache

from portero.core.exchange.attribution import Attribution, By, envelope_domain
from portero.core.exchange.decision import Decision, kept, refused, undetermined
from portero.core.exchange.settings import Settings
from portero.core.flow import FlowKey
from portero.core.text import Text

REPLY = "550 5.7.68 TenantInboundAttribution; Direct Send not allowed for this organization from unauthorized sources"


def reject_direct_send(key: FlowKey, attribution: Attribution, settings: Settings) -> Decision:
    """
    Decide what RejectDirectSend, when on, does to a flow.

    Only P1 counts, never P2 nor any authentication result; only a connector that matches by address or certificate
    exempts.
    Source: Set-OrganizationConfig -RejectDirectSend; reference exchange-online 2.2; controls catalogue R1.
    """
    if attribution.by is By.SUBMITTED:
        return kept(attribution.why)
    domain, _ = envelope_domain(key)
    if domain is None:
        return undetermined(
            Text("No witness knows its envelope sender (MAIL FROM), which is all that decides.")
        )
    if domain == "":
        return undetermined(
            Text(
                "Its envelope sender is empty (MAIL FROM:<>); no document says whether such mail is refused."
            )
        )
    accepted = settings.accepted(domain)
    if accepted is False:
        return kept(
            Text(
                "Its envelope domain {domain} is not an accepted domain, and nothing else is looked at.",
                domain=domain,
            )
        )
    if attribution.exempts:
        return kept(attribution.why)
    if accepted is None:
        return undetermined(
            Text(
                "Its envelope domain {domain} lies below an accepted domain; no document says whether the block "
                "reaches it.",
                domain=domain,
            )
        )
    if attribution.by is By.UNKNOWN:
        return undetermined(attribution.why)
    if attribution.by is By.DOMAIN:
        return refused(REPLY, attribution.why)
    return _anonymous(domain)


# One answer for all mail of a domain, which every replay meets again.
@lru_cache(maxsize=4096)
def _anonymous(domain: str) -> Decision:
    return refused(
        REPLY,
        Text("Anonymous mail with the organisation's own envelope domain {domain}.", domain=domain),
    )
