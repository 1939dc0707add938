"""What all handlers of one server share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from portero.faces.web.cases import Cases
from portero.faces.web.jobs import Jobs
from portero.faces.web.ports import State, Work


@dataclass(frozen=True, slots=True)
class WebDesk:
    """
    State, work on evidence, opened cases, jobs.

    evidence:  folder for uploads, ours alone.
    """

    state: State
    work: Work
    cases: Cases
    jobs: Jobs
    evidence: Path
