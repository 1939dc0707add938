"""Values become sentences as the glossary says, and evidence in them only ever gets read."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.core.evidence import Origin
from portero.core.sender import DecidedBy, Judgement
from portero.core.text import Text, count
from portero.faces.labels import FIELDS, LABELS, certainty
from portero.faces.render import Renderer, by_document, plain

EN, ES, HTML = Renderer("en"), Renderer("es"), Renderer("es", html=True)


@pytest.mark.parametrize(
    ("number", "english", "spanish"),
    [
        (0, "0", "0"),
        (4820, "4,820", "4820"),
        (12345, "12,345", "12\u00a0345"),
        (1234567, "1,234,567", "1\u00a0234\u00a0567"),
        (-0.001, "0", "0"),
        (0.87, "0.87", "0,87"),
        (-12345.5, "−12,345.5", "−12\u00a0345,5"),
    ],
)
def test_numbers_are_grouped_by_each_language(number: float, english: str, spanish: str) -> None:
    assert EN.number(number) == english
    assert ES.number(number) == spanish


def test_a_browser_gets_the_narrow_space_in_thousands() -> None:
    assert HTML.number(12345) == "12\u202f345"


@pytest.mark.parametrize(
    ("share", "english", "spanish"),
    [(0, "0%", "0\u00a0%"), (0.873, "87.3%", "87,3\u00a0%"), (1, "100%", "100\u00a0%"),
     (0.9999, ">99.9%", ">99,9\u00a0%"), (0.0001, "<0.1%", "<0,1\u00a0%")],
)  # fmt: skip
def test_a_share_is_never_rounded_to_all_or_nothing(share: float, english: str, spanish: str) -> None:
    assert EN.percent(share) == english
    assert ES.percent(share) == spanish


def test_a_weight_is_shown_with_its_sign() -> None:
    said = Text("{weight}", weight=-2.2)
    assert (EN.text(said), ES.text(said), EN.text(Text("{weight}", weight=1))) == ("−2.2", "−2,2", "+1.0")


def test_what_is_found_begins_with_a_capital_and_a_name_as_it_is_written() -> None:
    policy = Text("the policy for {domain} is {policy}", domain="contoso.com", policy="none")
    named = Text("{domain} ends in ~all", domain="contoso.com")
    assert EN.text(Text("{faults}.", faults=(policy, named))) == (
        "The policy for contoso.com is none and contoso.com ends in ~all."
    )
    assert ES.text(Text("{faults}.", faults=(policy,))).startswith("La directiva")
    assert EN.text(Text("{faults}.", faults=(named,))) == "contoso.com ends in ~all."


def test_a_sentence_knows_a_share_and_an_identifier_by_name() -> None:
    text = Text(
        "{share} by line {line}, port {port}, of {rows}", share=0.5, line=12345, port=10025, rows=12345
    )
    assert EN.text(text) == "50% by line 12345, port 10025, of 12,345"


def test_times_carry_their_zone_and_are_utc() -> None:
    madrid = datetime(2026, 11, 24, 19, 5, tzinfo=timezone(timedelta(hours=1)))
    assert EN.time(madrid) == "24 Nov 2026, 18:05 UTC"
    assert ES.time(madrid) == "24 nov 2026, 18:05 UTC"
    assert ES.value(madrid) == "24 de noviembre de 2026, 18:05 UTC"
    assert ES.value(date(2026, 3, 1)) == "1 de marzo de 2026"
    assert EN.time(datetime(1, 1, 1, tzinfo=UTC)) == "1 Jan 1, 00:00 UTC"


@pytest.mark.parametrize(
    ("items", "spanish"),
    [
        ((), ""),
        (("Microsoft",), "Microsoft"),
        (("Microsoft", "IONOS"), "Microsoft e IONOS"),
        (("uno", "dos", "tres"), "uno, dos y tres"),
        (("padre", "hijo"), "padre e hijo"),
        (("agua", "hielo"), "agua y hielo"),
    ],
)
def test_spanish_lists_avoid_two_equal_sounds(items: tuple[str, ...], spanish: str) -> None:
    assert ES.joined(items) == spanish


def test_spanish_alternatives_avoid_two_equal_sounds() -> None:
    assert ES.alternatives(("Mailchimp", "Oracle")) == "Mailchimp u Oracle"
    assert ES.alternatives(("Oracle", "Mailchimp")) == "Oracle o Mailchimp"


def test_zero_takes_the_plural_in_both_languages() -> None:
    def senders(n: int) -> Text:
        return count("{n} sender", "{n} senders", n)

    assert [EN.text(senders(n)) for n in (0, 1, 2)] == ["0 senders", "1 sender", "2 senders"]
    assert [ES.text(senders(n)) for n in (0, 1, 2)] == ["0 remitentes", "1 remitente", "2 remitentes"]


def test_one_english_word_has_the_gender_of_its_noun() -> None:
    assert ES.label("severity", "high") == "alta"
    assert ES.label("risk", "high") == "alto"
    assert ES.label("path", "undetermined") == "indeterminada"
    assert ES.label("effect", "undetermined") == "indeterminado"


def test_every_value_that_bears_a_label_stands_in_the_core_and_has_one() -> None:
    for name, field in FIELDS.items():
        module, _, kind = name.rpartition(".")
        values = getattr(import_module(module), kind)
        # "none" is said where there is no ruling at all.
        assert {each.value for each in values} == set(LABELS[field]) - {"none"}


def test_every_label_is_translated_to_a_different_text_or_a_name() -> None:
    same = {
        (field, value)
        for field, values in LABELS.items()
        for value, text in values.items()
        if ES.text(text) == EN.text(text)
    }
    products = {("road", name) for name in ("high-volume-email", "communication-services", "graph")}
    assert same == {("message-judgement", "phish"), ("path", "direct-send")} | products


@pytest.mark.parametrize(
    ("confidence", "words"),
    [(0.95, "Almost certainly abuse"), (0.94, "Very probably abuse"), (0.80, "Very probably abuse"),
     (0.79, "Probably abuse"), (0.50, "Probably abuse"), (0.49, "Undecided")],
)  # fmt: skip
def test_words_of_certainty_match_the_number(confidence: float, words: str) -> None:
    assert str(certainty(Judgement.ABUSE, confidence, DecidedBy.EVIDENCE)) == words


def test_a_person_is_named_as_the_one_who_decided() -> None:
    assert str(certainty(Judgement.LEGITIMATE, 1.0, DecidedBy.PERSON)) == "Legitimate: a person decided"


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[2J\x1b]0;owned\x07", "\\x1b[2J\\x1b]0;owned\\x07"),
        ("invoice\u202egpj.exe", "invoice\\u202egpj.exe"),
        ("one\r\ntwo\tthree", "one\\x0d\\x0atwo\\x09three"),
        ("\x9b31m", "\\x9b31m"),
        ("a\u2028b\u200bc\ufeff", "a\\u2028b\\u200bc\\ufeff"),
        ("\U000e0041", "\\U000e0041"),
        ("\ud800", "\\ud800"),
        ("ñandú 日本 👩\u200d💻", "ñandú 日本 👩\u200d💻"),
    ],
)
def test_evidence_cannot_steer_a_terminal(hostile: str, shown: str) -> None:
    assert plain(hostile) == shown
    assert EN.text(Text("Subject “{subject}”", subject=hostile)) == f"Subject “{shown}”"
    assert EN.text(Text("Subjects {all}", all=(hostile,))) == f"Subjects {shown}"


@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_no_evidence_leaves_anything_a_terminal_obeys(evidence: str) -> None:
    shown = plain(evidence)
    shown.encode("utf-8")
    assert not any(
        ord(each) < 0x20 or 0x7F <= ord(each) <= 0x9F or "\u202a" <= each <= "\u202e" for each in shown
    )
    assert plain(shown) == shown


def test_a_template_in_evidence_stays_text() -> None:
    assert (
        EN.text(Text("Sender {name}", name="{name.__class__} %(x)s {0}"))
        == "Sender {name.__class__} %(x)s {0}"
    )


def test_commands_keep_their_lines_and_nothing_else_that_is_obeyed() -> None:
    assert EN.text(Text("{commands}", commands="Get-A\nGet-B\x1b[m")) == "Get-A\nGet-B\\x1b[m"


def test_another_language_is_refused() -> None:
    with pytest.raises(ValueError, match="'fr'"):
        Renderer("fr")


def test_places_are_told_by_document_with_their_lines_in_order() -> None:
    places = [Origin("a.csv", 9), Origin("b.json"), Origin("a.csv", 2)]
    assert by_document(places) == (("a.csv", [9, 2]), ("b.json", []))
