"""Questions: every undecided sender is in exactly one, and none groups what one person could not answer for."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from portero.core.questions import About, ask
from portero.core.register import KnownNetwork
from portero.core.sender import DecidedBy, Judgement, Kind, Path, Reason, Sender
from portero.core.text import Text
from support.senders import OURS, a_sender, anonymous

UNDECIDED = Judgement.UNDECIDED


def sender(identity: str, address: str, mails: int = 7, **given: object) -> Sender:
    made = a_sender(identity, Kind.UNKNOWN, UNDECIDED, anonymous(address, mails))
    return replace(made, **given)  # type: ignore[arg-type]  # any field of a sender


def test_no_question_is_asked_about_what_is_decided() -> None:
    assert ask([a_sender("s", Kind.DEVICE, Judgement.LEGITIMATE, anonymous("203.0.113.9"))]) == ()


def test_one_person_is_asked_about_all_that_writes_as_one_mailbox() -> None:
    shared = (f"payroll@{OURS}",)
    found = ask(
        [
            sender("a", "203.0.113.9", 3, header_from=shared),
            sender("b", "198.51.100.7", 40, header_from=shared),
            sender("c", "192.0.2.1", 9),
        ]
    )

    assert [(each.about, [held.id for held in each.senders], each.mails) for each in found] == [
        (About.MAILBOX, ["b", "a"], 43),
        (About.SENDER, ["c"], 9),
    ]


def test_nobody_is_asked_about_a_network_in_which_several_peoples_names_are_written() -> None:
    def held(number: int, name: str) -> Sender:
        reason = Reason("as-mailbox", Text("It writes as a mailbox here."), 1.0)
        return sender(f"s{number}", f"203.0.113.{number}", header_from=(f"{name}@{OURS}",), because=(reason,))

    (question,) = ask([held(1, "ana"), held(2, "eva")])
    assert (question.about, question.to.address) == (About.NETWORK, None)
    assert str(question.to.role) == "Exchange administrator"
    (alone,) = ask([held(1, "ana")])
    assert alone.to.address == f"ana@{OURS}"


def test_a_known_network_is_asked_about_by_its_name() -> None:
    place = KnownNetwork("Madrid office", (ipaddress.ip_network("203.0.112.0/22"),), "devices")
    [question] = ask([sender("a", "203.0.113.9"), sender("b", "203.0.114.9")], [place])

    assert (question.about, question.topic) == (About.NETWORK, "Madrid office")
    assert "Madrid office" in str(question.to.role)


def test_the_owner_of_a_sender_beside_it_is_asked() -> None:
    owned = replace(
        a_sender("known", Kind.DEVICE, Judgement.LEGITIMATE, anonymous("203.0.113.9")),
        owner="ana@contoso.com",
    )
    [question] = ask([owned, sender("a", "203.0.113.9")])

    assert question.to.address == "ana@contoso.com"


def test_an_abusers_owner_is_never_asked() -> None:
    owned = replace(
        a_sender("known", Kind.SPOOFER, Judgement.ABUSE, anonymous("203.0.113.9")), owner="eve@evil.example"
    )
    [question] = ask([owned, sender("a", "203.0.113.9")])

    assert question.to.address is None


def test_a_person_is_asked_about_mail_in_their_name_only_if_the_mailbox_is_here() -> None:
    as_mailbox = (Reason("as-mailbox", Text("It writes as people."), 1.0),)
    [known] = ask([sender("a", "203.0.113.9", because=as_mailbox)])
    [unknown] = ask([sender("a", "203.0.113.9")])

    assert known.to.address == f"a@{OURS}"
    assert unknown.to.address is None


@st.composite
def undecided(draw: st.DrawFn) -> list[Sender]:
    return [
        sender(
            f"s{number}",
            draw(st.sampled_from(["203.0.113.9", "203.0.113.10", "198.51.100.7", "2001:db8::5"])),
            draw(st.integers(1, 30)),
            header_from=tuple(draw(st.lists(st.sampled_from(["a@x", "b@x", "@x"]), max_size=2))),
            owner=draw(st.sampled_from([None, "ana", "bob"])),
            path=draw(st.sampled_from(list(Path))),
            mail_from_domains=draw(st.sampled_from([(), ("v.example",), ("w.example", "v.example")])),
            judgement=draw(st.sampled_from(list(Judgement))),
        )
        for number in range(draw(st.integers(0, 12)))
    ]


@examples(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(undecided(), st.randoms())
def test_each_undecided_sender_is_in_one_question_whatever_the_order(
    senders: list[Sender], random: object
) -> None:
    found = ask(senders)
    asked = [held.id for each in found for held in each.senders]

    assert sorted(asked) == sorted(each.id for each in senders if each.judgement is UNDECIDED)
    assert [each.mails for each in found] == sorted((each.mails for each in found), reverse=True)
    shuffled = list(senders)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert ask(shuffled) == found


def test_a_legitimate_sender_part_of_whose_mail_is_unlike_it_is_asked_about_behind_the_undecided() -> None:
    changed = replace(
        a_sender("printer", Kind.DEVICE, Judgement.LEGITIMATE, anonymous("203.0.113.9", 160)),
        because=(Reason("unlike-itself", Text("A burst."), 0.0),),
    )

    found = ask([changed, sender("a", "198.51.100.7")])

    assert [(each.about, [held.id for held in each.senders]) for each in found] == [
        (About.SENDER, ["a"]),
        (About.CHANGE, ["printer"]),
    ]
    assert ask([replace(changed, decided_by=DecidedBy.PERSON)]) == ()
