"""A mail flow rule on anonymous mail in the own name: what it quarantines, or in audit mode only reports."""

from __future__ import annotations

from functools import lru_cache

from portero.core.address import domain_of
from portero.core.exchange.attribution import Attribution, By, within
from portero.core.exchange.change import Change, making
from portero.core.exchange.decision import Decision, refused, undetermined
from portero.core.exchange.settings import Settings
from portero.core.flow import FlowKey
from portero.core.text import Text

RULE_NAME = "portero anonymous own name"


def own_name_rule(key: FlowKey, attribution: Attribution, settings: Settings) -> Decision | None:
    """
    Decide what the rule of the settings does to a flow, as if it were enforced; None where it does not concern it.

    The rule asks for the header AuthAs with Anonymous, and for an own domain, or one below, in From or envelope. It is
    taken to see that header, which a test in the tenant must show first. Whether mail that a connector took counts as
    anonymous no document says. Its exceptions are last hops.
    Source: reference exchange-online 1.5, 2.6 and 6.4; New-TransportRule -SenderAddressLocation, -SenderDomainIs.
    """
    rule = settings.mail_rule
    if rule is None or attribution.by is By.SUBMITTED:
        return None
    written = (key.header_from, key.sender)
    named = [domain_of(each) for each in written if each] + [key.mail_from_domain or ""]
    ours = next((domain for domain in named if settings.names_us(domain)), None)
    if ours is None:
        if key.header_from is not None and key.mail_from_domain is not None:
            return None
        return undetermined(Text("No witness knows both its From and its envelope sender (MAIL FROM)."))
    if rule.exceptions:
        if key.client_ip is None:
            return undetermined(Text("No witness knows its address, by which the rule makes exceptions."))
        if within(key.client_ip, rule.exceptions):
            return None
    held = attribution.connector
    if attribution.by is By.UNKNOWN:
        return undetermined(attribution.why)
    if attribution.by is not By.NONE and held is not None:
        if not held.partner and held.treat_as_internal:
            return None
        return undetermined(
            Text(
                "Connector “{name}” takes it; no document says whether rules see such mail as anonymous.",
                name=held.name,
            )
        )
    return _caught(ours)


# One answer for all mail of a domain, which every replay meets again.
@lru_cache(maxsize=4096)
def _caught(domain: str) -> Decision:
    return refused(
        None,
        Text("The mail flow rule finds it anonymous under {domain} and would quarantine it.", domain=domain),
    )


def rule_changes(settings: Settings) -> tuple[Change, ...]:
    """
    Make the rule of the settings; none where there is no rule, or no accepted domain to name.

    Source: reference exchange-online 6.4: quarantine rather than refuse, for a bounce would go to the spoofed colleague.
    """
    rule, domains = settings.mail_rule, [held.name for held in settings.accepted_domains]
    if rule is None or not domains:
        return ()
    return making(
        "TransportRule",
        RULE_NAME,
        {
            "Mode": "Enforce" if rule.enforced else "Audit",
            "SenderDomainIs": domains,
            "SenderAddressLocation": "HeaderOrEnvelope",
            "HeaderContainsMessageHeader": "X-MS-Exchange-Organization-AuthAs",
            "HeaderContainsWords": "Anonymous",
            **({"ExceptIfSenderIpRanges": list(rule.exceptions)} if rule.exceptions else {}),
            # What audit mode would not do must not become graver when somebody enforces the rule.
            **(
                {"Quarantine": True}
                if rule.enforced
                else {"SetHeaderName": "X-DS-Seen", "SetHeaderValue": "1"}
            ),
        },
    )
