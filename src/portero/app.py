"""The use cases: from evidence that was read to an audit, as functions over core values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from typing import Protocol

from portero.core.address import client_address, is_at_or_below, neighbourhood
from portero.core.audit import Audit, Totals
from portero.core.case import Context
from portero.core.checks import checks
from portero.core.controls import Control, UnknownControlError, apply_controls, parse_control
from portero.core.decision import Decision, effective, shape_reasons
from portero.core.design import design
from portero.core.dns import Dns, DnsStatus
from portero.core.evidence import Coverage, Gap
from portero.core.exchange.exchangers import MxPosture, mx_posture, read_exchangers
from portero.core.exchange.outbound import RECORD
from portero.core.exchange.settings import Settings, Tenant, read_settings, texts
from portero.core.finding import Finding, Posture, Profile, find
from portero.core.flow import Flow, OutsideFlow, by_address
from portero.core.hosts import Host, Inside, describe, tie_flows
from portero.core.mail.spf import SpfResult, evaluate
from portero.core.mail.spf_loans import Loans
from portero.core.mail.spf_record import is_spf, parse_record
from portero.core.message.arrival import Known, TracedMail
from portero.core.message.words import plain_words, tokens
from portero.core.migration import migrate
from portero.core.naming import Ties, name_senders
from portero.core.network_names import NetworkMap, name_networks
from portero.core.plan import make_plan, simulate_plan
from portero.core.questions import ask
from portero.core.records import Records
from portero.core.register import Configuration
from portero.core.reopening import basis_of
from portero.core.risks import assess
from portero.core.scenario import Scenario, rehearse_scenario
from portero.core.sender import Sender
from portero.core.senders import find_senders, join_senders, judge_apart, window_of
from portero.core.services import name_services
from portero.core.shaping import Workshop, with_decisions
from portero.core.simulate import Replay, simulate
from portero.core.simulation import Simulation
from portero.core.text import Text, count
from portero.core.thresholds import STANDARD, STRICT, Thresholds
from portero.core.waves import lay_out
from portero.errors import ConfigError


class Arrival(Protocol):
    """A client address that delivers mail of others."""

    @property
    def client_ip(self) -> str:
        """Give the address as evidence writes it."""

    @property
    def domains(self) -> int:
        """Count the different sender domains it delivers for."""

    @property
    def connector(self) -> str:
        """Name the connector that took its mail; "" for none."""


class Folded(Protocol):
    """What the fold gives."""

    @property
    def flows(self) -> tuple[Flow, ...]:
        """Give the ways in which mail claims to be the organisation's."""

    @property
    def outside(self) -> tuple[OutsideFlow, ...]:
        """Give what DMARC reports say."""

    @property
    def totals(self) -> Totals:
        """Count all mail."""

    @property
    def arrivals(self) -> Sequence[Arrival]:
        """Give where other people's mail arrives from."""

    @property
    def mailboxes(self) -> frozenset[str]:
        """Give the own mailboxes whose names mail from elsewhere claims."""


