"""Sentences as JSON holds them: read back whole, and nothing that is none of ours."""

import json

import pytest

from portero.core.text import Text, as_document, count, from_document, label


@pytest.mark.parametrize(
    "text",
    [
        Text("{n} of {all} {{x}}", n=3, all=Text("every {thing}", thing=("a", "b"))),
        count("{n} row is cut.", "{n} rows are cut.", 7),
        label("risk", "high"),
    ],
)
def test_a_sentence_comes_back_as_it_went(text: Text) -> None:
    assert from_document(json.loads(json.dumps(as_document(text)))) == text


@pytest.mark.parametrize(
    "document",
    [
        None,
        "x",
        {"text": "x"},
        {"text": "{n.__class__}", "values": {"n": 1}},
        {"text": "{n[0]}", "values": {"n": "x"}},
        {"text": "{m}", "values": {"n": 1}},
        {"text": "{", "values": {}},
        {"text": "{n:{n.x}}", "values": {"n": 1}},
        {"text": "{n!r}", "values": {"n": 1}},
        {"text": "x", "context": 1, "values": {}},
        {"text": "x", "plural": "y", "values": {}},
        {"text": None, "values": {}},
        {"text": "{n}", "values": {"n": {"text": 4, "values": {}}}},
    ],
)
def test_what_is_no_sentence_of_ours_is_refused(document: object) -> None:
    with pytest.raises(ValueError):
        from_document(document)
