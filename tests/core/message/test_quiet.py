"""None of a hundred modern newsletters, receipts, alerts, voicemails, scans and letters of work is accused."""

from __future__ import annotations

from pathlib import Path

import pytest

from portero.core.explain import MailJudgement, Verdict
from portero.core.message.arrival import Known
from portero.opening.judge import Judge, Task
from portero.opening.models import model_of

LETTERS = sorted((Path(__file__).parents[2] / "messages" / "quiet").glob("*.eml"))


def test_there_are_a_hundred() -> None:
    assert len(LETTERS) >= 100


@pytest.mark.parametrize("path", LETTERS, ids=lambda path: path.stem)
def test_it_is_not_accused(path: Path) -> None:
    verdict = Judge(Known(), model_of(None))(Task(path.name, path.read_bytes()))

    assert isinstance(verdict, Verdict)
    assert verdict.judgement is not MailJudgement.PHISH, [
        (each.rule, each.weight) for each in verdict.because
    ]
