"""
Where mail is meant to enter through a gateway, the way around the gateway is locked.

Before: the MX points at a filtering service, yet anyone may hand mail straight to the tenant's endpoint; the gateway is paid for
and walked around, whoever the mail claims to be from.

After: an enabled Partner connector for sender domain * refuses whatever does not come with the gateway's certificate or from
its addresses, with 550 5.7.51.

Mend: create the connector switched off, repeat every legitimate direct sender in a connector of its own, then enable it in a
window.

Verify: a test from any other address is answered 550 5.7.51; mail through the gateway still arrives.

May break: whatever talks straight to the tenant: hybrid servers, devices without a connector, answers from partners that
remember the old MX, journaling. Find it in 30 days of trace: sources that are neither gateway nor on a connector.

Exceptions: one more Partner connector for each legitimate direct sender. Domains whose MX is Microsoft's cannot share a tenant
with such a lock unless their senders are listed.

Severity: critical: the gateway is paid for and walked around, and what DS-01 never touches, spoofing of others included, comes
in.
"""

from __future__ import annotations

from dataclasses import dataclass

from portero.core.address import IPNetwork, a_label, client_address, is_at_or_below, lies_in, parse_network
from portero.core.checks.certificates import subject
from portero.core.checks.origins import of_answers
from portero.core.dns import DnsStatus
from portero.core.evidence import ConfigObject, Origin
from portero.core.exchange.change import Change, setting
from portero.core.exchange.exchangers import MICROSOFT_MX, read_exchangers
from portero.core.exchange.new_connector import new_connector
from portero.core.exchange.powershell import run
from portero.core.exchange.settings import InboundConnector
from portero.core.finding import Check, Outcome, Posture, Severity, Verdict
from portero.core.mail.dmarc_discovery import registrable_domain
from portero.core.text import Text

_NAME = "Only via gateway"


@dataclass(frozen=True, slots=True)
class _Mx:
    gateway: tuple[str, ...]  # domains whose MX is somewhere else than at Microsoft
    silent: tuple[str, ...]  # domains whose MX nobody asked for
    origins: tuple[Origin, ...]


def _judge(posture: Posture) -> Verdict:
    mx = _exchangers(posture)
    if not mx.gateway:
        return _without_gateway(mx)
    origins = (*mx.origins, *of_answers(posture.tenant, "Get-InboundConnector"))
    held = [
        each
        for each in posture.settings.inbound_connectors or ()
        if each.enabled is not False and each.partner and "*" in each.sender_domains
    ]
    locks = [each for each in held if each.enabled and _locks(each)]
    if not locks:
        unclear = [each for each in held if _unclear(each)]
        if unclear:
            return Verdict(
                Outcome.UNKNOWN,
                Text(
                    "The export does not say whether connector “{name}” is on and restricts.",
                    name=unclear[0].name,
                ),
                origins,
            )
        changes = _lock(posture, origins)
        return Verdict(
            Outcome.FAIL,
            Text(
                "Mail for {domains} enters through a gateway, and no connector keeps others from walking around it.",
                domains=mx.gateway,
            ),
            origins,
            fix=_asked(changes),
            changes=changes,
        )
    return _locked(posture, locks, origins)


def _without_gateway(mx: _Mx) -> Verdict:
    if mx.silent:
        return Verdict(
            Outcome.UNKNOWN,
            Text(
                "Where the MX of {domains} points is not in the evidence. Add DNS answers.", domains=mx.silent
            ),
        )
    return Verdict(
        Outcome.NOT_APPLICABLE,
        Text("No domain's MX points at a gateway: mail enters at Microsoft."),
        mx.origins,
    )


def _exchangers(posture: Posture) -> _Mx:
    gateway: list[str] = []
    silent: list[str] = []
    origins: list[Origin] = []
    for held in posture.settings.accepted_domains:
        answer = posture.dns.lookup(held.name, "MX")
        hosts = [a_label(text.split()[-1]) for text in answer.answers if text.split()]
        # RFC 7505: an MX of "." says that the domain takes no mail.
        outside = [
            host for host in hosts if host and not any(is_at_or_below(host, ms) for ms in MICROSOFT_MX)
        ]
        if answer.origin is not None:
            origins.append(answer.origin)
        if outside:
            gateway.append(held.name)
        elif answer.status not in {DnsStatus.NOERROR, DnsStatus.NXDOMAIN} and not _microsofts(held.name):
            silent.append(held.name)
    known = posture.settings.mx_at_microsoft
    if known is False and not gateway:
        return _Mx(
            tuple(silent) or tuple(held.name for held in posture.settings.accepted_domains),
            (),
            tuple(origins),
        )
    return _Mx(tuple(gateway), () if known else tuple(silent), tuple(dict.fromkeys(origins)))


def _microsofts(domain: str) -> bool:
    """Tell whether a domain is one of Microsoft's own names, whose MX it keeps at Microsoft."""
    return is_at_or_below(domain, "onmicrosoft.com")


def _locks(held: InboundConnector) -> bool:
    return bool(
        (held.restrict_to_certificate and held.certificate) or (held.restrict_to_addresses and held.addresses)
    )


def _unclear(held: InboundConnector) -> bool:
    flags = (held.enabled, held.restrict_to_addresses, held.restrict_to_certificate)
    return None in flags and (_locks(held) or held.enabled is True) and held.identifies


