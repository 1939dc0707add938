"""Posture checks and their findings: what a check needs, how it answers, and what it can never answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from portero.core.acceptance import Acceptance, Accepted, excused, weigh
from portero.core.dns import Dns
from portero.core.evidence import Coverage, Gap, Origin
from portero.core.exchange.change import Change
from portero.core.exchange.powershell import run
from portero.core.exchange.settings import Settings, Tenant
from portero.core.flow import OutsideFlow
from portero.core.hosts import Host
from portero.core.register import Configuration
from portero.core.sender import Sender
from portero.core.simulation import Simulation
from portero.core.text import Text
from portero.core.thresholds import STANDARD, STRICT, Thresholds

# What the needs of a check are called where they are no cmdlet.
_CALLED = {
    "mail": Text("mail evidence"),
    "dns": Text("DNS answers"),
    "domains": Text("the accepted domains"),
    "network": Text("firewall logs"),
}


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
    thresholds:  the organisation's own; None for those of the profile.
    approved:    the configuration that somebody approved, or None where none was handed over.
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
    thresholds: Thresholds | None = None
    configuration: Configuration = field(default_factory=Configuration)
    approved: Tenant | None = None

    @property
    def limits(self) -> Thresholds:
        """Give the thresholds to measure against."""
        return self.thresholds or (STRICT if self.profile is Profile.STRICT else STANDARD)

    def simulation(self, *controls: str) -> Simulation | None:
        """Find the simulation of exactly these controls."""
        return next((each for each in self.simulations if each.controls == controls), None)


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    What a check says.

    severity:  overrides the check's own where the evidence makes it graver or lighter.
    fix, undo: instructions with real values from the evidence; None for those of `changes`, or else the check's general
               ones.
    changes:   the changes that mend it, as commands with their way back.
    subjects:  the objects at fault, by the names that people know.
    controls:  controls of the contract whose replay shows what mending costs in mail.
    """

    outcome: Outcome
    because: Text
    origins: tuple[Origin, ...] = ()
    severity: Severity | None = None
    fix: Text | None = None
    undo: Text | None = None
    changes: tuple[Change, ...] = ()
    subjects: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()


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
    """
    A check's answer as the audit reports it; the contract's FINDING.

    effect:    what mending would do to recorded mail, or None where no replay can show it.
    accepted:  what the organisation accepts of it, and whether that still holds.
    lacking:   what it needs and the evidence lacks, as `Check.needs` has it.
    """

    id: str
    title: Text
    outcome: Outcome
    severity: Severity
    because: Text
    origins: tuple[Origin, ...]
    fix: Text
    undo: Text
    maps: Mapping[str, str]
    changes: tuple[Change, ...] = ()
    subjects: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    effect: Simulation | None = None
    accepted: tuple[Accepted, ...] = ()
    lacking: tuple[str, ...] = ()

    @property
    def at_fault(self) -> bool:
        """Tell whether something is to be mended."""
        return self.outcome in {Outcome.FAIL, Outcome.WARN}

    @property
    def excused(self) -> bool:
        """Tell whether everything at fault is accepted by somebody, for now."""
        return self.at_fault and excused(self.accepted, self.subjects)

    def with_acceptances(self, held: Iterable[Acceptance], now: datetime) -> Finding:
        """Give the finding with what the organisation accepts of this check."""
        weighed = tuple(
            weigh(
                each,
                now.date(),
                at_fault=self.at_fault,
                settled=self.outcome is not Outcome.UNKNOWN,
                subjects=self.subjects,
            )
            for each in held
            if each.check == self.id
        )
        return replace(self, accepted=weighed)


def called(need: str) -> Text | str:
    """Give what people call something that a check needs; a cmdlet goes by its own name."""
    return _CALLED.get(need, need)


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
            Text(
                "Unknown: the evidence lacks {needs}. Add it to learn the answer.",
                needs=tuple(map(called, lacking)),
            ),
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
        fix=verdict.fix or _commands(each.do for each in verdict.changes) or check.fix,
        undo=verdict.undo or _commands(each.undo for each in reversed(verdict.changes)) or check.undo,
        maps=check.maps,
        changes=verdict.changes,
        subjects=verdict.subjects,
        controls=verdict.controls,
        lacking=lacking,
    )


def _commands(commands: Iterable[str]) -> Text | None:
    held = list(dict.fromkeys(filter(None, commands)))
    return run(held) if held else None
