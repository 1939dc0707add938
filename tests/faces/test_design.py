"""The design and the ways as programs and readers get them."""

from __future__ import annotations

from types import ModuleType

from portero.core.audit import Audit
from portero.core.design import Design
from portero.faces.advice_json import design_document
from portero.faces.audit_json import audit_document
from portero.faces.plan_markdown import plan_markdown
from portero.faces.render import Renderer


def test_an_audit_without_needs_has_an_empty_design() -> None:
    assert design_document(Design(), Renderer()) == {
        "connectors": [],
        "no_connector_helps": [],
        "messages": 0,
    }


def test_each_sender_of_an_audit_has_a_way_and_abuse_has_none(audit: Audit) -> None:
    held = audit_document(audit, Renderer())["senders"]
    assert isinstance(held, list)
    for each in held:
        assert (each["migration"] is None) == (each["judgement"] == "abuse")


def test_the_plan_says_how_each_sender_sends_from_then_on(audit: Audit) -> None:
    written = plan_markdown(audit.plan, audit.senders, Renderer("es"), audit.migrations)
    table = [line for line in written.splitlines() if line.startswith("| ")]

    assert len(table) == 1 + len(audit.migrations)
    assert "High Volume Email" in table[1]


def test_no_value_of_the_evidence_breaks_the_table(sample: ModuleType) -> None:
    hostile = sample.hostile_audit()
    written = plan_markdown(hostile.plan, hostile.senders, Renderer(), hostile.migrations)
    rows = [line for line in written.splitlines() if line.startswith("| ")]

    assert len(rows) == 1 + len(hostile.migrations)
    assert all(row.replace("\\|", "").count("|") == 6 for row in rows)
