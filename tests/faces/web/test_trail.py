"""The audit trail is told in the reader's language, whatever was done, and stays as it was kept."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from portero.core.acceptance import Acceptance
from portero.core.access import Action, Role
from portero.core.decision import Act, Decision
from portero.core.exchange.settings import Tenant
from portero.core.ledger import Run, StepMark, StepState, TrailEntry, Verified
from portero.core.register import Criteria, Criticality
from portero.core.sender import Judgement
from portero.faces.render import Renderer
from portero.faces.web.trail import ACTIONS, NAMES, told
from portero.store.state.database import open_database
from portero.store.state.state import State

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
EN, ES = Renderer("en"), Renderer("es")


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrailEntry, ...]:
    """Give the trail of an organisation in which everything was done once."""
    folder: Path = tmp_path_factory.mktemp("state")
    state = State(open_database(f"sqlite:///{folder / 'state.db'}"))
    here = state.add_organisation("Contoso", "Ana", NOW).id
    state.rename_organisation(here, "Contoso Ltd", "Ana", NOW)
    ana = state.person("https://id.example", "ana", "Ana", NOW).id
    for role in Role:
        state.set_role(here, ana, role, "Ana", NOW)
    token, _ = state.add_token(here, ana, "ci", list(Action), NOW + timedelta(days=9), NOW)
    state.remove_token(here, token.id, "Ana", NOW)
    state.add_run(Run("r-1", here, NOW, "Ana", ("folder",), 5, 1, NOW, NOW), b"", NOW)
    state.note(here, "Ana", NOW, "upload.remove", "trace.csv", {"size": 9, "received": 3})
    state.note(here, "portero", NOW, "upload.expire", "trace.csv", {"size": 9, "received": 3})
    for judgement in Judgement:
        state.decide(here, {"s-1": "Printer"}, judgement, "Ana", NOW, owner="Bea", note="why",
                     expires_on=date(2027, 6, 30))  # fmt: skip
    state.undo(here, state.revisions(here), "Ana", NOW)
    state.decide(here, {"s-1": "Printer"}, None, "Ana", NOW)
    for criticality in Criticality:
        described = Decision("s-1", None, "Ana", NOW, act=Act.DESCRIBE, name="MFP", purpose="scans",
                             criticality=criticality)  # fmt: skip
        state.act(here, "Printer", described)
    state.act(here, "Printer", Decision("s-1", None, "Ana", NOW, act=Act.MERGE, merge=("s-2",)))
    state.act(
        here, "Printer", Decision("s-1", None, "Ana", NOW, act=Act.SPLIT, split=Criteria(ehlo=("MFP2",)))
    )
    for act in (Act.DESCRIBE, Act.MERGE, Act.SPLIT):
        state.act(here, "Printer", Decision("s-1", None, "Ana", NOW, act=Act.TAKE_BACK, of=act))
    state.adopt(here, [Decision("s-9", Judgement.ABUSE, "Bea", NOW)], {}, "Ana", NOW)
    saved = state.add_scenario(here, "both", ["reject-direct-send"], "Ana", NOW)
    state.remove_scenario(here, saved.id, "Ana", NOW)
    for number, step in enumerate(StepState):
        proof = Verified(number % 2 == 0, "as planned", "Ana", NOW)
        state.mark_step(
            here, StepMark("k", step, "Bea", "soon", revision=number, verified=proof), "Close it", "Ana", NOW
        )
    accepted = state.accept(here, Acceptance("DS-01", "Bea", date(2027, 6, 30), "moving", "MFP"), "Ana", NOW)
    state.remove_acceptance(here, accepted.id, "Ana", NOW)
    state.approve(here, "r-1", Tenant(), "Ana", NOW)
    state.approve(here, "r-1", Tenant(), "Ana", NOW)
    state.withdraw_approval(here, "Ana", NOW)
    for what in ("release", "retry", "hold", "drop", "report"):
        state.note(here, "Ana", NOW, f"relay.{what}", "1f", {"messages": ["1f"]})
        state.note(here, "Ana", NOW, f"relay.{what}.done", "1f", {"1f": "gone"})
    trail = state.trail(here)
    state.close()
    return trail


def test_every_deed_and_every_name_in_it_is_said_in_words(everything: tuple[TrailEntry, ...]) -> None:
    assert {each.action for each in everything} == set(ACTIONS)
    for entry in everything:
        for renderer in (EN, ES):
            line = told(entry, renderer)
            assert line.did == renderer.text(ACTIONS[entry.action])
            for kept, shown in ((entry.before, line.before), (entry.after, line.after)):
                assert (kept is None) == (shown is None)
                if kept is not None and shown is not None and not entry.action.endswith(".done"):
                    names = {name for name, value in kept.items() if value not in (None, "", [])}
                    assert {name for name, _ in shown} == {renderer.text(NAMES[name]) for name in names}


def test_a_spanish_reader_sees_no_coded_value(everything: tuple[TrailEntry, ...]) -> None:
    coded = {each.value for kind in (Role, Judgement, Criticality, StepState, Act) for each in kind}
    coded |= {"True", "False", "upload", "read", "administer", "gone"}
    shown = {value for entry in everything for _, value in (told(entry, ES).after or ())}
    assert not shown & coded
    assert {"Administrador", "no", "30 jun 2027"} <= shown


def test_what_another_version_kept_stands_as_it_is() -> None:
    entry = TrailEntry(1, NOW, "Ana", "moon.land", "here", None, {"crater": "deep", "state": "new"})
    assert told(entry, ES).did == "moon.land"
    assert told(entry, ES).after == [("Estado", "new"), ("crater", "deep")]
