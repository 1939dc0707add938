"""Attribution: which connector, if any, a flow's sessions match, told from what witnesses saw and what is configured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from portero.core.address import NetworkMap, domain_of, parse_network
from portero.core.exchange.settings import InboundConnector, Settings
from portero.core.flow import Flow, FlowKey
from portero.core.sender import Path
from portero.core.text import Text


class By(StrEnum):
    """What ties a session to a connector, or to none."""

    CERTIFICATE = "certificate"
    ADDRESS = "address"
    DOMAIN = "domain"  # sender domains alone: exempts from nothing
    NONE = "none"  # anonymous, and no connector matches
    SUBMITTED = "submitted"  # submitted with credentials or from a mailbox: no connector is concerned
    UNKNOWN = "unknown"  # the evidence does not settle it


# From here every tenant's mail leaves, so an address of these names nobody.
# Source: Microsoft 365 URLs and IP address ranges, Exchange Online, TCP port 25.
EXCHANGE_NETWORKS = (
    "40.92.0.0/15",
    "40.107.0.0/16",
    "52.100.0.0/14",
    "104.47.0.0/17",
    "2a01:111:f400::/48",
    "2a01:111:f403::/48",
)
# Between its own servers, which a trace shows where a hop hides the client. Source: reference data-formats 2, IP cells.
_HOPS = ("2603:1000::/24",)
_SERVERS = (*EXCHANGE_NETWORKS, *_HOPS)


@dataclass(frozen=True, slots=True)
class Attribution:
    """
    How a flow's sessions are attributed.

    connector:  the connector they match, or the one that makes the answer unknown.
    why:        the reason in one sentence.
    """

    by: By
    connector: InboundConnector | None
    why: Text

    @property
    def exempts(self) -> bool:
        """
        Tell whether RejectDirectSend leaves such mail alone on account of a connector.

        Source: Set-OrganizationConfig -RejectDirectSend, connectors that match by address or certificate.
        """
        return self.by in {By.CERTIFICATE, By.ADDRESS}


@dataclass(frozen=True, slots=True)
class Seen:
    """
    What connector-knowing witnesses saw by client address, for mail of the same address that only a summary saw.

    connectors:  by canonical address, the connector names seen; "" stands for none.
    """

    connectors: Mapping[str, frozenset[str]] = field(default_factory=dict)


def seen_connectors(flows: Iterable[Flow]) -> Seen:
    """Collect which connectors each client address was seen with."""
    found: dict[str, frozenset[str]] = {}
    alone: dict[str, frozenset[str]] = {}
    for flow in flows:
        address, name = flow.key.client_ip, flow.key.connector
        # Without a connector, only anonymous mail tells that the address matches none.
        if address and name is not None and (name or flow.key.direction != "originating"):
            held = found.get(address)
            if held is None:
                found[address] = alone.setdefault(name, frozenset([name]))
            elif name not in held:
                found[address] = held | {name}
    return Seen(found)


def attribute(flow: Flow, settings: Settings, seen: Seen) -> Attribution:
    """
    Attribute a flow under given settings.

    A connector named by a witness decides before the direction does, because mail through an OnPremises connector
    is of direction Originating too. Where no witness names one, addresses are matched against the exported
    connectors; a certificate is never guessed.
    Source: reference exchange-online 1.2 to 1.5; contract section 4.
    """
    key = flow.key
    name = _named(key, seen, settings)
    if name:
        return _by_name(key, name, settings)
    if key.direction == "originating":
        return Attribution(By.SUBMITTED, None, _submitted(key))
    if name is None and key.client_ip == "" and key.direction is None:
        return Attribution(By.SUBMITTED, None, _submitted(key))
    return _by_address(flow, name, settings)


def _submitted(key: FlowKey) -> Text:
    if not key.client_ip:
        return Text("Sent from inside the organisation: the trace shows no client address.")
    return Text("Submitted with credentials: the direction is Originating and no connector took it.")


def _named(key: FlowKey, seen: Seen, settings: Settings) -> str | None:
    """Give the connector's name by the flow's witness, or by another witness of the same address when all agree."""
    if key.connector is not None:
        return key.connector
    names = seen.connectors.get(key.client_ip or "", frozenset())
    if len(names) != 1:
        return None
    (name,) = names
    held = settings.connector(name) if name else None
    # The witness saw mail of a domain that the connector takes; this may be mail of another.
    return name if held is None or _in_scope(held, key) else None


def _in_scope(held: InboundConnector, key: FlowKey) -> bool:
    """
    Tell whether a connector takes mail of this P1 domain, or of the traced sender's where P1 is not known.

    Source: reference exchange-online 1.4, AssociatedAcceptedDomains; contract section 4, the sender column.
    """
    return not held.associated_domains or envelope_domain(key)[0] in held.associated_domains


def _by_name(key: FlowKey, name: str, settings: Settings) -> Attribution:
    if name.lower() in settings.removed and settings.connector(name) is None:
        return _matching(key, settings) or Attribution(
            By.NONE, None, Text("Connector “{name}”, which took it, is off.", name=name)
        )
    if settings.inbound_connectors is None:
        added = _matching(key, settings)
        if added is not None:
            return added
        return Attribution(
            By.UNKNOWN,
            None,
            Text(
                "Connector “{name}” took it; without Get-InboundConnector nobody knows what it matches by.",
                name=name,
            ),
        )
    held = settings.connector(name)
    if held is None or held.enabled is False:
        elsewhere = _matching(key, settings)
        if elsewhere is not None:
            return elsewhere
    if held is None:
        return Attribution(
            By.UNKNOWN, None, Text("Connector “{name}” took it, but the export does not hold it.", name=name)
        )
    if held.enabled is False:
        return Attribution(By.NONE, held, Text("Connector “{name}”, which took it, is off.", name=name))
    if not held.identifies:
        # Sender domains are the weakest match, so a connector that a control adds by address comes before them.
        # Source: reference exchange-online 1.4.
        added = _matching(key, settings)
        if added is not None and added.connector is not None and added.connector.presumed:
            return added
    return _criterion(held, key)


def _criterion(held: InboundConnector, key: FlowKey) -> Attribution:
    """Tell by what a connector that a witness named matches."""
    name = held.name
    if not held.identifies:
        return Attribution(
            By.DOMAIN,
            held,
            Text("Connector “{name}” names only sender domains, so it exempts nothing.", name=name),
        )
    if held.presumed or not held.partner:
        by = By.CERTIFICATE if held.certificate else By.ADDRESS
        return Attribution(by, held, _matched(by, name))
    if held.restrict_to_certificate and held.certificate:
        return Attribution(By.CERTIFICATE, held, _matched(By.CERTIFICATE, name))
    if held.restrict_to_addresses and _holds(held, key.client_ip):
        return Attribution(By.ADDRESS, held, _matched(By.ADDRESS, name))
    return Attribution(By.UNKNOWN, held, _without_restriction(name))


def _matched(by: By, name: str) -> Text:
    if by is By.CERTIFICATE:
        return Text("Connector “{name}” matches it by certificate.", name=name)
    return Text("Connector “{name}” matches it by address.", name=name)


def _without_restriction(name: str) -> Text:
    return Text(
        "Partner connector “{name}” lists addresses or a certificate without a Restrict flag: Microsoft's documents "
        "disagree on whether it then identifies the sender.",
        name=name,
    )


@lru_cache(maxsize=1024)
def networks(texts: tuple[str, ...]) -> NetworkMap[str]:
    """Index address ranges given as CIDR texts."""
    return NetworkMap((parse_network(text), text) for text in texts)


def through_gateway(key: FlowKey, settings: Settings) -> bool:
    """Tell whether mail came through the gateway: from its networks or, where nobody saw an address, by its connector."""
    if key.client_ip:
        return within(key.client_ip, settings.gateway_networks)
    return (key.connector or "").lower() in settings.gateway_connectors


def within(address: str | None, ranges: tuple[str, ...]) -> bool:
    """Tell whether a known client address lies in one of some ranges."""
    return address in networks(ranges) if address and ranges else False


def of_exchange(address: str | None) -> bool:
    """Tell whether a client address is one of Exchange Online's own servers, which names no client."""
    return address in networks(_SERVERS) if address else False


