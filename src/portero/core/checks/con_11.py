"""
Partner connectors do not contradict each other, nor shut out senders that we know.

Before: a connector with a Restrict flag covers our own domain; every other sender of that domain, forwarders included, is silently
refused with 550 5.7.51. Or two such connectors cover the same domain with different criteria.

After: each known sender meets every restricting connector that covers its envelope domain, and no address stands on two connectors.

Mend: add the sender to the connector's criteria, or clear its Restrict flag and rely on Reject Direct Send.

Verify: run the audit again; the simulation over recorded mail finds no known sender refused by a connector.

May break: clearing a Restrict flag lets that domain in from anywhere again, as far as Reject Direct Send allows.

Exceptions: none.

Severity: high: a strict connector on our own domain silently refuses every other sender of that domain.
"""

from __future__ import annotations

from portero.core.address import NetworkMap, parse_network
from portero.core.checks.origins import of_answers, of_senders
from portero.core.checks.standing import unread
from portero.core.evidence import ConfigObject
from portero.core.exchange.attribution import Seen, attribute, seen_connectors
from portero.core.exchange.change import putting_in
from portero.core.exchange.decision import Decision
from portero.core.exchange.partner import partner_restriction
from portero.core.exchange.powershell import identity, run
from portero.core.exchange.settings import Absent, InboundConnector, flag, prop
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.sender import Judgement, Sender
from portero.core.simulation import Effect
from portero.core.text import Text


def _judge(posture: Posture) -> Verdict:
    origins = of_answers(posture.tenant, "Get-InboundConnector")
    partners = [
        held
        for held in posture.settings.inbound_connectors or ()
        if held.partner and held.enabled is not False
    ]
    seen = seen_connectors(flow for sender in posture.senders for flow in sender.flows)
    known = [sender for sender in posture.senders if sender.judgement is Judgement.LEGITIMATE]
    decisions = [(sender, decision) for sender in known for decision in _decisions(sender, posture, seen)]
    shut_out = [(sender, each) for sender, each in decisions if each.effect is Effect.REFUSED]
    if shut_out:
        return _shut_out(posture, shut_out, partners)
    items = posture.tenant.objects("Get-InboundConnector") or ()
    untold = [(item, names) for item in items if (names := _untold(item))]
    if untold:
        what = unread(*untold[0]).reason
        return Verdict(Outcome.UNKNOWN, Text("Not known: {silent}.", silent=(what,)), origins)
    shared = _shared(partners)
    if shared:
        return Verdict(
            Outcome.WARN,
            Text(
                "Connectors {names} list the same addresses: {addresses}.",
                names=tuple(dict.fromkeys(name for _, first, second in shared for name in (first, second))),
                addresses=tuple(dict.fromkeys(address for address, _, _ in shared)),
            ),
            origins,
        )
    restricting = tuple(held.name for held in partners if _may_restrict(held))
    if not restricting:
        return Verdict(
            Outcome.PASS,
            Text("No enabled Partner connector restricts its domains, so none shuts out a sender."),
            origins,
        )
    return _restricted(posture, known, decisions, restricting)


def _untold(item: ConfigObject) -> tuple[str, ...]:
    """Name what was not exported of a connector and decides whom it shuts out."""
    if flag(item, "Enabled") is False:
        return ()
    names = ["ConnectorType", "SenderDomains"]
    if flag(item, "RestrictDomainsToIPAddresses") is True:
        names.append("SenderIPAddresses")
    if flag(item, "RestrictDomainsToCertificate") is True:
        names.append("TlsSenderCertificateName")
    return tuple(name for name in names if isinstance(prop(item, name), Absent))


