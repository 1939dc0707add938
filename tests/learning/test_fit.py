"""Learning keeps campaigns together, refuses dust, says what it measured, and gives the same model for the same mail."""

from __future__ import annotations

import json
import random

import pytest

from portero.core.mail.mime import read_mail
from portero.core.message.arrival import Known, find_arrival
from portero.core.message.case import Case
from portero.core.message.content import Content
from portero.core.message.learnt import Rate
from portero.core.message.model import Model, features, read_model, write_model
from portero.learning.campaigns import campaigns, signature
from portero.learning.fit import Sample, TooLittleError, learn, sample
from portero.learning.generated import generate
from portero.learning.refused import REFUSED

WORDS = [f"{a}{b}{c}a" for a in "bcdfgh" for b in "aeiou" for c in "lmnrst"]


PHISHY = ("claim", "prize", "wallet", "unlock", "suspended")
PLAIN = ("meeting", "draft", "notes", "agenda", "minutes")


def case(subject: str, text: str, to: str = "ana@contoso.example") -> Case:
    mail = read_mail(f"From: x@y.example\nTo: {to}\nSubject: {subject}\n\n{text}".encode())
    return Case(mail, find_arrival(mail, Known()), Content(text=text), Known())


def samples(footer: str = "") -> list[Sample]:
    draw = random.Random(1)
    made = []
    for number in range(120):
        phish = number % 2 == 0
        # Each word in a fifth of its class: what all of a class has and the other lacks is refused as dust.
        telling = draw.choice(PHISHY if phish else PLAIN)
        words = " ".join(draw.choices(WORDS, k=40))
        text = f"{words}\n{telling}\n{footer if not phish else ''}\n"
        made.append(sample(case(words[:30], text), (), phish=phish))
    return made


def test_near_duplicates_are_one_campaign() -> None:
    draw = random.Random(2)
    words = draw.choices(WORDS, k=80)
    twin = [*words[:40], "1234", *words[41:]]
    other = draw.choices(WORDS, k=80)
    marks = [signature(case("", " ".join(each))) for each in (words, twin, other)]

    assert campaigns(marks) == [0, 0, 2]


def test_what_tells_the_classes_apart_is_learnt_and_measured_on_unseen_campaigns() -> None:
    learnt = learn(samples(), "test", cap=6.0)

    assert (
        learnt.model(case("x", "claim prize wallet unlock"))[0]
        > 0
        > learnt.model(case("x", "meeting draft notes agenda"))[0]
    )
    assert learnt.found.of + learnt.accused.of == 120
    assert min(learnt.campaigns) >= 50


def test_the_same_mail_gives_the_same_file() -> None:
    assert write_model(learn(samples(), "m", cap=6.0).model) == write_model(
        learn(samples(), "m", cap=6.0).model
    )


def test_footers_and_collection_marks_are_refused() -> None:
    learnt = learn(samples("to leave this list visit the portal"), "test", cap=6.0)

    assert "to leave this list visit the portal" in learnt.footers
    assert not any("portal" in name.split() for name in learnt.model.weights)


def test_words_that_tell_a_language_are_refused() -> None:
    # Each telling word in a fifth of its class, as above.
    ends = ("para usted claim", "para usted prize", "usted wallet", "para unlock", "por suspended")
    plain = ("the meeting", "of the draft", "the notes", "an agenda", "the minutes")
    held = [
        sample(case("x", f"{' '.join(random.Random(n).choices(WORDS, k=40))} {(plain, ends)[n % 2][n // 2 % 5]}"), (), phish=bool(n % 2))
        for n in range(120)
    ]  # fmt: skip

    weights = learn(held, "t", cap=6.0, refused=REFUSED).model.weights

    assert "usted claim" in weights
    assert not {"para", "usted", "para usted", "the", "of the"} & set(weights)