def _holds(held: InboundConnector, address: str | None) -> bool:
    return within(address, held.addresses)


def _matching(key: FlowKey, settings: Settings) -> Attribution | None:
    """Match by address against the connectors that are on; certain matches first."""
    doubtful: Attribution | None = None
    for held in settings.by_address.covering(key.client_ip) if key.client_ip else ():
        if not _in_scope(held, key):
            continue
        if held.presumed or (held.partner and held.restrict_to_addresses):
            return Attribution(By.ADDRESS, held, _matched(By.ADDRESS, held.name))
        if not held.partner and not held.certificate:
            return Attribution(By.ADDRESS, held, _matched(By.ADDRESS, held.name))
        doubtful = Attribution(By.UNKNOWN, held, _without_restriction(held.name))
    return doubtful


def _by_address(flow: Flow, name: str | None, settings: Settings) -> Attribution:
    key = flow.key
    found = _matching(key, settings)
    if settings.inbound_connectors is None and name is None and found is None:
        return Attribution(
            By.UNKNOWN,
            None,
            Text("No witness says whether a connector took it, and Get-InboundConnector was not exported."),
        )
    if found is not None:
        contradicted = name == "" and found.connector is not None and not found.connector.presumed
        if not contradicted:
            return found
        held = found.connector
        return Attribution(
            By.UNKNOWN,
            held,
            Text(
                "Connector “{name}” lists its address, yet the recorded mail shows no connector: it may be newer "
                "than the mail, or not match.",
                name=held.name if held else "",
            ),
        )
    if name is None and key.client_ip is None and key.direction is None:
        return Attribution(
            By.UNKNOWN,
            None,
            Text("No witness shows where it came from: neither address, connector nor direction."),
        )
    # Mail to people outside was submitted here, whichever of its servers handed it on.
    if name is None and key.direction is None and of_exchange(key.client_ip) and not flow.facts.outside:
        return Attribution(
            By.UNKNOWN,
            None,
            Text(
                "{address} is Exchange Online's own address: a trace summary does not show whether a mailbox here sent it, "
                "another organisation, or a client that a hop hides.",
                address=key.client_ip,
            ),
        )
    added = _perhaps_added(key, settings)
    if added is not None:
        return added
    if name is None:
        doubt = _may_be_certificate(key, settings)
        if doubt is not None:
            return doubt
        mailbox = key.header_from or key.sender or ""
        if key.client_ip and key.client_ip in settings.smtp_auth_clients.get(mailbox, {}):
            return Attribution(
                By.UNKNOWN,
                None,
                Text(
                    "{mailbox} signs in to SMTP AUTH from this address, so that it may be submitted with credentials; a trace "
                    "summary does not show it.",
                    mailbox=mailbox,
                ),
            )
        if flow.facts.outside and key.client_ip:
            return Attribution(
                By.SUBMITTED,
                None,
                Text(
                    "It reached recipients outside, which anonymous mail cannot: it was submitted with credentials."
                ),
            )
    return _ANONYMOUS


