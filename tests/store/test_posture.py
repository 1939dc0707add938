"""What an organisation accepts and approves of its posture is kept, and every change of it stands in the trail."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from portero.core.acceptance import Acceptance, Rules
from portero.core.evidence import ConfigObject, Origin
from portero.core.exchange.settings import Tenant
from portero.core.ledger import UnknownEntryError
from portero.store.state.state import State

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
FAULT = Acceptance("AUTH-02", "it@contoso.com", date(2026, 12, 31), "moved in <December>", "scan@contoso.com")


@pytest.fixture
def state(engine: Engine) -> State:
    return State(engine)


def tenant(**values: Any) -> Tenant:
    return Tenant((ConfigObject("Get-OrganizationConfig", values, Origin("org.json")),))


def test_an_exception_is_kept_until_it_is_taken_back(state: State) -> None:
    here = state.add_organisation("Contoso", "Ana", NOW).id
    other = state.add_organisation("Fabrikam", "Ana", NOW).id
    assert state.rules(here) == Rules()
    made = state.accept(here, FAULT, "Ana", NOW)
    assert state.rules(here).accepted == (made,)
    assert state.rules(here).accepted[0].acceptance == FAULT
    assert state.rules(other) == Rules()
    with pytest.raises(UnknownEntryError):
        state.remove_acceptance(other, made.id, "Eve", NOW)
    state.remove_acceptance(here, made.id, "Bea", NOW)
    assert state.rules(here) == Rules()
    trail = [(each.who, each.action, each.subject) for each in state.trail(here)[:2]]
    assert trail == [("Bea", "acceptance.remove", "AUTH-02"), ("Ana", "acceptance.add", "AUTH-02")]
    assert state.trail(here)[0].before == {
        "subject": "scan@contoso.com", "owner": "it@contoso.com", "until": "2026-12-31", "reason": "moved in <December>",
    }  # fmt: skip


def test_the_approved_settings_are_the_newest_that_somebody_approved(state: State) -> None:
    here = state.add_organisation("Contoso", "Ana", NOW).id
    with pytest.raises(UnknownEntryError):
        state.approved_settings(here)
    with pytest.raises(UnknownEntryError):
        state.withdraw_approval(here, "Ana", NOW)
    state.approve(here, "r-1", tenant(RejectDirectSend=True), "Ana", NOW)
    state.approve(here, "r-2", tenant(RejectDirectSend=None), "Bea", NOW)
    approval = state.rules(here).approval
    assert approval is not None
    assert (approval.run, approval.approved_by, approval.approved_at) == ("r-2", "Bea", NOW)
    assert state.approved_settings(here).recorded == tenant(RejectDirectSend=None).recorded
    newest = state.trail(here)[0]
    assert (newest.action, newest.before, newest.after) == ("posture.approve", {"run": "r-1"}, {"run": "r-2"})
    state.withdraw_approval(here, "Ana", NOW)
    assert state.rules(here).approval is None
