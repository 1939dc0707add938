"""A DMARC policy of an own domain, published and honoured: which mail under that domain would no longer arrive."""

from __future__ import annotations

from functools import lru_cache

from portero.core.exchange.attribution import Attribution, By, author_domain
from portero.core.exchange.decision import Decision, kept, refused, undetermined
from portero.core.exchange.settings import Settings
from portero.core.flow import FlowKey
from portero.core.text import Text

REPLY = "550 5.7.509 Access denied, sending domain {domain} does not pass DMARC verification"


def dmarc_policy(
    key: FlowKey, attribution: Attribution, settings: Settings, policy: str | None, passes: bool | None
) -> Decision | None:
    """
    Decide what a DMARC policy does to a flow; None when it does not concern it.

    policy:  the one that applies to its visible From; None where the evidence does not say.
    passes:  whether its mail passes DMARC; None where the evidence does not say.
    Mail through OnPremises connectors and submitted mail is not judged by it. With the MX at a gateway and no
    enhanced filtering Exchange Online does not enforce it.
    Source: reference exchange-online 1.7, 2.3 and 5.2 (enforcement matrix).
    """
    domain = author_domain(key)
    if domain is None or attribution.by is By.SUBMITTED:
        return None
    if attribution.exempts and attribution.connector is not None and not attribution.connector.partner:
        return kept(Text("Mail through an OnPremises connector is not judged by DMARC."))
    if judged_in_front(settings):
        return kept(
            Text(
                "The MX is at a gateway without enhanced filtering, so Exchange Online does not enforce DMARC."
            )
        )
    if passes is True:
        return _PASSES
    if policy == "none":
        return kept(
            Text("It may fail DMARC for {domain}, whose policy asks to refuse nothing.", domain=domain)
            if passes is None
            else Text("It fails DMARC for {domain}, whose policy asks to refuse nothing.", domain=domain)
        )
    possible = attribution.connector is not None and not attribution.connector.partner
    if attribution.by is By.UNKNOWN and (key.connector or possible):
        return undetermined(attribution.why)
    if passes is None:
        return _unwitnessed(domain)
    if policy is None:
        return undetermined(
            Text("It fails DMARC for {domain}, whose policy is not in the evidence.", domain=domain)
        )
    if key.header_from is None:
        return undetermined(
            Text("It fails authentication as {domain}, but no witness knows its visible From.", domain=domain)
        )
    return _fails(domain, quarantine=policy == "quarantine")


_PASSES = kept(Text("It passes DMARC."))


# One answer for all mail of a domain, which every replay meets again.
@lru_cache(maxsize=4096)
def _fails(domain: str, *, quarantine: bool) -> Decision:
    if quarantine:
        return refused(None, Text("It fails DMARC for {domain} and would be quarantined.", domain=domain))
    return refused(REPLY.format(domain=domain), Text("It fails DMARC for {domain}.", domain=domain))


@lru_cache(maxsize=4096)
def _unwitnessed(domain: str) -> Decision:
    return undetermined(
        Text(
            "No witness has both the SPF and the DKIM result that DMARC for {domain} needs.",
            domain=domain,
        )
    )


def judged_in_front(settings: Settings) -> bool:
    """Tell whether a gateway takes the mail and hides its clients, so that DMARC is for the gateway alone to enforce."""
    filtering = any(
        held.enabled is not False and (held.skip_last_ip or held.skip_ips) for held in settings.connectors
    )
    return settings.mx_at_microsoft is False and not filtering
