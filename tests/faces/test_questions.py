"""Letters: each question goes out as one text that its reader can answer and that no evidence can bend."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import pytest

from portero.core.audit import Audit
from portero.core.questions import About, ask
from portero.core.sender import DecidedBy, Reason
from portero.core.text import Text
from portero.faces.audit_json import audit_document
from portero.faces.questions import letter, letters
from portero.faces.render import Renderer


@pytest.mark.parametrize(("lang", "to"), [("en", "To: "), ("es", "Para: ")])
def test_a_letter_names_each_sender_and_the_command_that_records_the_answer(
    audit: Audit, lang: str, to: str
) -> None:
    for question in audit.questions:
        text = letter(question, Renderer(lang))
        assert text.startswith(to)
        assert all(f"portero decide {each.id} legitimate" in text for each in question.senders)


def test_a_letter_says_one_day_once(audit: Audit) -> None:
    question = audit.questions[0]
    (first, *_) = question.senders
    assert first.first_seen is not None
    on_one_day = replace(first, last_seen=first.first_seen)
    text = letter(replace(question, senders=(on_one_day,)), Renderer())
    assert "Seen on " in text
    assert "Seen from " not in text


def test_there_is_a_letter_for_each_question(audit: Audit) -> None:
    assert len(letters(audit.questions, Renderer())) == len(audit.questions) > 0


def test_evidence_adds_no_line_to_a_letter(sample: ModuleType) -> None:
    hostile, plain = sample.hostile_audit(), sample.sample_audit()
    for attacked, question in zip(hostile.questions, plain.questions, strict=True):
        shown = [letter(each, Renderer()).splitlines() for each in (attacked, question)]
        heads = [[line.partition(":")[0] for line in lines if line.startswith("To")] for lines in shown]
        assert heads[0] == heads[1] == ["To"]
        assert "\x1b" not in "".join(shown[0])


def test_audit_json_holds_the_questions(audit: Audit) -> None:
    held = audit_document(audit, Renderer())["questions"]
    assert isinstance(held, list)
    undecided = {each.id for each in audit.senders if each.judgement.value == "undecided"}
    assert {sender for each in held for sender in each["senders"]} == undecided


@pytest.mark.parametrize(("lang", "asked"), [("en", "Did it send that mail"), ("es", "¿Envió ese correo")])
def test_a_letter_about_a_change_says_what_changed_and_asks_who_else_sends(
    audit: Audit, lang: str, asked: str
) -> None:
    known = next(each for each in audit.senders if each.legitimate)
    changed = replace(
        known,
        decided_by=DecidedBy.EVIDENCE,
        because=(*known.because, Reason("unlike-itself", Text("{x}", x="A burst of lures."), 0.0)),
    )
    [question] = [each for each in ask([changed]) if each.about is About.CHANGE]

    text = letter(question, Renderer(lang))

    assert "A burst of lures." in text
    assert asked in text
    assert f"portero decide {known.id} legitimate" in text
