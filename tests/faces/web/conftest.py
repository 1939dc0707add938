"""A dashboard over the sample organisation, asked without a network, and people of every role in two organisations."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from portero.core.access import Role
from portero.core.ledger import Person, Run
from portero.dashboard import decided, pack, unpack
from portero.decision_log import record
from portero.engine.mails import read_mails
from portero.faces.web.application import create
from portero.faces.web.cases import Cases
from portero.faces.web.desk import WebDesk
from portero.faces.web.guard import Door
from portero.faces.web.jobs import Jobs
from portero.faces.web.ports import Read, Work
from portero.store.state.database import open_database
from portero.store.state.state import State
from portero.wiring.letters import judge_handed
from portero.wiring.results import files
from portero.wiring.sample import demo
from portero.wiring.serving import gather, gather_with_mails

NOW = datetime.now(UTC)


@pytest.fixture(scope="session")
def sample_case(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The sample organisation as it is kept, with a sender that nobody could judge yet."""
    folder = tmp_path_factory.mktemp("sample")
    demo(folder, lambda _: None)
    return pack(gather([folder], lambda _: None))


@dataclass
class House:
    """A dashboard with its state, and a browser for anybody."""

    desk: WebDesk
    state: State
    ours: str
    theirs: str
    door: Door

    def client(self, person: Person | None = None) -> TestClient:
        """Give a browser in which a person is signed in, or nobody."""
        client = TestClient(create(self.desk, self.door), base_url="http://localhost", follow_redirects=False)
        if person is not None:
            client.cookies.set("portero", self.state.add_session(person.id, NOW + timedelta(hours=1), NOW))
        return client

    def somebody(self, role: Role | None, organisation: str | None = None) -> Person:
        """Give a person with a role in our organisation, or in another."""
        name = role.value if role else "stranger"
        made = self.state.person("https://id.example", f"{name} {organisation or ''}", name.title(), NOW)
        if role is not None:
            self.state.set_role(organisation or self.ours, made.id, role, "Ana", NOW)
        return next(each for each in self.state.people() if each.id == made.id)

    def owner(self) -> Person:
        return self.state.person("local", "owner", "Local owner", NOW, owner=True)


@pytest.fixture
def house(tmp_path: Path, sample_case: bytes) -> Iterator[House]:
    state = State(open_database(f"sqlite:///{tmp_path / 'state.db'}"))

    def read(paths: Sequence[Path], say: Callable[[Any], None], _: object) -> Read:
        case, mails = gather_with_mails(paths, say)
        return Read(pack(case), mails)

    work = Work(read, unpack, files, decided, record, judge_handed, read_mails)
    desk = WebDesk(state, work, Cases(state, work), Jobs(state), tmp_path / "uploads")
    ours = state.add_organisation("Northwind", "Ana", NOW).id
    theirs = state.add_organisation("Fabrikam", "Ana", NOW).id
    for number, organisation in enumerate((ours, theirs)):
        state.add_run(Run(f"r-{number}", organisation, NOW, "Ana", (), 9, 8, NOW, NOW), sample_case, NOW)
    yield House(desk, state, ours, theirs, Door(frozenset({"localhost"})))
    desk.jobs.close()
    desk.cases.close()
    state.close()


@pytest.fixture
def csrf_of() -> Callable[[TestClient, str], str]:
    """Read the secret of our forms from a page."""

    def read(client: TestClient, path: str) -> str:
        found = re.search(r'data-csrf="([0-9a-f]{64})"', client.get(path).text)
        assert found is not None
        return found[1]

    return read
