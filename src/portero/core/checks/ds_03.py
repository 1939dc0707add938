"""
Each legitimate sender that does not authenticate is attributed to a connector that matches its address or certificate.

Before: scanners and applications arrive as anonymous mail; the day Reject Direct Send goes on, they are refused.

After: their recent mail carries the name of a connector, and that connector names their address or certificate. A connector
that names only sender domains does not count.

Mend: create an inbound connector of type Partner for the sender's address, better for its certificate, and send a test. A
service's shared servers, a forwarder and a machine that moves need another way in; the plan names it.

Verify: the Receive event of a new message from the sender names the connector.

May break: a connector on an address that guests or other tenants share lets them mail as us. The cmdlet's help says that
addresses of Partner connectors count only with RestrictDomainsToIPAddresses, the admin centre creates them without: prove the
attribution with a test message before the switch.

Exceptions: senders that can move to authenticated submission, which is better.

Severity: high: without it closing the door cuts the sender off.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network

from portero.core.address import parse_network
from portero.core.checks.origins import of_senders
from portero.core.exchange.change import Change
from portero.core.exchange.new_connector import new_connector
from portero.core.exchange.powershell import run
from portero.core.exchange.settings import InboundConnector
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.sender import Judgement, Path, Sender
from portero.core.text import Text, count, sentences
from portero.core.ways_in import Way, meet_neighbours, unasked, way_in

_CONCERNED = {Path.DIRECT_SEND, Path.CONNECTOR, Path.UNDETERMINED}


def _judge(posture: Posture) -> Verdict:
    concerned = [sender for sender in posture.senders if sender.path in _CONCERNED]
    ours = [sender for sender in concerned if sender.judgement is Judgement.LEGITIMATE]
    standing = {sender.id: _standing(sender, posture) for sender in ours}
    for outcome in (Outcome.FAIL, Outcome.WARN, Outcome.UNKNOWN):
        found = [sender for sender in ours if standing[sender.id] is outcome]
        if found:
            return _verdict(outcome, found, posture)
    undecided = [sender for sender in concerned if sender.judgement is Judgement.UNDECIDED]
    if undecided:
        return Verdict(
            Outcome.UNKNOWN,
            count(
                "Nobody has decided whether {n} sender that does not authenticate is legitimate: {senders}.",
                "Nobody has decided whether {n} senders that do not authenticate are legitimate: {senders}.",
                len(undecided),
                senders=tuple(sender.label for sender in undecided),
            ),
            of_senders(undecided),
        )
    if not ours:
        return Verdict(
            Outcome.NOT_APPLICABLE, Text("No legitimate sender was seen that does not authenticate.")
        )
    return Verdict(
        Outcome.PASS,
        Text("Every legitimate sender that does not authenticate is attributed to a connector."),
        of_senders(ours),
    )


def _standing(sender: Sender, posture: Posture) -> Outcome:
    """Tell how a legitimate sender stands; Outcome.PASS where its mail carries a connector that identifies it."""
    if sender.path is Path.UNDETERMINED:
        return Outcome.UNKNOWN
    if sender.path is Path.CONNECTOR:
        held = posture.settings.connector(sender.connector or "")
        if held is None:
            return Outcome.UNKNOWN
        return Outcome.PASS if held.identifies else Outcome.WARN
    enabled = [held for held in posture.settings.inbound_connectors or () if held.enabled is not False]
    listing = any(_lists(held, sender) for held in enabled)
    by_domain = any(
        not held.identifies and any(map(held.covers, sender.mail_from_domains)) for held in enabled
    )
    return Outcome.WARN if by_domain and not listing else Outcome.FAIL


def _lists(connector: InboundConnector, sender: Sender) -> bool:
    held = list(_ipv4(connector.addresses))
    return any(network.overlaps(other) for network in _ipv4(sender.client_networks) for other in held)


def _ipv4(texts: Iterable[str]) -> Iterable[IPv4Network]:
    """Exchange Online's connectors take IPv4 alone. Source: reference exchange-online 1.3."""
    for text in texts:
        network = parse_network(text)
        if isinstance(network, IPv4Network):
            yield network


def _verdict(outcome: Outcome, senders: list[Sender], posture: Posture) -> Verdict:
    labels = tuple(sender.label for sender in senders)
    if outcome is Outcome.UNKNOWN:
        because = Text(
            "Which connector takes the mail of {senders} is not known. A trace that names connectors (Extended, detail, "
            "EmailEvents) and Get-InboundConnector would tell.",
            senders=labels,
        )
    elif outcome is Outcome.WARN:
        because = Text(
            "Only connectors by sender domain cover {senders}, and Reject Direct Send does not consider those.",
            senders=labels,
        )
    else:
        because = Text("The mail of {senders} is attributed to no connector.", senders=labels)
    if outcome is Outcome.UNKNOWN:
        return Verdict(outcome, because, of_senders(senders), subjects=tuple(map(str, labels)))
    changes, served = _connectors(senders, posture)
    others = tuple(sender.label for sender in senders if sender.id not in served)
    if changes and others:
        because = sentences(
            [
                because,
                Text(
                    "No command stands here for {others}: their owners have to vouch for them first, or another way in "
                    "serves them, which the plan names.",
                    others=others,
                ),
            ]
        )
    return Verdict(outcome, because, of_senders(senders), changes=changes, subjects=tuple(map(str, labels)))


def _connectors(senders: Sequence[Sender], posture: Posture) -> tuple[tuple[Change, ...], frozenset[str]]:
    """
    Make one connector for each list of addresses, of senders whose own they are and for whom more than behaviour speaks.

    Servers that others send from too would admit these as well, so nobody is handed a command for them.
    """
    neighbours = meet_neighbours(posture.senders)
    by_addresses: dict[tuple[str, ...], list[Sender]] = {}
    for sender in senders:
        four = tuple(text for text in sender.client_networks if ":" not in text)
        if four and unasked(sender) and way_in(sender, sender.flows, neighbours) is Way.CONNECTOR:
            by_addresses.setdefault(four, []).append(sender)
    changes: list[Change] = []
    served: set[str] = set()
    for four, held in by_addresses.items():
        made = new_connector(f"Direct Send: {held[0].label}"[:64], four)
        changes += made
        served.update(sender.id for sender in held if made)
    return tuple(changes), frozenset(served)


CHECK = Check(
    id="DS-03",
    title=Text(
        "Each legitimate unauthenticated sender is attributed to a connector by address or certificate"
    ),
    severity=Severity.HIGH,
    needs=("mail", "Get-InboundConnector"),
    judge=_judge,
    fix=Text(
        "Give each sender the way in that the plan names. Where that is a connector, better by the sender's certificate: "
        "{command}",
        command="New-InboundConnector -Name 'NAME' -ConnectorType Partner -SenderDomains '*' "
        "-TlsSenderCertificateName 'NAME-IN-ITS-CERTIFICATE' -RequireTls $true -Enabled $true",
    ),
    undo=run(["Remove-InboundConnector -Identity 'NAME' -Confirm:$false"]),
    maps={"NIST": "SC-7(5), AC-4", "ATT&CK": "T1672"},
)