class Tables(Protocol):
    """The evidence tables, behind whatever engine holds them."""

    def own_domains(self) -> tuple[str, ...]:
        """Guess the organisation's domains from mail alone."""

    def reported_domains(self) -> tuple[str, ...]:
        """Name the domains that DMARC reports are about."""

    def fold(self, settings: Settings) -> Folded:
        """Fold all rows to flows."""

    def hosts(self, settings: Settings, own: Callable[[str], bool], zone: str | None) -> Inside:
        """Fold what network evidence shows of hosts; own tells the organisation's public addresses."""

    def traced(self, keys: Sequence[str]) -> Mapping[str, TracedMail]:
        """Give what traces say of mails, by network message id and by Message-ID."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """
    Everything that was read besides rows.

    approved:  the configuration that somebody approved, or None where none was handed over.
    """

    tenant: Tenant
    dns: Dns
    coverage: tuple[Coverage, ...]
    gaps: tuple[Gap, ...]
    configuration: Configuration
    maker_of: Callable[[str], str | None] = lambda _: None
    approved: Tenant | None = None
    services: Mapping[str, str] = field(default_factory=dict)
    networks: tuple[NetworkMap, ...] = ()


@dataclass(frozen=True, slots=True)
class Inventory:
    """
    The senders as evidence and register judge them, with the settings they were judged under.

    Together with the evidence it is all that an audit needs, so whoever keeps both need not read rows again.
    window:     aware UTC bounds of the message evidence; None without any.
    mailboxes:  own mailboxes, of those whose names mail from elsewhere claims.
    ties:       hosts inside, by client address and name.
    """

    settings: Settings
    senders: tuple[Sender, ...]
    outside: tuple[OutsideFlow, ...]
    totals: Totals
    window: tuple[datetime, datetime] | None
    assumptions: tuple[Text, ...]
    hosts: tuple[Host, ...] = ()
    mailboxes: frozenset[str] = frozenset()
    ties: Ties = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """Evidence and what was found in it: all that later questions need, without reading rows again."""

    evidence: Evidence
    inventory: Inventory


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
        senders=_named(senders, evidence, ties),
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

    def spf_of(address: str, domain: str) -> str | None:
        result = evaluate(evidence.dns, address, domain, f"postmaster@{domain}", domain).result
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


def _named(senders: Sequence[Sender], evidence: Evidence, ties: Ties) -> tuple[Sender, ...]:
    named = name_services(name_senders(senders, ties), evidence.services, *_dns_names(evidence.dns))
    return name_networks(named, evidence.networks)


def decided(
    evidence: Evidence, held: Inventory, decisions: Iterable[Decision], now: datetime
) -> tuple[Sender, ...]:
    """
    Give the senders that were found as people shaped, named and judged them.

    decisions:  in the order in which they came to be.
    """

    def workshop() -> Workshop:
        context = context_of(evidence, held.settings, held.window, held.outside, held.mailboxes, held.ties)

        def judge(parts: Mapping[str, Sequence[Flow]]) -> Mapping[str, Sender]:
            made = judge_apart(parts, held.senders, held.outside, context) if parts else {}
            return {each.id: each for each in _named(tuple(made.values()), evidence, held.ties)}

        def join(identity: str, senders: Sequence[Sender]) -> Sender:
            return _named((join_senders(identity, senders, held.outside, context),), evidence, held.ties)[0]

        return Workshop(judge, join)

    return with_decisions(held.senders, decisions, now, workshop)


def try_decisions(
    evidence: Evidence,
    held: Inventory,
    past: Sequence[Decision],
    new: Sequence[Decision],
    now: datetime,
) -> tuple[tuple[Decision, ...], tuple[Text, ...]]:
    """
    Give new acts with the behaviour they rest on, and say what becomes of the shape of senders by them.

    past:  acts before them.
    Raises ConfigError for an act about a sender that the evidence does not hold.
    """
    before = {each.id: each for each in decided(evidence, held, past, now)}
    known = {*before, *(each.id for each in held.senders), *(each.part for each in new if each.split)}
    wanted = dict.fromkeys(each for line in new for each in (line.sender, *line.merge))
    absent = tuple(
        Text("The evidence holds no sender {sender}.", sender=each) for each in wanted if each not in known
    )
    if absent:
        raise ConfigError(absent)
    said = {reason.text for each in before.values() for reason in shape_reasons(each)}
    after = decided(evidence, held, (*past, *new), now)
    shaped = {each.id: each for each in after}
    lines = tuple(
        replace(line, basis=basis_of(shaped[line.sender]))
        if line.judgement is not None and line.sender in shaped
        else line
        for line in new
    )
    return lines, tuple(
        Text("{sender} ({label}): {reason}", sender=each.id, label=each.label, reason=reason.text)
        for each in after
        for reason in shape_reasons(each)
        if reason.text not in said
    )


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


# From so many sender domains on, what delivers other people's mail is no partner of the organisation's.
_STRANGERS, _PARTNERS = 10, 1


def with_gateway(settings: Settings, evidence: Evidence, arrivals: Sequence[Arrival]) -> Settings:
    """
    Add to the settings where mail enters: at Microsoft, or through a gateway and from which addresses.

    With the MX at a gateway, other people's mail arrives from its networks: those that deliver for at least a tenth
    as many different sender domains as the busiest does. Wherever the MX points, a connector through which the mail
    of many strangers comes carries the internet's mail, whatever its administrator called it, and whether or not
    anybody saw their addresses.
    """
    at_microsoft = _mx_at_microsoft(settings, evidence)
    domains: dict[str, int] = {}
    carried: set[str] = set()
    unplaced: dict[str, int] = {}
    for each in arrivals:
        if (address := client_address(each.client_ip)) is None:
            if _carries(settings, each.connector, ""):
                unplaced[each.connector.lower()] = each.domains
            continue
        near = neighbourhood(address)
        # Addresses of one network may deliver for the same domains, so their sum is an upper bound.
        domains[near] = domains.get(near, 0) + each.domains
        if _carries(settings, each.connector, address):
            carried.add(near)
    busy = [
        near
        for near, number in domains.items()
        if number >= _STRANGERS and number * 10 >= max(domains.values())
    ]
    # With the MX elsewhere all strangers come by the gateway, and a partner's connector carries one partner's mail.
    least = _PARTNERS + 1 if at_microsoft is False else _STRANGERS
    settings = replace(
        settings,
        gateway_connectors=tuple(
            name
            for name, number in unplaced.items()
            if number >= least and number * 10 >= max(unplaced.values())
        ),
    )
    if at_microsoft is not False:
        return replace(
            settings,
            mx_at_microsoft=at_microsoft,
            gateway_networks=tuple(near for near in busy if near in carried),
        )
    listed = [
        network
        for held in settings.connectors
        if held.enabled is not False and held.partner and "*" in held.sender_domains
        for network in held.addresses
    ]
    return replace(
        settings,
        mx_at_microsoft=False,
        gateway_networks=tuple(dict.fromkeys([*listed, *busy])),
        gateway_seen=tuple(busy),
    )


def _carries(settings: Settings, name: str, address: str) -> bool:
    """Tell whether a connector that is not the hybrid one takes an address's mail, by its name or by its list."""
    named = settings.connector(name) if name else None
    held = [named] if named is not None else list(settings.by_address.covering(address))
    return bool(name or held) and not any(each.cloud_services_mail for each in held)


