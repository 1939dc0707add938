"""The main job: from senders that were found to simulations, findings and plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from portero.app.decisions import decided
from portero.app.evidence import Evidence, Inventory, Tables
from portero.app.inventory import inventory
from portero.core.audit import Audit
from portero.core.checks import checks
from portero.core.controls import Control, UnknownControlError, parse_control
from portero.core.decision import Decision, effective
from portero.core.design import design
from portero.core.exchange.settings import Settings
from portero.core.finding import Finding, Posture, Profile, find
from portero.core.migration import migrate
from portero.core.plan import make_plan, simulate_plan
from portero.core.questions import ask
from portero.core.register import Configuration
from portero.core.risks import assess
from portero.core.simulate import Replay
from portero.core.simulation import Simulation
from portero.core.text import Text
from portero.core.thresholds import STANDARD, STRICT, Thresholds
from portero.core.waves import lay_out

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