def test_background_is_learnt_and_not_measured() -> None:
    commerce = [sample(case("x", f"{' '.join(random.Random(n).choices(WORDS, k=40))} offer"), (), phish=False) for n in range(60)]  # fmt: skip
    ends = ("offer", "wallet", "prize", "unlock", "notes", "agenda", "minutes", "draft")
    collected = [sample(case("x", f"{' '.join(random.Random(n).choices(WORDS, k=40))} {ends[n % 8]}"), (), phish=n % 8 < 4) for n in range(1000, 1240)]  # fmt: skip

    alone = learn(collected, "t", cap=6.0)
    beside = learn(collected, "t", cap=6.0, background=commerce)

    assert beside.model.weights["offer"] < 0 < alone.model.weights["offer"]
    assert beside.model.weights["wallet"] > 0 > beside.model.weights["notes"]
    assert beside.found.of + beside.accused.of == len(collected)
    assert beside.campaigns == alone.campaigns


def test_generated_mail_of_all_forms_is_the_same_again_and_both_kinds_share_the_forms() -> None:
    letters = list(generate(60, varied=True))

    assert letters == list(generate(60, varied=True))
    for phish in (True, False):
        held = [each.octets for each in letters if each.phish is phish]
        assert any(b"text/plain" in each for each in held)
        assert any(each.count(b"<img") > 4 for each in held)


def test_a_readers_name_is_never_a_feature() -> None:
    learnt = learn([sample(case("x", f"{' '.join(random.Random(n).choices(WORDS, k=40))} zebulon {'claim' if n % 2 else 'notes'}", "zebulon@pot.example"), (), phish=bool(n % 2)) for n in range(120)], "t", cap=6.0)  # fmt: skip

    assert not any("zebulon" in name for name in learnt.model.weights)


def test_too_little_is_said() -> None:
    with pytest.raises(TooLittleError):
        learn(samples()[:10], "test", cap=6.0)


def test_a_model_is_json_and_reads_back() -> None:
    model = Model("m", {"prize": 1.5, "x:html": -0.5}, dropped=frozenset({"a line of words"}), facts={"n": 1})

    assert read_model(write_model(model)) == model


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "portero.model/2"}', json.dumps({"schema": "portero.model/2", "slope": 1, "cap": 1, "weights": {"a": "b"}}), "[" * 100_000])  # fmt: skip
def test_what_is_no_model_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_model(text)


def test_intervals_are_wilsons() -> None:
    low, high = Rate(0, 100).interval
    assert (low, round(high, 4)) == (0.0, 0.037)
    assert Rate(0, 0).interval == (0.0, 1.0)


def test_a_model_says_nothing_of_mail_it_knows_nothing_of() -> None:
    model = learn(samples(), "test", cap=6.0).model
    strange = case("Wohlan", "Unbekanntes allein.")

    unknown = [name for name in features(strange) if name in model.weights and not name.startswith("x:")]

    assert unknown == []
    assert Model("m", {"prize": 1.5})(strange)[0] == 0.0


def test_words_that_one_of_several_collections_alone_knows_are_refused() -> None:
    def held(collection: str, number: int) -> Sample:
        phish = number % 2 == 1
        mark = f"mark{collection}x" if phish else "everywhere"
        ends = f"{mark} claim" if phish else "everywhere notes"
        words = " ".join(random.Random(f"{collection}{number}").choices(WORDS, k=40))
        return sample(case("x", f"{words} {ends if number % 20 < 6 else ''}"), (), phish=phish, collection=collection)  # fmt: skip

    several = [held(collection, number) for collection in ("a", "b") for number in range(120)]
    weights = learn(several, "t", cap=6.0).model.weights
    alone = learn([held("a", number) for number in range(120)], "t", cap=6.0).model.weights

    assert "markax" in alone
    assert {"markax", "markbx"}.isdisjoint(weights)
    assert weights["claim"] > 0 > weights["notes"]


@pytest.mark.parametrize(
    "address",
    ["https://list.example.org/x?y=z", "www.portal.de", "zebra@stripes.example", "lists.example.net/a"],
)
def test_addresses_in_the_text_are_no_features(address: str) -> None:
    told = set(features(case("x", f"meeting {address} draft")))

    assert told - set(features(case("x", "meeting draft"))) == set()


def test_authors_names_are_no_features() -> None:
    mail = read_mail(b"From: Zebulon Quill <x@y.example>\nSubject: x\n\nnotes")
    held = Case(mail, find_arrival(mail, Known()), Content(text="notes"), Known())

    assert not any("zebulon" in name or "quill" in name for name in features(held))
