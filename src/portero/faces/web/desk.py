"""What all handlers of one server share."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from portero.core.ledger import Organisation
from portero.faces.web.cases import Cases
from portero.faces.web.jobs import Jobs
from portero.faces.web.oidc import SignIn
from portero.faces.web.ports import RelayDoor, State, Work


@dataclass(frozen=True, slots=True)
class WebDesk:
    """
    State, work on evidence, opened cases, jobs, who may vouch for people, and relays.

    evidence:  folder for uploads, ours alone.
    """

    state: State
    work: Work
    cases: Cases
    jobs: Jobs
    evidence: Path
    sign_in: SignIn = field(default_factory=SignIn)
    relays: tuple[RelayDoor, ...] = ()

    def relay_of(self, organisation: Organisation) -> RelayDoor | None:
        """Give the relay of an organisation; one that names none belongs to the only organisation, if it is that."""
        names = {organisation.id, organisation.name}
        for each in self.relays:
            if each.organisation in names or (
                each.organisation is None and len(self.state.organisations()) == 1
            ):
                return each
        return None
