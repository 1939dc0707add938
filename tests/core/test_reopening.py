"""A decision carries as long as the sender is what was decided on; what an impostor would change opens it again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from portero.core.case import Context
from portero.core.decision import Basis, Decision
from portero.core.flow import Distinct, Flow
from portero.core.questions import ask
from portero.core.register import Configuration, RegisterEntry
from portero.core.reopening import basis_of, ruled
from portero.core.sender import DecidedBy, Judgement, Sender, Validity
from portero.core.senders import find_senders, join_senders, window_of
from portero.core.shaping import odds
from support.flows import START, flow
from support.inventory import OURS, SETTINGS, campaign, scanner

NOW = datetime(2026, 12, 1, 10, tzinfo=UTC)
DECIDED = START + timedelta(days=70)
LATER = START + timedelta(days=75)


def one(*flows: Flow) -> Sender:
    """Give one sender of all the flows, whatever evidence makes of them."""
    context = Context(SETTINGS, window_of(flows))
    held = find_senders(flows, (), context, Configuration())
    return join_senders(held[0].id, held, (), context) if len(held) > 1 else held[0]


def decision(
    judgement: Judgement = Judgement.LEGITIMATE, basis: Basis | None = None, **more: object
) -> Decision:
    return Decision("s-1", judgement, "Ana", DECIDED, "it@contoso.com", basis=basis, **more)  # type: ignore[arg-type]


def later(mails: int = 6, days: int = 2, **given: object) -> Flow:
    """Give mail of the scanner after the decision."""
    known = {
        "client_ip": "198.51.100.10",
        "connector": "",
        "direction": "incoming",
        "mail_from_domain": OURS,
        "header_from": f"scanner@{OURS}",
        "ehlo": "km-c258",
    }
    return flow(mails, days, start=LATER, **{**known, **given})


def said(sender: Sender) -> str:
    return " ".join(f"{each.text.template} {each.text.values}" for each in sender.because)


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize(
    "more",
    [
        later(),
        later(client_ip="198.51.100.77"),  # the next address of the same network
        later(client_ip="203.0.113.5", dmarc={"pass": 6}),  # who passes proves itself from anywhere
        later(client_ip="203.0.113.5", connector="Branch"),
        later(mails=90, days=5),  # more, and no order of magnitude more
        later(client_ip=None),  # nobody says from where
    ],
)
def test_what_is_usual_leaves_it_in_force(more: Flow, recorded: bool) -> None:
    basis = basis_of(one(scanner())) if recorded else None
    sender = ruled(one(scanner(), more), decision(basis=basis), NOW)
    assert (sender.judgement, sender.decided_by) == (Judgement.LEGITIMATE, DecidedBy.PERSON)
    assert sender.ruling is not None
    assert (sender.ruling.standing, sender.to_decide) == (Validity.IN_FORCE, False)


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize(
    ("more", "word"),
    [
        (later(client_ip="203.0.113.5"), "203.0.113.5"),
        (later(mail_from_domain="bulk.example"), "bulk.example"),
        (later(header_from="boss@fabrikam.example"), "fabrikam.example"),
        (later(header_from=f"ceo@{OURS}"), "ceo@contoso.com"),
        (later(mails=1400, days=7), "1200"),
    ],
)
def test_what_an_impostor_would_change_opens_it(more: Flow, word: str, recorded: bool) -> None:
    basis = basis_of(one(scanner())) if recorded else None
    sender = ruled(one(scanner(), more), decision(basis=basis), NOW)
    assert sender.judgement is Judgement.UNDECIDED
    assert sender.decided_by is DecidedBy.EVIDENCE
    assert odds(sender) == pytest.approx(0)
    assert sender.ruling is not None
    assert sender.ruling.standing is Validity.REOPENED
    assert (sender.ruling.judgement, sender.ruling.by) == (Judgement.LEGITIMATE, "Ana")
    assert word in said(sender)
    [question] = ask([sender])
    assert (question.to.address, question.senders) == ("it@contoso.com", (sender,))


@pytest.mark.parametrize("recorded", [True, False])
def test_authentication_that_turned_to_failing_opens_it(recorded: bool) -> None:
    before = scanner(dmarc={"pass": 60})
    basis = basis_of(one(before)) if recorded else None
    sender = ruled(one(before, later(dmarc={"fail": 6}, ehlo="other")), decision(basis=basis), NOW)
    assert sender.judgement is Judgement.UNDECIDED
    assert "fails authentication" in said(sender)
    # Nobody knowing is not failing.
    sender = ruled(one(before, later(ehlo="other")), decision(basis=basis), NOW)
    assert sender.judgement is Judgement.LEGITIMATE


def test_far_more_people_than_then_open_it() -> None:
    basis = basis_of(one(scanner()))
    crowd = one(
        scanner(recipients=Distinct(tuple(n << 50 for n in range(60)))),
        later(recipients=Distinct(tuple(range(1, 64)))),
    )
    crowd = replace(crowd, recipients=200)
    assert ruled(crowd, decision(basis=basis), NOW).judgement is Judgement.UNDECIDED
    # Of then nothing is known about people without a record, so that nothing is said.
    assert ruled(crowd, decision(), NOW).judgement is Judgement.LEGITIMATE


def test_what_a_person_overruled_does_not_accuse_when_it_opens_again() -> None:
    accused = one(campaign())
    assert accused.judgement is Judgement.ABUSE
    moved = one(campaign(), later(client_ip="203.0.113.5", header_from=f"ann@{OURS}", ehlo="win-8fk3"))
    assert ruled(accused, decision(basis=basis_of(accused)), NOW).judgement is Judgement.LEGITIMATE
    assert ruled(moved, decision(basis=basis_of(accused)), NOW).judgement is Judgement.UNDECIDED


def test_abuse_that_proves_itself_or_comes_from_elsewhere_is_asked_about() -> None:
    held = one(campaign())
    word = decision(Judgement.ABUSE, basis_of(held))
    assert ruled(held, word, NOW).judgement is Judgement.ABUSE
    more = one(campaign(), later(mails=900, days=3, client_ip="192.0.2.66", header_from=f"ann@{OURS}"))
    assert ruled(more, word, NOW).judgement is Judgement.ABUSE
    proven = one(campaign(dmarc={"pass": 40}, spf={"pass": 40}))
    assert ruled(proven, word, NOW).judgement is Judgement.UNDECIDED


def test_the_registers_word_stays_when_a_decision_opens() -> None:
    flows = (scanner(), later(client_ip="203.0.113.5"))
    entry = RegisterEntry("Scanner", "legitimate", header_from=(f"scanner@{OURS}",))
    [held] = find_senders(flows, (), Context(SETTINGS, window_of(flows)), Configuration(register=(entry,)))
    sender = ruled(held, decision(basis=basis_of(one(scanner()))), NOW)
    assert (sender.judgement, sender.decided_by) == (Judgement.LEGITIMATE, DecidedBy.REGISTER)
    assert sender.to_decide


def test_evidence_without_anything_of_then_says_so() -> None:
    sender = ruled(one(later()), decision(), NOW)
    assert sender.judgement is Judgement.LEGITIMATE
    assert "not known" in said(sender)


def test_one_that_ran_out_is_asked_about_while_evidence_judges() -> None:
    held = one(scanner())
    sender = ruled(held, decision(expires_on=date(2026, 11, 30)), NOW)
    assert (sender.judgement, sender.decided_by) == (held.judgement, DecidedBy.EVIDENCE)
    assert sender.ruling is not None
    assert sender.ruling.standing is Validity.EXPIRED
    assert [each.senders for each in ask([sender])] == [(sender,)]


def test_what_was_left_open_stays_open() -> None:
    sender = ruled(one(scanner(), later(client_ip="203.0.113.5")), decision(Judgement.UNDECIDED), NOW)
    assert sender.judgement is Judgement.UNDECIDED
    assert sender.ruling is not None
    assert sender.ruling.standing is Validity.IN_FORCE


def test_a_record_keeps_how_it_behaved() -> None:
    word = decision(basis=basis_of(one(scanner())))
    assert Decision.read(word.document()) == word
