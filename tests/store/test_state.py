"""What the state keeps: decisions that nobody overwrites unseen, secrets that are only hashes, a trail of everything."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from portero.core.access import Action, Role
from portero.core.decision import Decision
from portero.core.ledger import Job, JobState, Run, StaleError, StepMark, StepState, UnknownEntryError, Upload
from portero.core.sender import Judgement
from portero.store.state import tables
from portero.store.state.state import State

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)


@pytest.fixture
def state(engine: Engine) -> State:
    return State(engine)


@pytest.fixture
def contoso(state: State) -> str:
    return state.add_organisation("Contoso", "Ana", NOW).id


def test_a_decision_follows_another_and_none_is_lost(state: State, contoso: str) -> None:
    state.decide(contoso, {"s-1": "Scanner"}, Judgement.ABUSE, "Ana", NOW)
    state.decide(
        contoso, {"s-1": "Scanner"}, Judgement.LEGITIMATE, "Bea", NOW, owner="it@contoso.com", note="ours"
    )
    [decision] = state.decisions(contoso)
    assert (decision.judgement, decision.owner, decision.note, state.revisions(contoso)["s-1"]) == (
        Judgement.LEGITIMATE, "it@contoso.com", "ours", 2,
    )  # fmt: skip
    assert [(entry.judgement, entry.decided_by) for entry in state.history(contoso, "s-1")] == [
        (Judgement.LEGITIMATE, "Bea"),
        (Judgement.ABUSE, "Ana"),
    ]


def test_who_decides_upon_an_old_sight_changes_nothing(state: State, contoso: str) -> None:
    state.decide(contoso, {"s-1": "A", "s-2": "B"}, Judgement.ABUSE, "Ana", NOW, seen={"s-1": 0, "s-2": 0})
    with pytest.raises(StaleError):
        state.decide(
            contoso, {"s-3": "C", "s-1": "A"}, Judgement.LEGITIMATE, "Bea", NOW, seen={"s-3": 0, "s-1": 0}
        )
    assert {each.sender: each.judgement for each in state.decisions(contoso)} == {
        "s-1": Judgement.ABUSE,
        "s-2": Judgement.ABUSE,
    }


def test_a_withdrawn_decision_no_longer_holds_and_stays_in_the_history(state: State, contoso: str) -> None:
    state.decide(contoso, {"s-1": "A"}, Judgement.ABUSE, "Ana", NOW)
    state.decide(contoso, {"s-1": "A"}, None, "Ana", NOW)
    assert state.decisions(contoso) == ()
    assert state.revisions(contoso) == {"s-1": 2}
    assert [entry.judgement for entry in state.history(contoso, "s-1")] == [None, Judgement.ABUSE]


def test_every_change_stands_in_its_organisations_trail(state: State, contoso: str) -> None:
    other = state.add_organisation("Fabrikam", "Ana", NOW).id
    state.decide(contoso, {"s-1": "A"}, Judgement.ABUSE, "Ana", NOW, note="why")
    state.add_scenario(contoso, "both", ["reject-direct-send"], "Bea", NOW)
    assert [(entry.who, entry.action) for entry in state.trail(contoso)] == [
        ("Bea", "scenario.add"), ("Ana", "sender.decide"), ("Ana", "organisation.add"),
    ]  # fmt: skip
    newest = state.trail(contoso, most=1)[0]
    assert [entry.action for entry in state.trail(contoso, before=newest.n, most=1)] == ["sender.decide"]
    assert [entry.action for entry in state.trail(other)] == ["organisation.add"]


def test_what_belongs_to_another_organisation_does_not_exist(state: State, contoso: str) -> None:
    other = state.add_organisation("Fabrikam", "Ana", NOW).id
    run = Run("r-1", contoso, NOW, "Ana", ("folder",), 5, 1, NOW, NOW)
    state.add_run(run, b"content", NOW)
    scenario = state.add_scenario(contoso, "x", ["smtp-basic-off"], "Ana", NOW)
    upload = Upload("u-1", contoso, "b-1", "trace.csv", 3_000_000_000, 0, "Ana", NOW)
    state.put_upload(upload)
    job = Job("j-1", contoso, "audit", JobState.RUNNING, "Ana", NOW, {"en": "Reading", "es": "Leyendo"})
    state.put_job(job)
    token, _ = state.add_token(
        contoso, state.person("local", "owner", "Ana", NOW).id, "ci", [Action.READ], None, NOW
    )
    for reach in (
        lambda where: state.run_content(where, "r-1"),
        lambda where: state.upload(where, "u-1"),
        lambda where: state.job(where, "j-1"),
        lambda where: state.remove_scenario(where, scenario.id, "Eve", NOW),
        lambda where: state.remove_token(where, token.id, "Eve", NOW),
    ):
        with pytest.raises(UnknownEntryError):
            reach(other)
        reach(contoso)
    assert state.runs(contoso) == (run,)
    assert state.runs(other) == ()


def test_a_link_signs_in_once(state: State) -> None:
    owner = state.person("local", "owner", "Ana", NOW, owner=True)
    late = state.add_link(owner.id, NOW + timedelta(minutes=10))
    assert state.use_link(late, NOW + timedelta(minutes=11)) is None
    secret = state.add_link(owner.id, NOW + timedelta(minutes=10))
    assert state.use_link(late, NOW) is None
    assert state.use_link(secret, NOW) == owner
    assert state.use_link(secret, NOW) is None


def test_sessions_end(state: State) -> None:
    owner = state.person("local", "owner", "Ana", NOW, owner=True)
    secret = state.add_session(owner.id, NOW + timedelta(hours=1), NOW)
    assert state.session(secret, NOW) == owner
    assert state.session(secret, NOW + timedelta(hours=2)) is None
    state.end_session(secret)
    assert state.session(secret, NOW) is None


def test_no_secret_stands_in_the_database(state: State, engine: Engine, contoso: str) -> None:
    owner = state.person("local", "owner", "Ana", NOW, owner=True)
    secrets = [
        state.add_session(owner.id, NOW + timedelta(hours=1), NOW),
        state.add_link(owner.id, NOW + timedelta(hours=1)),
        state.add_token(contoso, owner.id, "ci", [Action.READ], None, NOW)[1],
    ]
    with engine.connect() as connection:
        held = str([connection.execute(select(table)).all() for table in METADATA_TABLES])
    assert not [secret for secret in secrets if secret in held]


METADATA_TABLES = tuple(tables.METADATA.sorted_tables)


def test_a_token_ends_when_it_says(state: State, contoso: str) -> None:
    ana = state.person("local", "owner", "Ana", NOW)
    state.set_role(contoso, ana.id, Role.ANALYST, "Bea", NOW)
    _, secret = state.add_token(contoso, ana.id, "ci", [Action.READ], NOW + timedelta(days=1), NOW)
    found = state.use_token(secret, NOW)
    assert found is not None
    token, person = found
    assert (token.scopes, person.role_in(contoso)) == ({Action.READ}, Role.ANALYST)
    assert state.tokens(contoso)[0].used_at == NOW
    assert state.use_token(secret, NOW + timedelta(days=1)) is None
    assert state.use_token("portero_nonsense", NOW) is None


def test_a_record_from_elsewhere_says_each_thing_once(state: State, contoso: str) -> None:
    old = Decision("s-1", Judgement.ABUSE, "Cid", NOW - timedelta(days=2), note="forged")
    new = Decision("s-2", Judgement.LEGITIMATE, "Cid", NOW + timedelta(hours=1), owner="it@contoso.com")
    state.decide(contoso, {"s-1": "Scanner"}, Judgement.LEGITIMATE, "Ana", NOW)
    assert state.adopt(contoso, [old, new], {}, "Bea", NOW) == 1
    assert list(state.decisions(contoso)) == [
        Decision("s-1", Judgement.LEGITIMATE, "Ana", NOW),
        new,
    ]
    assert state.trail(contoso)[0].action == "sender.adopt"
    # Withdrawn, or undone: the same record does not bring it back, a newer word does.
    state.decide(contoso, {"s-1": "Scanner"}, None, "Ana", NOW + timedelta(hours=2))
    state.undo(contoso, {"s-2": 1}, "Ana", NOW + timedelta(minutes=1))
    assert state.adopt(contoso, [old, new], {}, "Bea", NOW) == 0
    assert state.decisions(contoso) == ()
    again = replace(new, decided_at=NOW + timedelta(hours=3))
    assert state.adopt(contoso, [again], {}, "Bea", NOW) == 1
    assert state.decisions(contoso) == (again,)


def test_a_step_is_signed_upon_what_was_seen(state: State, contoso: str) -> None:
    prepared = state.mark_step(
        contoso, StepMark("k", StepState.PREPARED, prepared_by="Ana"), "Close it", "Ana", NOW
    )
    assert prepared.revision == 1
    signed = replace(prepared, state=StepState.SIGNED, signed_by="Bea")
    assert state.mark_step(contoso, signed, "Close it", "Bea", NOW).revision == 2
    with pytest.raises(StaleError):
        state.mark_step(contoso, replace(prepared, note="late"), "Close it", "Ana", NOW)
    assert state.steps(contoso)["k"].signed_by == "Bea"


def test_work_that_a_stopped_server_left_is_called_failed(state: State, contoso: str) -> None:
    going = Job("j-1", contoso, "audit", JobState.RUNNING, "Ana", NOW, {"en": "Reading", "es": "Leyendo"})
    over = replace(going, id="j-2", state=JobState.DONE, result="r-1")
    state.put_job(going)
    state.put_job(over)
    state.end_lost_jobs({"en": "The server stopped.", "es": "El servidor se detuvo."})
    assert {job.id: job.state for job in state.jobs(contoso)} == {
        "j-1": JobState.FAILED,
        "j-2": JobState.DONE,
    }


def test_the_version_moves_with_every_change_of_this_organisation_alone(state: State, contoso: str) -> None:
    other = state.add_organisation("Fabrikam", "Ana", NOW).id
    before, elsewhere = state.version(contoso), state.version(other)
    state.decide(contoso, {"s-1": "A"}, Judgement.ABUSE, "Ana", NOW)
    decided = state.version(contoso)
    state.mark_step(contoso, StepMark("k-1", StepState.PREPARED), "Step", "Ana", NOW)
    marked = state.version(contoso)
    state.add_scenario(contoso, "Both", ["reject-direct-send"], "Ana", NOW)
    assert before < decided < marked < state.version(contoso)
    assert state.version(other) == elsewhere
