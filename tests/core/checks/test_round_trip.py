"""Every command that a check offers is PowerShell, mends what it found, and its way back restores what was there."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

import pytest

from portero.core.checks import checks
from portero.core.exchange.change import Change
from portero.core.finding import Finding, Outcome
from portero.core.text import Text
from support.powershell_model import State, carry_out, evaluate, normal, parse
from support.scenes import (
    BY_HAND,
    CHECKS,
    NO_WAY_BACK,
    SCENES,
    SHOWN_LATER,
    ZONE,
    ZONES,
    exported,
    judged,
    state_of,
)

Build = Callable[..., Any]


def test_every_control_has_its_scene_or_the_reason_why_none_can_be() -> None:
    assert set(SCENES) | set(ZONES) | set(BY_HAND) == set(CHECKS)
    assert not set(SCENES) & set(BY_HAND)


@pytest.mark.parametrize("id_", sorted(SCENES))
def test_do_mends_and_undo_restores(id_: str, posture: Build, sender: Build) -> None:
    objects, fields = SCENES[id_]
    found = judged(id_, objects, posture, sender, fields)
    assert found.outcome in {Outcome.FAIL, Outcome.WARN}, str(found.because)
    assert found.changes

    state = state_of(objects)
    before = copy.deepcopy(state)
    for change in found.changes:
        carry_out(change.do, state)
        parse(change.verify)
    assert normal(state) != normal(before)
    after = judged(id_, exported(state, objects), posture, sender, fields)
    assert id_ in SHOWN_LATER or after.outcome is not Outcome.FAIL, str(after.because)
    assert (
        id_ in SHOWN_LATER or not set(after.subjects) & set(found.subjects) or after.outcome is Outcome.WARN
    ), str(after.because)

    if "-Ids '" in found.changes[0].do:
        # What is made anew gets an id of its own; it is found by the rest.
        state["TenantAllowBlockListSpoofItems"] = [
            {**each, "Identity": None} for each in state["TenantAllowBlockListSpoofItems"]
        ]
    for change in reversed(found.changes):
        if id_ not in NO_WAY_BACK:
            carry_out(change.undo, state)
    assert (normal(state) == normal(before)) is (id_ not in NO_WAY_BACK)


@pytest.mark.parametrize("id_", sorted(SCENES))
def test_a_script_knows_before_from_after_and_restores_what_it_read(
    id_: str, posture: Build, sender: Build
) -> None:
    objects, fields = SCENES[id_]
    state = state_of(objects)
    before, priors = copy.deepcopy(state), []
    for change in judged(id_, objects, posture, sender, fields).changes:
        prior = copy.deepcopy(seen(change, state))
        priors.append((change, prior))
        assert evaluate(change.unchanged, state, prior=prior) is True, change.unchanged
        assert evaluate(change.in_effect, state, current=prior) is False, change.in_effect
        carry_out(change.do, state)
        now = seen(change, state)
        assert evaluate(change.in_effect, state, current=now) is True, change.in_effect
        assert evaluate(change.unchanged, state, prior=now) is False, change.unchanged
    for change, prior in reversed(priors):
        if id_ not in NO_WAY_BACK:
            carry_out(change.restore, state, prior)

    assert (normal(state) == normal(before)) is (id_ not in NO_WAY_BACK)


def seen(change: Change, state: State) -> Any:
    """Give what a script reads: a pipeline that finds nothing gives null, and one that finds one thing gives that."""
    found = evaluate(change.read, state)
    if isinstance(found, list):
        assert len(found) < 2, change.read
        return found[0] if found else None
    return found


@pytest.mark.parametrize("id_", sorted(SCENES))
def test_the_text_a_person_copies_is_those_commands(id_: str, posture: Build, sender: Build) -> None:
    objects, fields = SCENES[id_]
    found = judged(id_, objects, posture, sender, fields)
    script = "\n".join(dict.fromkeys(change.do for change in found.changes))

    assert script in str(found.fix)


@pytest.mark.parametrize("check", checks(), ids=lambda check: check.id)
def test_general_commands_are_powershell_too(check: Any) -> None:
    for text in (check.fix, check.undo):
        commands = dict(text.values).get("commands") or dict(text.values).get("command")
        if isinstance(commands, str):
            parse(commands)


@pytest.mark.parametrize("id_", sorted(ZONES))
def test_records_mend_and_the_previous_ones_come_back(id_: str, posture: Build, sender: Build) -> None:
    zone, fields = ZONES[id_]
    objects = fields.get("objects", {})
    rest = {name: value for name, value in fields.items() if name != "objects"}
    dns = {**ZONE, **zone}
    found = judged(id_, objects, posture, sender, {**rest, "dns": dns})
    assert found.outcome in {Outcome.FAIL, Outcome.WARN}, str(found.because)

    published = publish(dns, str(dict(found.fix.values)["records"]))
    after = judged(id_, objects, posture, sender, {**rest, "dns": published})
    assert after.outcome is not Outcome.FAIL or improved(found, after), str(after.because)

    assert restore(published, found.undo) == dns


def improved(before: Finding, after: Finding) -> bool:
    """DNS-09 goes one step at a time, so a step forward is what it promises."""
    return before.id == "DNS-09" and str(before.because) != str(after.because)


def publish(zone: dict[tuple[str, str], list[str]], lines: str) -> dict[tuple[str, str], list[str]]:
    """Put records in place of what stands at their names; TXT records of other purposes stay."""
    made: dict[tuple[str, str], list[str]] = {}
    for line in lines.splitlines():
        name, kind, data = line.split(" ", 2)
        made.setdefault((name.rstrip("."), kind), []).append(read(kind, data))
    return {**zone, **made}


def restore(zone: dict[tuple[str, str], list[str]], undo: Text) -> dict[tuple[str, str], list[str]]:
    values = dict(undo.values)
    names = values.get("names", ())
    assert isinstance(names, tuple)
    gone = {key: [] if f"{key[0]}." in names else answers for key, answers in zone.items()}
    return publish(gone, str(values.get("records", "")))


def read(kind: str, data: str) -> str:
    if kind == "MX":
        host = data.split()[-1]
        return f"{data.split()[0]} {host if host == '.' else host.rstrip('.')}"
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', data)).replace('\\"', '"')