def _mx_at_microsoft(settings: Settings, evidence: Evidence) -> bool | None:
    """
    Tell whether mail enters at Microsoft; None where that is not known, or true of some domains and not of others.

    A lock at a gateway is for all domains at once: one whose MX is Microsoft's would lose all its mail by it.
    Source: reference exchange-online 1.6.
    """
    if evidence.configuration.mx_provider is not None:
        return evidence.configuration.mx_provider == "microsoft"
    postures = set(_mx_postures(settings, evidence).values())
    return (
        postures == {MxPosture.MICROSOFT} if len(postures) == 1 and MxPosture.MIXED not in postures else None
    )


def _mx_postures(settings: Settings, evidence: Evidence) -> dict[str, MxPosture]:
    """Give where the mail of each accepted domain enters; one that takes no mail, or whose MX is not known, has no say."""
    found: dict[str, MxPosture] = {}
    for domain in settings.accepted_domains:
        if domain.name.endswith(".onmicrosoft.com"):
            continue
        answer = evidence.dns.lookup(domain.name, "MX")
        if answer.status is DnsStatus.NOERROR:
            posture = mx_posture(read_exchangers(answer.answers))
            if posture not in {MxPosture.NONE, MxPosture.NULL}:
                found[domain.name] = posture
    return found


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
            for name, posture in _mx_postures(settings, evidence).items()
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


_BLIND_SPOTS = (
    Text(
        "Mail that Exchange Online refuses never reaches the message trace: after the switch an empty trace proves nothing."
    ),
    Text(
        "Jobs that run less often than the evidence reaches back, such as year-end runs, are not in it: ask their owners."
    ),
    Text("DMARC reports cover only receivers that send them."),
)


def standing_controls(settings: Settings) -> tuple[Control, ...]:
    """Give the controls that every audit simulates, each alone. Source: contract section 4."""
    names = ["reject-direct-send"]
    if settings.mx_at_microsoft is False:
        names.append("lock-gateway")
    names += [f"dmarc={held.name}:reject" for held in settings.accepted_domains]
    return tuple(parse_control(name) for name in (*names, "smtp-basic-off"))


def audit(
    evidence: Evidence,
    tables: Tables,
    now: datetime,
    profile: Profile,
    progress: Callable[[Text], None],
    decisions: Sequence[Decision] = (),
) -> Audit:
    """Do the main job: inventory, simulations, findings, plan."""
    return conclude(evidence, inventory(evidence, tables, progress), decisions, now, profile, progress)