def _restricted(
    posture: Posture,
    known: list[Sender],
    decisions: list[tuple[Sender, Decision]],
    restricting: tuple[str, ...],
) -> Verdict:
    origins = of_answers(posture.tenant, "Get-InboundConnector")
    unclear = [(sender, each) for sender, each in decisions if each.effect is Effect.UNDETERMINED]
    if unclear:
        senders = list({sender.id: sender for sender, _ in unclear}.values())
        return Verdict(
            Outcome.UNKNOWN,
            Text(
                "Whether restricting connectors take the mail of {senders} is not settled. {why}",
                senders=tuple(sender.label for sender in senders),
                why=unclear[0][1].why,
            ),
            (*origins, *of_senders(senders)),
        )
    if not any(sender.flows for sender in known):
        return Verdict(
            Outcome.UNKNOWN,
            Text(
                "Connectors {names} restrict their domains; without mail of known senders nobody can tell whom they shut out.",
                names=restricting,
            ),
            origins,
        )
    return Verdict(
        Outcome.PASS,
        Text("Every known sender meets the restricting connectors: {names}.", names=restricting),
        (*origins, *of_senders(known)),
    )


def _decisions(sender: Sender, posture: Posture, seen: Seen) -> list[Decision]:
    """Replay the connectors over a sender's ways of sending; only what some connector covers answers."""
    found = (
        partner_restriction(flow.key, attribute(flow, posture.settings, seen), posture.settings)
        for flow in sender.flows
    )
    return [decision for decision in found if decision is not None]


def _shut_out(
    posture: Posture, shut_out: list[tuple[Sender, Decision]], partners: list[InboundConnector]
) -> Verdict:
    senders = list({sender.id: sender for sender, _ in shut_out}.values())
    because = Text(
        "Connectors refuse known senders: {senders}. {why}",
        senders=tuple(sender.label for sender in senders),
        why=shut_out[0][1].why,
    )
    origins = (*of_answers(posture.tenant, "Get-InboundConnector"), *of_senders(senders))
    items = {identity(item): item for item in posture.tenant.objects("Get-InboundConnector") or ()}
    changes = [
        change
        for held in partners
        if held.restrict_to_addresses and held.name in items
        for change in putting_in(items[held.name], "SenderIPAddresses", _lacking(held, senders))
    ]
    return Verdict(
        Outcome.FAIL,
        because,
        origins,
        changes=tuple(changes),
        subjects=tuple(str(each.label) for each in senders),
    )


def _lacking(held: InboundConnector, senders: list[Sender]) -> list[str]:
    """Give the addresses of senders that a connector covers and does not list, as far as it takes them."""
    networks = (
        text
        for sender in senders
        if any(map(held.covers, sender.mail_from_domains))
        for text in sender.client_networks
    )
    # Connectors take IPv4 alone. Source: reference exchange-online 1.3.
    return list(
        dict.fromkeys(
            text.removesuffix("/32") for text in networks if ":" not in text and text not in held.addresses
        )
    )


def _may_restrict(held: InboundConnector) -> bool:
    return held.restrict_to_addresses is not False or held.restrict_to_certificate is not False


def _shared(partners: list[InboundConnector]) -> list[tuple[str, str, str]]:
    """Find addresses on more than one connector: of two ranges that overlap, one holds the other's first address."""
    held = [(parse_network(text), text, each.name) for each in partners for text in each.addresses]
    names = NetworkMap((network, name) for network, _, name in held)
    return [
        (text, name, other)
        for network, text, name in held
        for other in names.covering(str(network.network_address))
        if other != name
    ]


CHECK = Check(
    id="CON-11",
    title=Text("Connectors do not contradict each other"),
    severity=Severity.HIGH,
    needs=("Get-InboundConnector",),
    judge=_judge,
    fix=Text(
        "Add the senders to the connector's criteria, or clear its Restrict flags: {command}",
        command="Set-InboundConnector -Identity 'NAME' -RestrictDomainsToIPAddresses $false "
        "-RestrictDomainsToCertificate $false",
    ),
    undo=run(["Set-InboundConnector -Identity 'NAME' -RestrictDomainsToIPAddresses $true"]),
    maps={"NIST": "AC-4, CM-4"},
)
