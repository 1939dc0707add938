"""Audits, and controls and scenarios replayed on evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from portero.app import audits, trials
from portero.core.audit import Audit
from portero.core.controls import Control, UnknownControlError, parse_control
from portero.core.finding import Profile
from portero.core.plan import plan_controls
from portero.core.scenario import draft
from portero.core.simulation import Simulation
from portero.errors import ConfigError
from portero.faces.desk import Asking, Progress
from portero.scenario_file import load_scenario, scenario_toml
from portero.wiring.gathering import configuration_of, decisions_of, gathered, without_collector


def audit(
    paths: Sequence[Path],
    *,
    config: Path | None,
    profile: Profile,
    progress: Progress,
    asking: Asking | None = None,
    baseline: Path | None = None,
    store: Path | None = None,
) -> Audit:
    """Read evidence and audit it, against an approved state where one is given; with a store, all that is kept there too."""
    decisions = decisions_of(paths, config)
    approved = configuration_of([baseline], progress) if baseline else None
    with gathered(paths, config, progress, asking, store=store) as (evidence, tables), without_collector():
        held = replace(evidence, approved=approved)
        return audits.audit(held, tables, datetime.now(UTC), profile, progress, decisions)


def simulate(
    paths: Sequence[Path],
    controls: Sequence[str],
    *,
    config: Path | None,
    progress: Progress,
    asking: Asking | None = None,
    store: Path | None = None,
) -> Simulation:
    """Read evidence and replay the controls together on it."""
    parsed = [control(text) for text in controls]
    decisions = decisions_of(paths, config)
    with (
        gathered(paths, config, progress, asking, parsed, store=store) as (evidence, tables),
        without_collector(),
    ):
        return trials.what_if(evidence, tables, parsed, progress, decisions, datetime.now(UTC))


def try_scenarios(
    files: Sequence[Path],
    paths: Sequence[Path],
    controls: Sequence[str] = (),
    *,
    config: Path | None,
    progress: Progress,
    asking: Asking | None = None,
    store: Path | None = None,
) -> trials.Trial:
    """Read evidence and replay scenario files on it, each with these controls beside its own."""
    held = [load_scenario(each) for each in files]
    held = [replace(each, controls=(*each.controls, *controls)) for each in held]
    parsed = [control(text) for each in held for text in each.controls]
    decisions = decisions_of(paths, config)
    with (
        gathered(paths, config, progress, asking, parsed, store=store) as (evidence, tables),
        without_collector(),
    ):
        return trials.try_scenarios(evidence, tables, held, progress, decisions, datetime.now(UTC))


def draft_scenario(audit: Audit) -> str:
    """Write the audit's plan down as a scenario file."""
    roads = {identity: each.road for identity, each in audit.migrations.items()}
    return scenario_toml(draft(plan_controls(audit.plan), roads))


def control(text: str) -> Control:
    """Read a control; a ConfigError says what would be right."""
    try:
        return parse_control(text)
    except UnknownControlError as error:
        raise ConfigError((error.text,)) from None


def start(audit: Audit, day: date) -> Audit:
    """Lay the plan out from a day on."""
    return audits.start(audit, day)
