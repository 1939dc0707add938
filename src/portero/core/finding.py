"""Posture checks and their findings: what a check needs, how it answers, and what it can never answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from portero.core.dns import Dns
from portero.core.evidence import Coverage, Gap, Origin
from portero.core.exchange.settings import Settings, Tenant
from portero.core.flow import OutsideFlow
from portero.core.hosts import Host
from portero.core.sender import Sender
from portero.core.simulation import Simulation
from portero.core.text import Text


class Outcome(StrEnum):
    """How a check ended."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    WARN = "warn"
    FAIL = "fail"
    NOT_APPLICABLE = "not-applicable"
    UNKNOWN = "unknown"  # the evidence needed was never seen


class Severity(StrEnum):
    """How much a failed check matters."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Profile(StrEnum):
    """Which thresholds apply. Source: controls catalogue R3."""

    STANDARD = "standard"
    STRICT = "strict"


@dataclass(frozen=True, slots=True)
class Posture:
    """
    Everything a check may look at.

    cmdlet answers are in `tenant`; a check that lists a cmdlet in `needs` is only called when it was exported.
    mail_seen:   whether any message evidence was read.
    hosts:       hosts inside that opened connections to mail ports; none also where no network evidence was read.
    now:         the time of the audit, aware UTC.
    """

    tenant: Tenant
    settings: Settings
    dns: Dns
    senders: tuple[Sender, ...]
    outside: tuple[OutsideFlow, ...]
    simulations: tuple[Simulation, ...]
    coverage: tuple[Coverage, ...]
    gaps: tuple[Gap, ...]
    now: datetime
    mail_seen: bool
    profile: Profile = Profile.STANDARD
    hosts: tuple[Host, ...] = ()

    def simulation(self, *controls: str) -> Simulation | None:
        """Find the simulation of exactly these controls."""
        return next((each for each in self.simulations if each.controls == controls), None)


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    What a check says.

    severity:  overrides the check's own where the evidence makes it graver or lighter.
    fix, undo: commands or instructions with real values from the export, or None for the check's general ones.
    """

    outcome: Outcome
    because: Text
    origins: tuple[Origin, ...] = ()
    severity: Severity | None = None
    fix: Text | None = None
    undo: Text | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """
    One posture check; its module's docstring is its page.

    id:     the id of the controls catalogue, equal to the file's name in lower case with ``_`` for ``-``.
    needs:  what must have been read: cmdlets (``Get-…``), ``dns``, ``mail``, ``domains``, ``network``. Where one is
            missing the answer is unknown without asking `judge`.
    judge:  a pure function of the posture.
    maps:   ids in other catalogues, for example ``{"CIS": "6.5.5", "ATT&CK": "T1672"}``.
    """

    id: str
    title: Text
    severity: Severity
    needs: tuple[str, ...]
    judge: Callable[[Posture], Verdict]
    fix: Text
    undo: Text
    maps: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """A check's answer as the audit reports it; the contract's FINDING."""

    id: str
    title: Text
    outcome: Outcome
    severity: Severity
    because: Text
    origins: tuple[Origin, ...]
    fix: Text
    undo: Text
    maps: Mapping[str, str]


def missing(check: Check, posture: Posture) -> tuple[str, ...]:
    """Name what a check needs and the evidence lacks."""
    held = set(posture.tenant.cmdlets())
    if posture.dns:
        held.add("dns")
    if posture.mail_seen:
        held.add("mail")
    if posture.settings.accepted_domains:
        held.add("domains")
    return tuple(need for need in check.needs if need not in held)


def cut_answers(posture: Posture) -> frozenset[str]:
    """Name the cmdlets whose exported answer is known to be cut, so that "none found" proves nothing."""
    tenant = posture.tenant
    return frozenset(cmdlet for cmdlet in tenant.cmdlets() if not tenant.complete(cmdlet))


def find(check: Check, posture: Posture) -> Finding:
    """Put a check to the evidence; unknown by construction where something it needs was never read."""
    lacking = missing(check, posture)
    if lacking:
        verdict = Verdict(
            Outcome.UNKNOWN,
            Text("Unknown: the evidence lacks {needs}. Add it to learn the answer.", needs=lacking),
        )
    else:
        verdict = check.judge(posture)
        cut = tuple(need for need in check.needs if need in cut_answers(posture))
        if cut and verdict.outcome in {Outcome.PASS, Outcome.NOT_APPLICABLE}:
            verdict = Verdict(
                Outcome.UNKNOWN,
                Text(
                    "Unknown: the export of {needs} is cut, and the missing part may hold a fault.", needs=cut
                ),
                verdict.origins,
            )
    return Finding(
        id=check.id,
        title=check.title,
        outcome=verdict.outcome,
        severity=verdict.severity or check.severity,
        because=verdict.because,
        origins=verdict.origins,
        fix=verdict.fix or check.fix,
        undo=verdict.undo or check.undo,
        maps=check.maps,
    )
