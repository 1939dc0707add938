"""Accepted faults: who accepts what a check finds, until when, and whether that is still needed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from portero.core.evidence import Origin


@dataclass(frozen=True, slots=True)
class Acceptance:
    """
    One fault that somebody has accepted for a time.

    check:    id of the check.
    owner:    who answers for it.
    until:    the last day on which it holds.
    subject:  the object it is about, by the name the finding uses, compared without regard to case; None for all.
    """

    check: str
    owner: str
    until: date
    reason: str
    subject: str | None = None
    origin: Origin | None = None


class Standing(StrEnum):
    """Where an acceptance stands after the check was put to the evidence."""

    IN_FORCE = "in-force"  # the fault is there, and accepted
    EXPIRED = "expired"  # its last day has passed, so it excuses nothing
    UNNEEDED = "unneeded"  # the fault is gone: the entry can go too
    UNCHECKED = "unchecked"  # the check could not tell whether the fault is there


@dataclass(frozen=True, slots=True)
class Accepted:
    """An acceptance and where it stands."""

    acceptance: Acceptance
    standing: Standing


@dataclass(frozen=True, slots=True)
class Kept:
    """An acceptance that somebody wrote down in the dashboard."""

    id: str
    acceptance: Acceptance
    made_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Approval:
    """The settings of a run, approved as those that shall stand; what differs from them later is drift."""

    run: str
    approved_by: str
    approved_at: datetime


@dataclass(frozen=True, slots=True)
class Rules:
    """What an organisation measures its posture by, beside the thresholds: what it accepts, and what it approved."""

    accepted: tuple[Kept, ...] = ()
    approval: Approval | None = None


def weigh(
    acceptance: Acceptance, today: date, *, at_fault: bool, settled: bool, subjects: tuple[str, ...]
) -> Accepted:
    """
    Find where an acceptance stands.

    at_fault:  whether the check failed or warned; settled: whether it could be answered at all.
    subjects:  the objects at fault, empty where the check names none.
    """
    named = acceptance.subject is None or not subjects or _among(acceptance.subject, subjects)
    if at_fault and named:
        expired = today > acceptance.until
        return Accepted(acceptance, Standing.EXPIRED if expired else Standing.IN_FORCE)
    return Accepted(acceptance, Standing.UNNEEDED if settled else Standing.UNCHECKED)


def excused(accepted: tuple[Accepted, ...], subjects: tuple[str, ...]) -> bool:
    """Tell whether acceptances in force cover everything at fault."""
    held = [each.acceptance for each in accepted if each.standing is Standing.IN_FORCE]
    if any(each.subject is None for each in held):
        return True
    names = tuple(each.subject for each in held if each.subject is not None)
    return bool(subjects) and all(_among(subject, names) for subject in subjects)


def _among(name: str, names: tuple[str, ...]) -> bool:
    return name.casefold() in {each.casefold() for each in names}