def _locked(posture: Posture, locks: list[InboundConnector], origins: tuple[Origin, ...]) -> Verdict:
    by_certificate = [each for each in locks if each.restrict_to_certificate and each.certificate]
    if by_certificate:
        return _by_certificate(posture, by_certificate[0], origins)
    lock = locks[0]
    seen = _gateway_networks(posture)
    if not seen:
        return Verdict(
            Outcome.UNKNOWN,
            Text(
                "Connector “{name}” locks the tenant to {addresses}; neither the MX hosts' addresses nor a trace of other "
                "people's mail shows whether these are the gateway's.",
                name=lock.name,
                addresses=lock.addresses,
            ),
            origins,
        )
    own = [parse_network(text) for text in _own_servers(posture)]
    foreign = tuple(text for text in lock.addresses if not _belongs(parse_network(text), seen, own))
    if foreign:
        return Verdict(
            Outcome.WARN,
            Text(
                "Connector “{name}” also lets in addresses from which no mail of the gateway's was seen: {addresses}.",
                name=lock.name,
                addresses=foreign,
            ),
            origins,
            subjects=(lock.name,),
        )
    return Verdict(
        Outcome.PASS,
        Text("Connector “{name}” refuses mail from other addresses than the gateway's.", name=lock.name),
        origins,
    )


def _by_certificate(posture: Posture, lock: InboundConnector, origins: tuple[Origin, ...]) -> Verdict:
    """Believe a lock by certificate where its name is the MX hosts' or ours; a name of others' is for a person."""
    name = subject(lock.certificate or "")
    related = [host for domain in posture.settings.accepted_domains for host in _hosts(posture, domain.name)]
    if posture.settings.names_us(name) or any(_same_organisation(host, name) for host in related):
        return Verdict(
            Outcome.PASS,
            Text(
                "Connector “{name}” refuses mail that does not present the certificate {certificate}.",
                name=lock.name,
                certificate=lock.certificate,
            ),
            origins,
        )
    return Verdict(
        Outcome.UNKNOWN,
        Text(
            "Connector “{name}” locks the tenant to the certificate {certificate}; no MX host bears a name of it, so "
            "whether it is the gateway's is not known.",
            name=lock.name,
            certificate=lock.certificate,
        ),
        origins,
    )


def _same_organisation(host: str, name: str) -> bool:
    """Tell whether two names share the domain that was registered, below a public suffix."""
    registered = registrable_domain(name)
    return registered is not None and registrable_domain(host) == registered


def _hosts(posture: Posture, domain: str) -> list[str]:
    answer = posture.dns.lookup(domain, "MX")
    return [each.host for each in read_exchangers(answer.answers) if each.host and not each.at_microsoft]


def _gateway_networks(posture: Posture) -> list[IPNetwork]:
    """
    Give networks that are the gateway's by other evidence than connectors: its mail was seen, or its MX hosts are there.

    Where a gateway takes mail and where it sends from may differ, so these prove that a range is its own, and never
    that one is not all.
    """
    hosts = dict.fromkeys(
        host for domain in posture.settings.accepted_domains for host in _hosts(posture, domain.name)
    )
    found = [
        text for host in hosts for kind in ("A", "AAAA") for text in posture.dns.lookup(host, kind).answers
    ]
    addresses = (client_address(text) for text in found)
    named = [parse_network(address) for address in addresses if address is not None]
    return [*map(parse_network, posture.settings.gateway_seen), *named]


def _own_servers(posture: Posture) -> tuple[str, ...]:
    hybrid = (each for each in posture.settings.inbound_connectors or () if not each.partner)
    return tuple(text for each in hybrid for text in each.addresses)


def _belongs(network: IPNetwork, seen: list[IPNetwork], own: list[IPNetwork]) -> bool:
    return any(lies_in(held, network) or lies_in(network, held) for held in seen) or any(
        lies_in(network, held) for held in own
    )


def _lock(posture: Posture, origins: tuple[Origin, ...]) -> tuple[Change, ...]:
    """Make the lock switched off, then switch it on; none where the gateway's ranges are not known or fit no connector."""
    made = new_connector(_NAME, posture.settings.gateway_seen, lock=True, tls=True, enabled=False)
    if not made:
        return ()
    held = ConfigObject("Get-InboundConnector", {"Name": _NAME, "Enabled": False}, origins[0])
    return (*made, *setting(held, {"Enabled": True}))


def _asked(changes: tuple[Change, ...]) -> Text | None:
    if not changes:
        return None
    return _fix("\n".join(change.do for change in changes))


def _fix(command: str) -> Text:
    return Text(
        "Create the lock switched off, list every legitimate direct sender in a connector of its own, then enable it: {command}",
        command=command,
    )


CHECK = Check(
    id="CON-01",
    title=Text("If mail is meant to enter through a gateway, the back door is locked"),
    severity=Severity.CRITICAL,
    needs=("domains", "Get-InboundConnector"),
    judge=_judge,
    fix=_fix(
        "New-InboundConnector -Name 'Only via gateway' -ConnectorType Partner -SenderDomains '*' "
        "-RestrictDomainsToCertificate $true -TlsSenderCertificateName '*.GATEWAY-DOMAIN' -RequireTls $true "
        "-Enabled $false",
    ),
    undo=run(["Set-InboundConnector -Identity 'Only via gateway' -Enabled $false"]),
    maps={
        "ORCA": "233, 233.1 (Enhanced Filtering only)",
        "NIST": "SC-7(5)",
        "ATT&CK": "T1672, T1566, T1562.001",
    },
)
