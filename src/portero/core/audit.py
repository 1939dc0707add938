"""The whole result of an audit as one value, the source of every output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from portero.core.decision import Decision
from portero.core.design import Design
from portero.core.evidence import Coverage, Gap
from portero.core.finding import Finding
from portero.core.hosts import Host
from portero.core.migration import Migration
from portero.core.questions import Question
from portero.core.risks import Risk
from portero.core.sender import Sender
from portero.core.simulation import Simulation
from portero.core.step import Step
from portero.core.text import Text
from portero.core.waves import Wave


@dataclass(frozen=True, slots=True)
class Totals:
    """
    Mail that was read, in unique mails.

    ours:    mails that claim to be the organisation's in P1 or P2; these are the senders' mails.
    others:  all other mails, which stand in no list.
    rows:    records read, over all witnesses.
    """

    ours: int = 0
    others: int = 0
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Audit:
    """
    What an audit found; the contract's audit.json is written from it.

    first, last:   aware UTC bounds of the message evidence, None when there is none.
    assumptions:   what the answer rests on and no document settles, said out loud.
    blind_spots:   what this evidence cannot show.
    hosts:         hosts inside that opened connections to mail ports, as network evidence shows them.
    questions:     the fewest that people must answer, so that no sender stays undecided.
    design:        the connectors that let Direct Send be refused, and who cannot have one.
    waves:         the plan laid out in time.
    decisions:     what people decided about senders and nobody replaced or took back, those that ran out among them.
    risks:         what each step of the plan may break.
    migrations:    how each sender to keep sends from now on, by sender id.
    """

    generated_at: datetime
    organisation: str | None
    accepted_domains: tuple[str, ...]
    first: datetime | None
    last: datetime | None
    totals: Totals
    coverage: tuple[Coverage, ...]
    gaps: tuple[Gap, ...]
    senders: tuple[Sender, ...]
    simulations: tuple[Simulation, ...]
    findings: tuple[Finding, ...]
    plan: tuple[Step, ...]
    assumptions: tuple[Text, ...] = ()
    blind_spots: tuple[Text, ...] = ()
    hosts: tuple[Host, ...] = ()
    questions: tuple[Question, ...] = ()
    design: Design = field(default_factory=Design)
    migrations: Mapping[str, Migration] = field(default_factory=dict)
    decisions: tuple[Decision, ...] = ()
    waves: tuple[Wave, ...] = ()
    risks: tuple[Risk, ...] = ()
