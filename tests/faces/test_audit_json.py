"""audit.json has exactly the contract's names, machine values, and nothing a terminal obeys."""

from __future__ import annotations

import json
import re
from types import ModuleType

import pytest

from portero.core.audit import Audit
from portero.faces.audit_json import audit_document
from portero.faces.json_text import as_json
from portero.faces.render import Renderer

# Contract section 4, in its order.
KEYS = {
    "audit": ["schema", "generated_at", "window", "organisation", "evidence", "gaps", "senders", "simulations",
              "findings", "plan"],
    "evidence": ["origin", "kind", "rows", "from", "to", "notes"],
    "gaps": ["origin", "line", "reason", "count"],
    "senders": ["id", "label", "kind", "judgement", "confidence", "decided_by", "path", "connector",
                "client_networks", "mail_from_domains", "header_from_domains", "header_from", "ehlo", "messages",
                "witnesses", "recipients", "first_seen", "last_seen", "because"],
    "simulations": ["controls", "messages", "senders"],
    "findings": ["id", "title", "outcome", "severity", "because", "origins", "fix", "undo", "maps"],
    "plan": ["n", "title", "why", "do", "verify", "undo", "after", "senders", "risk", "owner"],
}  # fmt: skip


def written(audit: Audit, lang: str = "en") -> dict[str, list[dict[str, object]]]:
    document: dict[str, list[dict[str, object]]] = json.loads(as_json(audit_document(audit, Renderer(lang))))
    return document


def test_every_key_of_the_contract_is_there_in_its_order(audit: Audit) -> None:
    document = written(audit)
    assert [key for key in document if key in KEYS["audit"]] == KEYS["audit"]
    for part in ("evidence", "gaps", "senders", "simulations", "findings", "plan"):
        for item in document[part]:
            assert [key for key in item if key in KEYS[part]] == KEYS[part]
    for simulation in document["simulations"]:
        assert isinstance(simulation["messages"], dict)
        assert list(simulation["messages"]) == ["refused", "kept", "undetermined"]


def test_times_are_iso_with_z_and_missing_ones_null(audit: Audit) -> None:
    document = written(audit)
    assert document["generated_at"] == "2026-11-24T10:00:00Z"
    assert document["window"] == {"from": "2026-10-13T00:04:00Z", "to": "2026-11-23T23:51:00Z"}
    assert document["evidence"][2]["from"] is None


def test_reasons_add_up_and_name_their_rows(audit: Audit) -> None:
    for made, sender in zip(written(audit)["senders"], audit.senders, strict=True):
        reasons = made["because"]
        assert isinstance(reasons, list)
        assert sum(each["weight"] for each in reasons) == pytest.approx(
            sum(each.weight for each in sender.because)
        )
        assert reasons[0]["origins"] == ["trace.csv:17", "trace.csv:412"]


def test_sentences_follow_the_language_and_values_do_not(audit: Audit) -> None:
    english, spanish = written(audit), written(audit, "es")
    assert spanish["senders"][0]["kind"] == "mailbox"
    assert [each["messages"] for each in spanish["senders"]] == [
        each["messages"] for each in english["senders"]
    ]


def test_hostile_evidence_is_kept_exactly_and_obeyed_by_nobody(sample: ModuleType) -> None:
    document = audit_document(sample.hostile_audit(), Renderer("en"))
    text = as_json(document)
    text.encode("utf-8")
    assert not re.search(
        r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]", text
    )
    assert json.loads(text) == document
    assert json.loads(text)["senders"][0]["ehlo"] == list(sample.HOSTILE)


def test_every_character_survives() -> None:
    every = "".join(map(chr, (*range(0x250), 0x2028, 0x202E, 0xD800, 0xE0041, 0x1F600)))
    assert json.loads(as_json([every])) == [every]


def test_letters_stay_readable() -> None:
    assert "ñandú" in as_json({"a": "ñandú"})


def test_the_steps_name_whom_the_last_simulation_counts_as_moved(audit: Audit) -> None:
    document = written(audit)
    named = [step["moved"] for step in document["plan"]]
    moved = {each for held in named if isinstance(held, list) for each in held}
    last = document["simulations"][-1]["senders"]
    assert isinstance(last, list)
    assert moved == {each.id for each in audit.senders if any(each.id in step.moved for step in audit.plan)}
    assert all(each["effect"] == "kept" for each in last if each["sender"] in moved)