# Most mail of an attack; one value for all of it, which every replay meets again.
_ANONYMOUS = Attribution(By.NONE, None, Text("Anonymous: no connector matches it by address or certificate."))


def _perhaps_added(key: FlowKey, settings: Settings) -> Attribution | None:
    """Leave open whether a connector that a control adds by address lists an address that nobody recorded."""
    if key.client_ip:
        return None
    for held in settings.added:
        if held.addresses and held.enabled is not False and _in_scope(held, key):
            return Attribution(
                By.UNKNOWN,
                held,
                Text("No witness shows its address, which connector “{name}” may list.", name=held.name),
            )
    return None


def _may_be_certificate(key: FlowKey, settings: Settings) -> Attribution | None:
    for held in settings.connectors:
        if held.enabled is not False and held.certificate and not held.presumed and _in_scope(held, key):
            return Attribution(
                By.UNKNOWN,
                held,
                Text(
                    "Only a trace summary saw it, which does not show connectors: connector “{name}” may have taken it "
                    "by certificate.",
                    name=held.name,
                ),
            )
    return None


def envelope_domain(key: FlowKey) -> tuple[str | None, bool]:
    """
    Give the P1 domain that decides, and whether it is only assumed from the traced sender.

    Source: contract section 4, the sender column of a trace summary.
    """
    if key.mail_from_domain is not None:
        return key.mail_from_domain, False
    if key.sender is not None:
        return domain_of(key.sender), True
    return None, False


def author_domain(key: FlowKey) -> str | None:
    """Give the domain of P2, or of the traced sender where P2 is not known."""
    if key.header_from is not None:
        return domain_of(key.header_from)
    return domain_of(key.sender) if key.sender is not None else None


def path_of(flow: Flow, settings: Settings, attribution: Attribution) -> Path:
    """
    Tell how Exchange Online takes a flow's mail.

    Source: contract section 4, SENDER path.
    """
    if attribution.by is By.SUBMITTED:
        client = flow.key.client_ip and not of_exchange(flow.key.client_ip)
        return Path.AUTHENTICATED if client else Path.INTERNAL
    if attribution.exempts:
        return Path.CONNECTOR
    if attribution.by is By.UNKNOWN and flow.key.connector:
        return Path.CONNECTOR
    domain, _ = envelope_domain(flow.key)
    if domain is None:
        return Path.UNDETERMINED
    accepted = settings.accepted(domain) if domain else False
    if accepted is False:
        return Path.FOREIGN_ENVELOPE
    if attribution.by is By.UNKNOWN or accepted is None:
        return Path.UNDETERMINED
    return Path.DIRECT_SEND
