"""A person's decision wins over evidence until it runs out."""

from __future__ import annotations

from datetime import UTC, date, datetime

from portero.core.decision import Decision
from portero.core.sender import DecidedBy, Judgement, Kind, Path, Sender
from portero.core.shaping import with_decisions
from portero.core.text import Text

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
SENDER = Sender(
    id="s-1", label=Text("Scanner"), kind=Kind.SPOOFER, judgement=Judgement.ABUSE, confidence=0.7,
    decided_by=DecidedBy.EVIDENCE, path=Path.DIRECT_SEND, connector=None, client_networks=(), mail_from_domains=(),
    header_from_domains=(), header_from=(), ehlo=(), mails=3, outside=0, witnesses={}, recipients=1, first_seen=NOW,
    last_seen=NOW, because=(),
)  # fmt: skip


def decision(judgement: Judgement, expires_on: date | None = None) -> Decision:
    return Decision("s-1", judgement, "Ana", NOW, "it@contoso.com", expires_on=expires_on)


def test_it_wins_and_says_who_decided() -> None:
    [decided] = with_decisions([SENDER], [decision(Judgement.LEGITIMATE)], NOW)
    assert decided.judgement is Judgement.LEGITIMATE
    assert decided.decided_by is DecidedBy.PERSON
    assert decided.owner == "it@contoso.com"
    assert decided.kind is Kind.UNKNOWN
    assert sum(reason.weight for reason in decided.because) < -6
    assert "Ana" in str(decided.because[0].text)


def test_a_person_may_leave_it_open() -> None:
    [decided] = with_decisions([SENDER], [decision(Judgement.UNDECIDED)], NOW)
    assert (decided.judgement, decided.confidence) == (Judgement.UNDECIDED, 0.5)


def test_it_holds_through_its_last_day() -> None:
    today, yesterday = date(2026, 11, 24), date(2026, 11, 23)
    [held] = with_decisions([SENDER], [decision(Judgement.LEGITIMATE, today)], NOW)
    assert held.judgement is Judgement.LEGITIMATE
    [over] = with_decisions([SENDER], [decision(Judgement.LEGITIMATE, yesterday)], NOW)
    assert (over.judgement, over.confidence, over.decided_by) == (
        SENDER.judgement,
        SENDER.confidence,
        DecidedBy.EVIDENCE,
    )
    # What was decided stays, with whom to ask, and somebody is asked.
    assert over.ruling is not None
    assert (over.ruling.standing, over.owner, over.to_decide) == ("expired", "it@contoso.com", True)


def test_others_are_left_as_they_are() -> None:
    other = Decision("s-2", Judgement.LEGITIMATE, "Ana", NOW)
    assert with_decisions([SENDER], [other], NOW) == (SENDER,)
