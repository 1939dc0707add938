"""SARIF 2.1.0, held to the schema that OASIS publishes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from portero.core.finding import Outcome
from portero.exports.export import Report
from portero.exports.sarif import EXPORT

SCHEMA = Path(__file__).resolve().parents[1] / "schemas" / "sarif-schema-2.1.0.json"


@pytest.mark.parametrize("lang", ["en", "es"])
def test_it_validates(report: Callable[..., Report], lang: str) -> None:
    document = json.loads(EXPORT.write(report(lang=lang)))

    jsonschema.Draft4Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(document)


def results(report: Callable[..., Report]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(EXPORT.write(report()))["runs"][0]["results"]
    return found


def test_only_what_failed_or_warns_has_a_level(report: Callable[..., Report]) -> None:
    for result in results(report):
        atfault = result["properties"]["outcome"] in {"fail", "warn"}
        assert (result["kind"] == "fail") is atfault
        assert (result["level"] != "none") is atfault


def test_what_nobody_could_answer_is_open_and_no_pass(report: Callable[..., Report]) -> None:
    kinds = {result["properties"]["outcome"]: result["kind"] for result in results(report)}

    assert set(kinds) == {each.value for each in Outcome}
    assert (kinds["unknown"], kinds["pass"], kinds["not-applicable"]) == ("open", "pass", "notApplicable")


def test_what_is_accepted_is_suppressed_by_name(report: Callable[..., Report]) -> None:
    held = {result["ruleId"]: result.get("suppressions", []) for result in results(report)}

    assert [each["justification"] for each in held["SPAM-03"]] == ["mail@contoso.com: until the move"]
    assert held["CON-05"] == []


def test_places_are_uris_with_lines(report: Callable[..., Report]) -> None:
    [first, second] = results(report)[0]["locations"]

    assert first["physicalLocation"]["artifactLocation"]["uri"] == "export.zip%21Get%20InboundConnector.json"
    assert first["physicalLocation"]["region"] == {"startLine": 3}
    assert second["physicalLocation"]["artifactLocation"]["uri"] == "a%20b/%C3%B1.json"
