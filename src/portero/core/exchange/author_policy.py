"""A published DMARC policy of an own domain, honoured: which recorded mail under that domain would no longer arrive."""

from __future__ import annotations

from portero.core.address import is_at_or_below
from portero.core.exchange.attribution import Attribution, By, author_domain, envelope_domain
from portero.core.exchange.decision import Decision, kept, refused, undetermined
from portero.core.exchange.settings import Settings
from portero.core.flow import Facts, FlowKey
from portero.core.text import Text

REPLY = "550 5.7.509 Access denied, sending domain {domain} does not pass DMARC verification"


def dmarc_policy(key: FlowKey, facts: Facts, attribution: Attribution, settings: Settings) -> Decision | None:
    """
    Decide what a simulated DMARC policy does to a flow; None when no simulated policy concerns it.

    Mail through OnPremises connectors and submitted mail is not judged by it. With the MX at a gateway and no
    enhanced filtering Exchange Online does not enforce it.
    Source: reference exchange-online 1.7, 2.3 and 5.2 (enforcement matrix).
    """
    domain = author_domain(key)
    policy = _policy(domain, settings)
    if domain is None or policy is None or policy == "none":
        return None
    if attribution.by is By.SUBMITTED:
        return None
    if attribution.exempts and attribution.connector is not None and not attribution.connector.partner:
        return kept(Text("Mail through an OnPremises connector is not judged by DMARC."))
    if settings.mx_at_microsoft is False and not _enhanced_filtering(settings):
        return kept(
            Text(
                "The MX is at a gateway without enhanced filtering, so Exchange Online does not enforce DMARC."
            )
        )
    passes = dmarc_result(key, facts)
    if passes is True:
        return kept(Text("It passes DMARC."))
    if attribution.by is By.UNKNOWN and key.connector:
        return undetermined(attribution.why)
    if passes is None:
        return undetermined(
            Text(
                "No witness has both the SPF and the DKIM result that DMARC for {domain} needs.",
                domain=domain,
            )
        )
    if key.header_from is None:
        return undetermined(
            Text("It fails authentication as {domain}, but no witness knows its visible From.", domain=domain)
        )
    if policy == "quarantine":
        return refused(None, Text("It fails DMARC for {domain} and would be quarantined.", domain=domain))
    return refused(REPLY.format(domain=domain), Text("It fails DMARC for {domain}.", domain=domain))


def _policy(domain: str | None, settings: Settings) -> str | None:
    if domain is None:
        return None
    covering = [name for name in settings.policies if is_at_or_below(domain, name)]
    return settings.policies[max(covering, key=len)] if covering else None


def _enhanced_filtering(settings: Settings) -> bool:
    return any(
        held.enabled is not False and (held.skip_last_ip or held.skip_ips) for held in settings.connectors
    )


def dmarc_result(key: FlowKey, facts: Facts) -> bool | None:
    """
    Tell whether a flow's mail passes DMARC by what witnesses recorded; None where they do not settle it.

    A receiver writes ``dmarc=none`` while no policy is published; then SPF and DKIM with their alignment decide.
    Source: RFC 9989 section 4.4 (alignment); Exchange Online's Authentication-Results.
    """
    if set(facts.dmarc) and not set(facts.dmarc) - {"pass", "bestguesspass"}:
        return True
    if set(facts.dmarc) and not set(facts.dmarc) - {"fail"}:
        return False
    author = author_domain(key)
    envelope, assumed = envelope_domain(key)
    if author is None or assumed:
        return None
    aligned = bool(envelope) and (
        is_at_or_below(envelope or "", author) or is_at_or_below(author, envelope or "")
    )
    if aligned and set(facts.spf) == {"pass"}:
        return True
    signed = [
        name for name in facts.dkim_domains if is_at_or_below(name, author) or is_at_or_below(author, name)
    ]
    if signed and set(facts.dkim) == {"pass"}:
        return True
    spf_fails = bool(facts.spf) and ("pass" not in facts.spf or not aligned)
    dkim_fails = bool(facts.dkim) and "pass" not in facts.dkim
    return False if spf_fails and dkim_fails else None
