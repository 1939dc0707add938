"""The proving ground: on generated organisations nobody legitimate is accused and nothing safe is cut off."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from portero import wiring
from portero.core.finding import Profile
from portero.faces.audit_json import audit_document
from portero.faces.render import Renderer
from portero.proving.axes import draw_ordinary
from portero.proving.generate import generate
from portero.proving.ledger import ledger
from portero.proving.score import score
from portero.proving.writers.export import write

# Any will do; more are tried by hand, see docs/proving-ground.md.
ORDINARY = (1003, 1009, 1012, 1023)
ANY = (4, 8, 22)


def scored(folder: Path, seed: int, *, ordinary: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    axes = draw_ordinary(Random(seed)) if ordinary else None
    organisation = generate(seed, axes)
    write(organisation, folder)
    audit = wiring.audit([folder], config=None, profile=Profile.STANDARD, progress=lambda _: None)
    document = json.loads(json.dumps(audit_document(audit, Renderer()), default=str))
    return document, score(document, json.loads(json.dumps(ledger(organisation))))


@pytest.mark.parametrize(("seed", "ordinary"), [*((s, True) for s in ORDINARY), *((s, False) for s in ANY)])
def test_the_two_worst_mistakes_are_not_made(tmp_path: Path, seed: int, ordinary: bool) -> None:
    document, found = scored(tmp_path, seed, ordinary=ordinary)
    assert found["judgement"]["false_accusations"] == []
    assert {each["control"]: each["said_kept_but_refused"] for each in found["simulations"]} == {
        each["control"]: 0 for each in found["simulations"]
    }
    assert found["counting"]["excess"] == 0
    ids = [sender["id"] for sender in document["senders"]]
    assert len(ids) == len(set(ids))
    if ordinary:
        assert found["judgement"]["accuracy"] >= 0.97
