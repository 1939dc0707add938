"""Controls and scenarios replayed on senders that were found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from portero.app.decisions import decided
from portero.app.evidence import Evidence, Inventory, Tables
from portero.app.inventory import inventory
from portero.core.controls import Control, apply_controls, parse_control
from portero.core.decision import Decision
from portero.core.exchange.settings import read_settings
from portero.core.records import Records
from portero.core.scenario import Scenario, rehearse_scenario
from portero.core.simulate import simulate
from portero.core.simulation import Simulation
from portero.core.text import Text
from portero.errors import ConfigError


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
