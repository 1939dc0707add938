"""What changed is told once, the gravest first, and nothing that did not change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from portero.core.audit import Audit, Totals
from portero.core.changes import Change, Kind, changes, endings, reopenings
from portero.core.decision import Decision
from portero.core.evidence import Coverage
from portero.core.finding import Finding, Outcome, Severity
from portero.core.sender import DecidedBy, Judgement, Ruling, Sender, Validity
from portero.core.sender import Kind as Sort
from portero.core.text import Text
from support.senders import a_sender

NOW = datetime(2026, 11, 24, tzinfo=UTC)
SCANNER = replace(a_sender("s-1", Sort.DEVICE, Judgement.LEGITIMATE), label=Text("scanner"), mails=9)
STRANGER = replace(a_sender("s-2", Sort.UNKNOWN, Judgement.UNDECIDED), label=Text("stranger"), mails=4)


def audit(*senders: Sender, last: datetime = NOW, days: int = 10, **more: object) -> Audit:
    held = Audit(
        generated_at=NOW, organisation=None, accepted_domains=(), first=last - timedelta(days=days), last=last,
        totals=Totals(), coverage=(), gaps=(), senders=senders, simulations=(), findings=(), plan=(),
    )  # fmt: skip
    return replace(held, **more)  # type: ignore[arg-type]  # fields of Audit


def told(before: Audit, after: Audit) -> list[tuple[Kind, str]]:
    found = changes(before, after, before.senders, after.senders)
    return [(each.kind, str(each.what)) for each in found]


LATER = NOW + timedelta(days=5)


def test_the_same_again_tells_nothing() -> None:
    held = audit(SCANNER, STRANGER)
    assert told(held, held) == []
    assert told(held, replace(held, last=LATER)) == []


def test_who_is_new_and_who_turned_to_abuse_is_told_by_the_number_of_mails() -> None:
    abuse = replace(STRANGER, judgement=Judgement.ABUSE)
    other = replace(SCANNER, id="s-3", label=Text("backup"), mails=1)
    spoof = replace(abuse, id="s-4", label=Text("spoof"), mails=20)
    assert told(audit(SCANNER, STRANGER), audit(SCANNER, abuse, other, spoof)) == [
        (Kind.NEW_ABUSE, "spoof is new and judged abuse: 20 messages."),
        (Kind.NEW_ABUSE, "stranger is judged abuse now: 4 messages."),
        (Kind.NEW_SENDER, "backup was not in the run before: 1 message."),
    ]
    assert told(audit(SCANNER, abuse), audit(SCANNER, abuse)) == []


def test_what_a_person_called_abuse_is_no_news() -> None:
    decided = replace(STRANGER, judgement=Judgement.ABUSE, decided_by=DecidedBy.PERSON)
    assert told(audit(SCANNER, STRANGER), audit(SCANNER, decided)) == []


def test_silence_is_told_of_legitimate_senders_and_only_where_later_mail_was_seen() -> None:
    before = audit(SCANNER, STRANGER)
    assert told(before, audit(last=LATER, days=5)) == [(Kind.SILENT, "Nothing of scanner was seen any more.")]
    assert told(before, audit()) == []


@pytest.mark.parametrize(
    ("was", "now", "kind"),
    [
        (Outcome.PASS, Outcome.FAIL, Kind.WORSE),
        (Outcome.WARN, Outcome.FAIL, Kind.WORSE),
        (Outcome.UNKNOWN, Outcome.FAIL, Kind.WORSE),
        (Outcome.PASS, Outcome.WARN, Kind.WORSE),
        (Outcome.PASS, Outcome.UNKNOWN, Kind.UNSEEN),
        (Outcome.FAIL, Outcome.UNKNOWN, Kind.UNSEEN),
        (Outcome.FAIL, Outcome.PASS, None),
        (Outcome.FAIL, Outcome.WARN, None),
        (Outcome.UNKNOWN, Outcome.PASS, None),
        (Outcome.NOT_APPLICABLE, Outcome.UNKNOWN, None),
    ],
)
def test_a_check_is_told_where_it_got_worse_or_lost_its_answer(
    was: Outcome, now: Outcome, kind: Kind | None
) -> None:
    def with_finding(outcome: Outcome) -> Audit:
        text = Text("title")
        return audit(findings=(Finding("DS-01", text, outcome, Severity.HIGH, text, (), text, text, {}),))

    found = changes(with_finding(was), with_finding(now), (), ())
    assert [each.kind for each in found] == ([kind] if kind else [])
    assert all(each.finding == "DS-01" for each in found)


def test_days_and_kinds_of_evidence_that_nobody_saw_are_told() -> None:
    trace, config = Coverage("a", "message-trace-v2", 5), Coverage("b", "tenant-config", 2)
    before = audit(coverage=(trace, config))
    after = audit(last=NOW + timedelta(days=20), days=10, coverage=(trace, replace(config, rows=0)))
    assert told(before, after) == [
        (Kind.UNSEEN, "Nobody has seen the mail of 9 days, between 2026-11-24 and 2026-12-04."),
        (Kind.UNSEEN, "Evidence of the kind tenant-config was there before and is not now."),
    ]


def decision(judgement: Judgement, expires_on: date | None = None, sender: str = "s-1") -> Decision:
    return Decision(sender, judgement, "Ana", NOW, expires_on=expires_on)


@pytest.mark.parametrize(
    ("decided", "was", "now", "tells"),
    [
        (Judgement.LEGITIMATE, Judgement.UNDECIDED, Judgement.ABUSE, True),
        (Judgement.ABUSE, Judgement.UNDECIDED, Judgement.LEGITIMATE, True),
        # Who decided against the evidence knew it.
        (Judgement.LEGITIMATE, Judgement.ABUSE, Judgement.ABUSE, False),
        (Judgement.LEGITIMATE, Judgement.LEGITIMATE, Judgement.UNDECIDED, False),
        (Judgement.UNDECIDED, Judgement.LEGITIMATE, Judgement.ABUSE, False),
    ],
)
def test_evidence_that_turned_against_a_decision_is_told(
    decided: Judgement, was: Judgement, now: Judgement, tells: bool
) -> None:
    held = replace(SCANNER, judgement=decided, decided_by=DecidedBy.PERSON)
    after = audit(held, decisions=(decision(decided),))
    found = changes(audit(held), after, [replace(SCANNER, judgement=was)], [replace(SCANNER, judgement=now)])
    assert [each.kind for each in found] == ([Kind.CONTRADICTED] if tells else [])


def test_decisions_that_no_longer_carry_are_told_with_what_changed_until_somebody_decides() -> None:
    why = (
        Text("It sends from addresses not seen then."),
        Text("It fails authentication, which it passed then."),
    )

    def ruled(standing: Validity) -> Sender:
        changes = why if standing is Validity.REOPENED else ()
        return replace(STRANGER, ruling=Ruling(Judgement.LEGITIMATE, "Ana", NOW, standing, changes))

    assert reopenings([SCANNER, ruled(Validity.IN_FORCE), ruled(Validity.EXPIRED)]) == ()
    [found] = reopenings([SCANNER, ruled(Validity.REOPENED)])
    assert (found.kind, found.sender) == (Kind.REOPENED, "s-2")
    assert str(found.what) == (
        "stranger is to be decided again: Ana decided about it on 2026-11-24, and its behaviour changed. "
        "It sends from addresses not seen then. It fails authentication, which it passed then."
    )


def test_decisions_that_run_out_are_told_in_time_and_not_for_ever() -> None:
    today = date(2026, 11, 24)
    held = [
        decision(Judgement.LEGITIMATE, today + timedelta(days=days), f"s-{days}")
        for days in (15, 14, 0, -1, -30, -31)
    ]
    found = endings([*held, decision(Judgement.ABUSE)], {"s-0": Text("scanner")}, today)
    assert [each.sender for each in found] == ["s--30", "s--1", "s-0", "s-14"]
    assert found[2] == Change(
        Kind.ENDING,
        Text(
            "The decision about {sender} holds until {day} and no longer.", sender=Text("scanner"), day=today
        ),
        "s-0",
    )
