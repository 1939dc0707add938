"""OCSF 1.6.0, held to the schema of its class."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from portero.exports.export import Report
from portero.exports.ocsf import EXPORT, VERSION

SCHEMA = Path(__file__).resolve().parents[1] / "schemas" / f"ocsf-{VERSION}-compliance_finding.json"


def events(report: Report) -> list[dict[str, Any]]:
    return [json.loads(line) for line in EXPORT.write(report).splitlines()]


@pytest.mark.parametrize("lang", ["en", "es"])
def test_every_event_validates(report: Callable[..., Report], lang: str) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))
    held = events(report(lang=lang))

    assert len(held) == len(report().audit.findings)
    for event in held:
        validator.validate(event)


def test_the_schema_is_one_that_can_fail() -> None:
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))

    assert list(validator.iter_errors({"class_uid": 2003}))


def test_outcomes_and_severities_keep_apart(report: Callable[..., Report]) -> None:
    held = {event["unmapped"]["outcome"]: event["compliance"]["status_id"] for event in events(report())}

    assert held == {"pass": 1, "warn": 2, "fail": 3, "unknown": 0, "not-applicable": 99}
    passed = [event for event in events(report()) if event["unmapped"]["outcome"] == "pass"]
    assert {event["severity_id"] for event in passed} == {1}


def test_what_is_accepted_is_suppressed(report: Callable[..., Report]) -> None:
    held = {event["compliance"]["control"]: event["status_id"] for event in events(report())}

    assert (held["SPAM-03"], held["CON-05"]) == (3, 1)
