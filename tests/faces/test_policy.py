"""The policy: approved is only what people decided, and no value of the evidence becomes Markdown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from types import ModuleType

import pytest

from portero.core.audit import Audit
from portero.core.decision import Decision
from portero.core.register import Criticality
from portero.core.sender import Judgement
from portero.core.shaping import with_decisions
from portero.faces.policy import security_policy
from portero.faces.render import Renderer

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def section(document: str, title: str) -> str:
    return next(part for part in document.split("\n## ") if part.startswith(title))


def rows(part: str) -> list[str]:
    return [line for line in part.splitlines() if line.startswith("| ")][1:]


def test_only_the_register_and_people_approve(audit: Audit) -> None:
    document = security_policy(audit, Renderer())

    assert [line.split(" | ")[0] for line in rows(section(document, "Approved senders"))] == ["| Payroll run"]
    waiting = section(document, "Legitimate by the evidence")
    assert "ERP invoices" in waiting
    assert "Payroll run" not in waiting


@pytest.mark.parametrize(("until", "review"), [(None, "24 Nov 2027"), (date(2027, 3, 1), "1 Mar 2027")])
def test_a_decision_names_who_took_it_why_and_when_it_is_looked_at_again(
    audit: Audit, until: date | None, review: str
) -> None:
    held = Decision("ups", Judgement.LEGITIMATE, "ana@contoso.com", NOW, "ops@contoso.com", "Alarms", until)
    decided = replace(audit, senders=with_decisions(audit.senders, [held], NOW), decisions=(held,))
    document = security_policy(decided, Renderer())
    row = next(each for each in rows(section(document, "Approved senders")) if "UPS" in each)

    assert all(
        each in row for each in ("ana\\@contoso.com, 24 Nov 2026", "ops\\@contoso.com", "Alarms", review)
    )
    assert len(rows(section(document, "Exceptions"))) == (until is not None)
    assert "UPS" not in section(document, "Not decided")


def test_purpose_and_criticality_stand_with_the_approval(audit: Audit) -> None:
    held = Decision(
        "ups",
        Judgement.LEGITIMATE,
        "ana@contoso.com",
        NOW,
        purpose="Power cuts",
        criticality=Criticality.HIGH,
    )
    decided = replace(audit, senders=with_decisions(audit.senders, [held], NOW), decisions=(held,))
    approved = rows(section(security_policy(decided, Renderer()), "Approved senders"))

    [row] = [each for each in approved if "UPS" in each]
    assert "| Power cuts | high |" in row
    assert all("| not said |" in each for each in approved if each != row)


def test_an_approval_that_ran_out_or_was_opened_again_is_none(audit: Audit) -> None:
    held = Decision("ups", Judgement.LEGITIMATE, "ana@contoso.com", NOW, expires_on=date(2026, 11, 23))
    decided = replace(audit, senders=with_decisions(audit.senders, [held], NOW), decisions=(held,))
    document = security_policy(decided, Renderer())

    assert "UPS" not in section(document, "Approved senders")
    assert "UPS" not in section(document, "Legitimate by the evidence")
    [row] = [each for each in rows(section(document, "Not decided")) if "UPS" in each]
    assert "ran out" in row
    assert not rows(section(document, "Exceptions"))


def test_whoever_is_not_decided_stands_beside_whom_was_asked(audit: Audit) -> None:
    assert len(rows(section(security_policy(audit, Renderer()), "Not decided"))) == 3


@pytest.mark.parametrize("lang", ["en", "es"])
def test_no_value_of_the_evidence_is_markdown(sample: ModuleType, lang: str) -> None:
    document = security_policy(sample.hostile_audit(), Renderer(lang))
    plain = security_policy(sample.sample_audit(), Renderer(lang))

    assert "<" not in document.replace("\\<", "")
    assert "\x1b" not in document
    assert document.count("\n## ") == plain.count("\n## ")
    assert document.count("\n") == plain.count("\n")