def conclude(
    evidence: Evidence,
    held: Inventory,
    decisions: Iterable[Decision],
    now: datetime,
    profile: Profile,
    progress: Callable[[Text], None],
) -> Audit:
    """Draw the audit from senders that were found: what people decided about them, simulations, findings, plan."""
    lines = effective(decisions)
    held = replace(held, senders=decided(evidence, held, lines, now))
    progress(Text("Replaying controls…"))
    replay = Replay(held.senders, held.settings)
    alone = tuple(replay.of((control,)) for control in standing_controls(held.settings))
    findings = judge_posture(evidence, held, replay, alone, now, profile)
    progress(Text("Writing the plan…"))
    plan = make_plan(replay, evidence.tenant, findings)
    together = simulate_plan(replay, plan)
    connectors = design(replay, evidence.configuration.networks)
    found = Audit(
        generated_at=now,
        organisation=evidence.configuration.name,
        accepted_domains=tuple(domain.name for domain in held.settings.accepted_domains),
        first=held.window[0] if held.window else None,
        last=held.window[1] if held.window else None,
        totals=held.totals,
        coverage=evidence.coverage,
        gaps=evidence.gaps,
        senders=held.senders,
        simulations=(*alone, together),
        findings=findings,
        plan=plan,
        assumptions=held.assumptions,
        blind_spots=_BLIND_SPOTS,
        hosts=held.hosts,
        questions=ask(held.senders, evidence.configuration.networks),
        design=connectors,
        migrations=migrate(held.senders, held.settings, connectors, held.window),
        decisions=lines,
        risks=assess(plan, replay, held.window, held.hosts),
    )
    return start(found, now.date() + NOTICE)


def start(audit: Audit, day: date) -> Audit:
    """Lay the plan out from a day on."""
    probed = next((name for name in audit.accepted_domains if not name.endswith(".onmicrosoft.com")), None)
    return replace(audit, waves=lay_out(audit.plan, audit.senders, day, probed))


# Whoever is told of a change hears of it a week before.
NOTICE = timedelta(days=7)


def judge_posture(
    evidence: Evidence,
    held: Inventory,
    replay: Replay,
    simulations: tuple[Simulation, ...],
    now: datetime,
    profile: Profile,
) -> tuple[Finding, ...]:
    """Put every check to the evidence."""
    posture = Posture(
        tenant=evidence.tenant,
        settings=held.settings,
        dns=evidence.dns,
        senders=held.senders,
        outside=held.outside,
        simulations=simulations,
        coverage=evidence.coverage,
        gaps=evidence.gaps,
        now=now,
        mail_seen=held.totals.rows > 0,
        profile=profile,
        hosts=held.hosts,
        thresholds=thresholds(profile, evidence.configuration),
        configuration=evidence.configuration,
        approved=evidence.approved,
    )
    found = (find(check, posture) for check in checks())
    return tuple(
        with_effect(finding, replay).with_acceptances(evidence.configuration.acceptances, now)
        for finding in found
    )


def thresholds(profile: Profile, configuration: Configuration) -> Thresholds:
    """Give the profile's thresholds with the organisation's own in place of some."""
    base = STRICT if profile is Profile.STRICT else STANDARD
    # The configuration was read with these names and kinds alone.
    return replace(base, **configuration.thresholds)  # type: ignore[arg-type]


def with_effect(finding: Finding, replay: Replay) -> Finding:
    """Replay what mending a finding would do to recorded mail, where its check names controls for it."""
    if not finding.at_fault or not finding.controls:
        return finding
    try:
        controls = [parse_control(text) for text in finding.controls]
    except UnknownControlError:
        # A connector or mailbox of the export may bear a name that no control can be written with.
        return finding
    return replace(finding, effect=replay.of(controls))


def what_if(
    evidence: Evidence,
    tables: Tables,
    controls: Sequence[Control],
    progress: Callable[[Text], None],
    decisions: Sequence[Decision],
    now: datetime,
) -> Simulation:
    """Replay the given controls together; raises ConfigError for one that the evidence shows to be without object."""
    need_object(evidence, controls)
    return rehearse(evidence, inventory(evidence, tables, progress), decisions, controls, now)


def rehearse(
    evidence: Evidence,
    held: Inventory,
    decisions: Iterable[Decision],
    controls: Sequence[Control],
    now: datetime,
) -> Simulation:
    """Replay controls together on senders that were found, judged as people decided; raises as `what_if` does."""
    need_object(evidence, controls)
    return simulate(decided(evidence, held, decisions, now), held.settings, controls, held.outside)


@dataclass(frozen=True, slots=True)
class Trial:
    """
    Scenarios tried on the same mail, in the order given.

    labels:  what people call each sender, by id.
    """

    simulations: tuple[Simulation, ...]
    labels: Mapping[str, Text]


def try_scenarios(
    evidence: Evidence,
    tables: Tables,
    scenarios: Sequence[Scenario],
    progress: Callable[[Text], None],
    decisions: Iterable[Decision],
    now: datetime,
) -> Trial:
    """Replay scenarios on the same senders; raises ConfigError for one without object: an absent term, an idle move."""
    for each in scenarios:
        need_object(evidence, [parse_control(text) for text in each.controls])
    held = inventory(evidence, tables, progress)
    senders = decided(evidence, held, decisions, now)
    idle = tuple(
        Text(
            "Move {number} of scenario {name} concerns no sender of this evidence.", number=n, name=each.name
        )
        for each in scenarios
        for n in each.idle(senders)
    )
    if idle:
        raise ConfigError(idle)
    found = tuple(rehearse_scenario(each, senders, held.settings, held.outside) for each in scenarios)
    return Trial(found, {each.id: each.label for each in senders})


