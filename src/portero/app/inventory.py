"""From evidence to senders: rows folded, told apart, judged and named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from ipaddress import ip_address

from portero.app.evidence import Evidence, Folded, Inventory, Tables
from portero.app.gateway import mx_postures, with_gateway
from portero.core.address import is_at_or_below
from portero.core.case import Context
from portero.core.dns import Dns
from portero.core.exchange.exchangers import MxPosture
from portero.core.exchange.outbound import RECORD
from portero.core.exchange.settings import Settings, read_settings
from portero.core.flow import OutsideFlow, by_address
from portero.core.hosts import Inside, describe, tie_flows
from portero.core.mail.spf import SpfResult, evaluate
from portero.core.mail.spf_answers import SpfAnswers
from portero.core.mail.spf_loans import Loans
from portero.core.mail.spf_record import is_spf, parse_record
from portero.core.naming import Ties, name_senders
from portero.core.network_names import name_networks
from portero.core.sender import Sender
from portero.core.senders import find_senders, window_of
from portero.core.services import name_services
from portero.core.text import Text, count


def inventory(evidence: Evidence, tables: Tables, progress: Callable[[Text], None]) -> Inventory:
    """Fold the rows and find the senders."""
    assumptions: list[Text] = []
    settings = read_settings(evidence.tenant, evidence.configuration.accepted_domains)
    if not settings.accepted_domains:
        guessed, said = supposed_domains(tables)
        settings = read_settings(evidence.tenant, guessed)
        assumptions.append(said)
    progress(Text("Folding mail to ways of sending…"))
    folded = tables.fold(settings)
    settings = replace(with_gateway(settings, evidence, folded.arrivals), dns=evidence.dns)
    assumptions += _assumptions(settings, evidence, folded)
    progress(Text("Telling senders apart…"))
    use_of = _use_of(evidence)
    inside = hosts_inside(evidence, tables, settings)
    ties = tie_flows(folded.flows, inside, lambda address: use_of(address) in OWN_USES)
    assumptions += _about_hosts(inside)
    context = context_of(evidence, settings, window_of(folded.flows), folded.outside, folded.mailboxes, ties)
    senders = find_senders(folded.flows, folded.outside, context, evidence.configuration)
    return Inventory(
        settings=settings,
        senders=named(senders, evidence, ties),
        outside=folded.outside,
        totals=folded.totals,
        window=window_of(folded.flows),
        assumptions=tuple(assumptions),
        hosts=inside.hosts,
        mailboxes=folded.mailboxes,
        ties=ties,
    )


def supposed_domains(tables: Tables) -> tuple[tuple[str, ...], Text]:
    """
    Give the organisation's domains as evidence alone tells them, and what to say about that.

    Reports go to whom a domain's own record names, so a domain that all of them are about is taken. Where they are about
    several a forged one, or a customer's, may be among them: then they are named, and a person says which are own.
    Source: RFC 9990 section 3.
    """
    if guessed := tables.own_domains():
        return guessed, Text(
            "No accepted domains were exported or configured; {domains} were taken from the mail itself.",
            domains=guessed,
        )
    named = tables.reported_domains()
    reported = tuple(
        name for name in named if not any(is_at_or_below(name, each) for each in named if each != name)
    )
    if len(reported) == 1:
        return reported, Text(
            "No accepted domains were exported or configured; {domain} was taken, for all DMARC reports are about it.",
            domain=reported[0],
        )
    if reported:
        return (), Text(
            "Which domains are yours is not known, so nobody was looked for who sends in their name. The DMARC reports are "
            "about {domains}: name those that are yours in portero.toml, as accepted_domains under [organisation].",
            domains=reported,
        )
    return (), Text(
        "Which domains are yours is not known, so nobody was looked for who sends in their name. Export Get-AcceptedDomain, "
        "or name them in portero.toml, as accepted_domains under [organisation]."
    )


def context_of(
    evidence: Evidence,
    settings: Settings,
    window: tuple[datetime, datetime] | None,
    outside: Sequence[OutsideFlow],
    mailboxes: frozenset[str],
    ties: Ties,
) -> Context:
    """Give what a judgement looks at besides the sender."""

    answers = SpfAnswers(evidence.dns)

    def spf_of(address: str, domain: str) -> str | None:
        result = answers.of(address, domain)
        return None if result is SpfResult.UNKNOWN else result.value

    return Context(
        settings,
        window,
        _use_of(evidence),
        spf_of,
        Loans(evidence.dns, lambda name: name == RECORD or settings.names_us(name)).lender,
        outside=by_address(outside),
        mailboxes=mailboxes,
        ties=ties,
    )


def _use_of(evidence: Evidence) -> Callable[[str], str | None]:
    networks = evidence.configuration.network_map()
    return lambda address: next((place.use for place in networks.covering(address) if place.use), None)


def named(senders: Sequence[Sender], evidence: Evidence, ties: Ties) -> tuple[Sender, ...]:
    named = name_services(name_senders(senders, ties), evidence.services, *_dns_names(evidence.dns))
    return name_networks(named, evidence.networks)


# Networks that the organisation itself uses, in which a device that calls itself by an own name is taken at its word.
OWN_USES = frozenset({"devices", "applications", "users", "relay"})


def hosts_inside(evidence: Evidence, tables: Tables, settings: Settings) -> Inside:
    """Fold the network evidence, with what leases, makers and the configuration say of each host."""
    networks = evidence.configuration.network_map()

    def is_relay(address: str) -> bool:
        return any(place.use == "relay" for place in networks.covering(address))

    inside = tables.hosts(settings, networks.__contains__, evidence.configuration.time_zone)
    return describe(inside, evidence.maker_of, is_relay)


def _dns_names(dns: Dns) -> tuple[Callable[[str, str], list[str]], Callable[[str], list[str]]]:
    """Give what DNS evidence says of an address: the includes of a domain's SPF record that pass it, and its names."""

    @cache
    def includes_of(address: str, domain: str) -> list[str]:
        records = [text for text in dns.lookup(domain, "TXT").answers if is_spf(text)]
        if len(records) != 1:
            return []
        targets = [
            each.target.name
            for each in parse_record(records[0]).mechanisms
            if each.kind == "include" and each.target is not None and each.target.name
        ]
        return [
            name
            for name in targets
            if evaluate(dns, address, name, f"postmaster@{name}", name).result is SpfResult.PASS
        ]

    def names_of(address: str) -> list[str]:
        return list(dns.lookup(ip_address(address).reverse_pointer, "PTR").answers)

    return includes_of, names_of


