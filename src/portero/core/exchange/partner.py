"""Partner connectors as a lock: mail of the domains they cover is refused unless it meets their address or certificate."""

from __future__ import annotations

from portero.core.exchange.attribution import Attribution, By, envelope_domain, within
from portero.core.exchange.decision import Decision, kept, refused, undetermined
from portero.core.exchange.settings import InboundConnector, Settings
from portero.core.flow import FlowKey
from portero.core.text import Text

REPLY = (
    "550 5.7.51 TenantInboundAttribution; There is a partner connector configured that matched the message's "
    "recipient domain. The connector had either the RestrictDomainsToIPAddresses or RestrictDomainsToCertificate set"
)


def partner_restriction(
    key: FlowKey, attribution: Attribution, settings: Settings, *, standing: bool = True
) -> Decision | None:
    """
    Decide what the restricting Partner connectors do to a flow; None when none of them covers it.

    Where one that covers it is met and another is not, or another connector took the mail, Microsoft does not say
    which wins: undetermined.
    standing:  whether the locks that are on already are asked too; recorded mail got in past those.
    Source: New-InboundConnector (both Restrict flags); reference exchange-online 1.4, 1.6 and 2.3.
    """
    if attribution.by is By.SUBMITTED:
        return None
    locks = [held for held in settings.locks if held.presumed or standing]
    if not locks:
        return None
    domain, _ = envelope_domain(key)
    if domain is None:
        return undetermined(
            Text("No witness knows its envelope sender (MAIL FROM), by which Partner connectors choose.")
        )
    covering = [held for held in locks if held.covers(domain)]
    if not covering:
        return None
    unreadable = [held for held in covering if held.unreadable]
    if unreadable:
        return undetermined(
            Text("What connector “{name}” restricts mail to is not known.", name=unreadable[0].name)
        )
    unmet = [held for held in covering if not _met(held, key, attribution, settings)]
    if not unmet:
        return kept(Text("It meets the restriction of connector “{name}”.", name=covering[0].name))
    name = unmet[0].name
    if domain == "":
        return undetermined(
            Text(
                "Its envelope sender is empty (MAIL FROM:<>); no document says whether connector “{name}” covers it.",
                name=name,
            )
        )
    if len(unmet) < len(covering):
        return undetermined(
            Text(
                "It meets one Partner connector and not connector “{name}”; which wins is not documented.",
                name=name,
            )
        )
    if attribution.exempts:
        other = attribution.connector.name if attribution.connector else ""
        return undetermined(
            Text(
                "Connector “{other}” takes it, yet its address or certificate is not in the lock “{name}”; which wins "
                "is not documented.",
                other=other,
                name=name,
            )
        )
    if attribution.by is By.UNKNOWN:
        return undetermined(attribution.why)
    if not key.client_ip:
        return undetermined(
            Text(
                "No witness shows its address, by which connector “{name}” would tell whether to take it.",
                name=name,
            )
        )
    return refused(
        REPLY, Text("Its address or certificate is not among those of connector “{name}”.", name=name)
    )


def _met(held: InboundConnector, key: FlowKey, attribution: Attribution, settings: Settings) -> bool:
    if held.restrict_to_addresses and held.addresses:
        return within(key.client_ip, held.addresses)
    if attribution.connector is not None and attribution.by is By.CERTIFICATE:
        return same_certificate(held.certificate or "", attribution.connector.certificate or "")
    # A lock by certificate is made for the gateway, which presents it from every address it uses.
    return within(key.client_ip, settings.gateway_networks)


def same_certificate(required: str, presented: str) -> bool:
    """
    Tell whether a required certificate name covers a presented one.

    ``*.contoso.com`` covers names one or more labels below.
    Source: New-InboundConnector -TlsSenderCertificateName; reference exchange-online 1.4.
    """
    required, presented = required.lower(), presented.lower()
    return required == presented or (required.startswith("*.") and presented.endswith(required[1:]))
