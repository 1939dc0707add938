"""A person joins, sets apart and names senders: ids stay, everybody is told who did it, and abuse is never hidden by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from portero.core.case import Context
from portero.core.decision import Act, Decision, effective
from portero.core.flow import Flow
from portero.core.register import Configuration, Criteria
from portero.core.sender import DecidedBy, Judgement, Sender
from portero.core.senders import find_senders, join_senders, judge_apart, window_of
from portero.core.shaping import Workshop, odds, with_decisions
from support.flows import flow
from support.inventory import OURS, SETTINGS, campaign, scanner

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
OTHER = {"client_ip": "203.0.113.40", "ehlo": "km-c360"}


def few() -> Flow:
    """Give too little mail to judge."""
    known = {"connector": "", "direction": "incoming", "mail_from_domain": OURS}
    return flow(3, 1, header_from=f"mfp@{OURS}", **OTHER, **known)


def found(*flows: Flow) -> tuple[Sender, ...]:
    return find_senders(flows, (), Context(SETTINGS, window_of(flows)), Configuration())


def shaped(flows: Sequence[Flow], *acts: Decision) -> dict[str, Sender]:
    context = Context(SETTINGS, window_of(flows))
    senders = find_senders(flows, (), context, Configuration())
    shop = Workshop(
        lambda parts: judge_apart(parts, senders, (), context),
        lambda identity, held: join_senders(identity, held, (), context),
    )
    return {each.id: each for each in with_decisions(senders, acts, NOW, lambda: shop)}


def act(sender: Sender | str, kind: Act = Act.JUDGE, day: int = 0, **more: object) -> Decision:
    identity = sender if isinstance(sender, str) else sender.id
    given = {"judgement": None, **more}
    return Decision(identity, decided_by="Ana", decided_at=NOW + timedelta(days=day - 30), act=kind, **given)  # type: ignore[arg-type]


def merge(sender: Sender, *others: Sender, day: int = 0) -> Decision:
    return act(sender, Act.MERGE, day, merge=tuple(each.id for each in others))


def split(sender: Sender | str, **criteria: Sequence[str]) -> Decision:
    return act(sender, Act.SPLIT, split=Criteria.read(criteria))


def said(sender: Sender) -> str:
    return " ".join(str(each.text) + str(each.text.values) for each in sender.because)


def test_two_that_are_one_become_one_under_the_first_id() -> None:
    flows = (scanner(), scanner(**OTHER))
    one, other = found(*flows)
    [whole] = shaped(flows, merge(one, other)).values()
    assert whole.id == one.id
    assert whole.mails == one.mails + other.mails
    assert {*whole.client_networks} == {*one.client_networks, *other.client_networks}
    assert "Ana" in said(whole)
    assert whole.decided_by is DecidedBy.EVIDENCE


def test_the_id_stays_while_only_the_joined_one_sends() -> None:
    flows = (scanner(), scanner(**OTHER))
    one, other = found(*flows)
    rest = tuple(each for each in flows if each in other.flows)
    assert list(shaped(rest, merge(one, other))) == [one.id]


def test_joining_never_earns_trust() -> None:
    flows = (scanner(), few())
    senders = found(*flows)
    open_one = next(each for each in senders if each.judgement is Judgement.UNDECIDED)
    sound = next(each for each in senders if each.judgement is Judgement.LEGITIMATE)
    for first, second in ((sound, open_one), (open_one, sound)):
        [whole] = shaped(flows, merge(first, second)).values()
        assert whole.judgement is Judgement.UNDECIDED
        assert odds(whole) == pytest.approx(max(map(odds, senders)))


def test_abuse_stays_apart_whoever_joins_it_and_nobody_is_accused_by_it() -> None:
    flows = (scanner(), campaign())
    sound, bad = found(*flows)
    assert bad.judgement is Judgement.ABUSE
    for first, second in ((sound, bad), (bad, sound)):
        made = shaped(flows, merge(first, second))
        assert {each.id: each.judgement for each in made.values()} == {
            sound.id: Judgement.LEGITIMATE,
            bad.id: Judgement.ABUSE,
        }
        assert all("apart" in said(each) for each in made.values())
    # Nor does a word about the whole: of what evidence calls abuse somebody decides by its own id.
    made = shaped(flows, merge(sound, bad), act(sound, judgement=Judgement.LEGITIMATE, day=1))
    assert made[bad.id].judgement is Judgement.ABUSE
    made = shaped(flows, merge(sound, bad), act(bad, judgement=Judgement.LEGITIMATE, day=1))
    assert [(each.id, each.judgement) for each in made.values()] == [(sound.id, Judgement.LEGITIMATE)]


def test_a_judgement_counts_for_what_was_joined_when_it_was_passed() -> None:
    flows = (scanner(), few())
    sound, open_one = found(*flows)
    word = act(sound, judgement=Judgement.LEGITIMATE, day=1)
    [before] = shaped(flows, word, merge(sound, open_one, day=2)).values()
    assert before.judgement is Judgement.UNDECIDED
    [after] = shaped(flows, merge(sound, open_one), word).values()
    assert (after.judgement, after.decided_by) == (Judgement.LEGITIMATE, DecidedBy.PERSON)


def test_what_is_set_apart_is_judged_by_itself() -> None:
    # One host with an EHLO of its own: evidence takes its names for one device.
    copy = campaign(client_ip="198.51.100.10", ehlo="km-c258")
    flows = (scanner(), copy)
    [one] = found(*flows)
    line = split(one, header_from=[f"ann@{OURS}"])
    made = shaped(flows, line)
    assert set(made) == {one.id, line.part}
    assert made[one.id].header_from == (f"scanner@{OURS}",)
    assert made[line.part].header_from == (f"ann@{OURS}",)
    assert made[one.id].judgement is Judgement.LEGITIMATE
    assert made[line.part].judgement is not Judgement.LEGITIMATE
    assert sum(each.mails for each in made.values()) == one.mails
    assert "Ana" in said(made[one.id])
    assert "Ana" in said(made[line.part])
    # Its id is the same however often the window moves.
    assert line.part == split(one.id, header_from=[f"ann@{OURS}"]).part


def test_what_was_joined_can_be_set_apart_again_by_address() -> None:
    flows = (scanner(), scanner(**OTHER))
    one, other = found(*flows)
    line = split(one, cidr=[other.client_networks[0]])
    made = shaped(flows, merge(one, other), line)
    assert {each.id: each.client_networks for each in made.values()} == {
        one.id: one.client_networks,
        line.part: other.client_networks,
    }
    assert {each.judgement for each in made.values()} == {Judgement.LEGITIMATE}


@pytest.mark.parametrize("value", ["198.51.100.10/32", "192.0.2.1/32"])
def test_all_or_none_of_it_is_no_part(value: str) -> None:
    flows = (scanner(),)
    [one] = found(*flows)
    [same] = shaped(flows, split(one, cidr=[value])).values()
    assert (same.id, same.mails, same.judgement) == (one.id, one.mails, one.judgement)
    assert "Ana" in said(same)


def test_evidence_lent_by_reports_is_not_counted_twice_when_a_part_is_judged() -> None:
    lent = scanner()
    lent = replace(lent, facts=replace(lent.facts, dmarc={"pass": 60}, envelopes={OURS: 60}, lent=True))
    [plain] = found(scanner())
    [one] = found(scanner())
    part = judge_apart(
        {"s-1": (lent,)}, (replace(one, flows=(lent,)),), (), Context(SETTINGS, window_of([lent]))
    )
    assert odds(part["s-1"]) == pytest.approx(odds(plain))


def test_a_name_is_shown_and_the_judgement_stays() -> None:
    flows = (scanner(), campaign())
    sound, bad = found(*flows)
    lines = [act(each, Act.DESCRIBE, name="Lobby printer", owner="it@contoso.com") for each in (sound, bad)]
    for before, after in zip((sound, bad), shaped(flows, *lines).values(), strict=True):
        assert (str(dict(after.label.values)["name"]), after.owner) == ("Lobby printer", "it@contoso.com")
        assert (after.id, after.judgement, odds(after)) == (before.id, before.judgement, odds(before))
        assert "Ana" in said(after)


def test_each_kind_of_act_is_taken_back_by_itself() -> None:
    flows = (scanner(), scanner(**OTHER))
    one, other = found(*flows)
    lines = [merge(one, other), act(one, Act.DESCRIBE, name="Printer"), act(one, judgement=Judgement.ABUSE)]
    undo = [act(one, Act.TAKE_BACK, 1, of=kind) for kind in (Act.MERGE, Act.DESCRIBE, Act.JUDGE)]
    assert tuple(shaped(flows, *lines, *undo).values()) == found(*flows)
    assert effective([*lines, undo[0]]) == (lines[1], lines[2])
    again = shaped(flows, *lines[:2], undo[0], merge(one, other, day=2))
    assert list(again) == [one.id]


def test_joining_in_a_circle_ends() -> None:
    flows = (scanner(), scanner(**OTHER))
    one, other = found(*flows)
    assert list(shaped(flows, merge(one, other), merge(other, one, day=1))) == [one.id]