def _about_hosts(inside: Inside) -> list[Text]:
    if not inside.untimed:
        return []
    one = "{n} connection is not compared with mail: its log names no time zone. Write time_zone in portero.toml."
    many = "{n} connections are not compared with mail: their logs name no time zone. Write time_zone in portero.toml."
    return [count(one, many, inside.untimed)]


def _assumptions(settings: Settings, evidence: Evidence, folded: Folded) -> list[Text]:
    said = []
    if settings.inbound_connectors is None:
        said.append(
            Text(
                "Inbound connectors were not exported, so what matches one is known only where a trace names it."
            )
        )
    if any(flow.key.sender is not None and flow.key.mail_from_domain is None for flow in folded.flows):
        said.append(
            Text(
                "A trace summary shows one sender and does not say whether it is the envelope's or the visible From; "
                "where it is the only witness it is taken for the envelope's."
            )
        )
    if settings.mx_at_microsoft is None:
        elsewhere = [
            name
            for name, posture in mx_postures(settings, evidence).items()
            if posture is not MxPosture.MICROSOFT
        ]
        if elsewhere:
            said.append(
                Text(
                    "The MX records do not all point to one place: those of {domains} point, at least in part, elsewhere than "
                    "to Microsoft. A lock at the gateway would refuse what comes by the others, so none is planned.",
                    domains=tuple(elsewhere),
                )
            )
        elif any(settings.dns.recorded):
            said.append(Text("Where the MX records point is not known: the DNS evidence does not show them."))
        else:
            said.append(Text("Where the MX records point is not known: no DNS evidence was given."))
    return said