def need_object(evidence: Evidence, controls: Sequence[Control]) -> None:
    """Raise ConfigError for a control that the evidence shows to be without object."""
    settings = read_settings(evidence.tenant, evidence.configuration.accepted_domains)
    changed = apply_controls(replace(settings, dns=evidence.dns), tuple(controls))
    absent = [
        Text("The SPF record of {domain} holds no term {term}.", domain=domain, term=term)
        for domain, term in Records(changed).absent_terms()
    ]
    if settings.inbound_connectors is not None:
        names = tuple(held.name for held in settings.inbound_connectors)
        absent += [
            Text("There is no inbound connector {name}. The connectors are {names}.", name=name, names=names)
            if names
            else Text("There is no inbound connector {name}, nor any other.", name=name)
            for name in sorted(changed.removed - {each.lower() for each in names})
        ]
    if settings.accepted_domains:
        absent += [
            Text(
                "{domain} is no domain of the organisation, so its DMARC policy is not yours to set.",
                domain=domain,
            )
            for domain in changed.policies
            if not settings.names_us(domain)
        ]
    if absent:
        raise ConfigError(tuple(absent))


def known(
    evidence: Evidence,
    tables: Tables,
    own: Sequence[str],
    keys: Sequence[str],
    progress: Callable[[Text], None],
) -> Known:
    """
    Give what single messages are judged by: settings, inventory, people and the traces of those messages.

    own:   the organisation's domains as the caller names them, added to those exported and configured; where there are
           none, no domain is guessed from traces, for one message is judged by them.
    keys:  network message ids and Message-IDs of the messages.
    """
    configured = (*evidence.configuration.accepted_domains, *own)
    settings = read_settings(evidence.tenant, configured)
    senders: tuple[Sender, ...] = ()
    if settings.accepted_domains and any(each.rows for each in evidence.coverage):
        register = replace(evidence.configuration, accepted_domains=configured)
        held = inventory(replace(evidence, configuration=register), tables, progress)
        settings, senders = held.settings, held.senders
    return Known(
        settings=settings,
        configuration=evidence.configuration,
        senders=senders,
        traced=tables.traced(keys) if keys else {},
        people=people(evidence.tenant),
        dns=evidence.dns,
    )


def known_of(case: Case, senders: Sequence[Sender]) -> Known:
    """
    Give what single messages are judged by, of evidence whose rows are gone: all but the traces of those messages.

    senders:  as they are judged now; they count only where domains were exported or configured, as in `known`.
    """
    evidence = case.evidence
    settings = read_settings(evidence.tenant, evidence.configuration.accepted_domains)
    return Known(
        settings=replace(settings, dns=evidence.dns),
        configuration=evidence.configuration,
        senders=tuple(senders) if settings.accepted_domains else (),
        people=people(evidence.tenant),
        dns=evidence.dns,
    )


def people(tenant: Tenant) -> dict[str, frozenset[str]]:
    """
    Give the organisation's people by the words of their display names, with their mailboxes.

    Source: Get-Mailbox, Get-EXOMailbox, Get-User; TargetedUsersToProtect of Get-AntiPhishPolicy, ``Name;mailbox``.
    """
    found: dict[str, set[str]] = {}

    def add(name: object, address: object) -> None:
        words = tokens(plain_words(str(name or "")))
        if len(words) > 1 and isinstance(address, str) and "@" in address:
            found.setdefault(" ".join(words), set()).add(address.strip().lower().removeprefix("smtp:"))

    for cmdlet in ("Get-Mailbox", "Get-EXOMailbox", "Get-User", "Get-Recipient", "Get-MailUser"):
        for item in tenant.objects(cmdlet) or ():
            for address in (
                item.properties.get("PrimarySmtpAddress"),
                *(texts(item, "EmailAddresses") or ()),
            ):
                add(item.properties.get("DisplayName"), address)
    for item in tenant.objects("Get-AntiPhishPolicy") or ():
        for entry in texts(item, "TargetedUsersToProtect") or ():
            name, _, address = entry.partition(";")
            add(name, address)
    return {name: frozenset(addresses) for name, addresses in found.items()}
