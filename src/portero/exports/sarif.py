"""SARIF 2.1.0: what code-scanning views show. Source: OASIS SARIF 2.1.0 with errata 01."""

from __future__ import annotations

import json
from urllib.parse import quote

from portero.core.acceptance import Standing
from portero.core.evidence import Origin
from portero.core.finding import Finding, Outcome, Severity
from portero.core.text import Text
from portero.exports.export import Export, Report, iso

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
# 3.27.9 and 3.27.10: what did not fail has a kind, and the level none.
_KINDS = {
    Outcome.PASS: "pass",
    Outcome.NOT_APPLICABLE: "notApplicable",
    Outcome.UNKNOWN: "open",
    Outcome.WARN: "fail",
    Outcome.FAIL: "fail",
}
_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
}
# What code-scanning views sort by, on the scale of CVSS: the middle of each band.
_SCORES = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "2.0"}


def write(report: Report) -> bytes:
    """Write one run with a rule for each check and a result for each finding."""
    findings = report.audit.findings
    driver = {
        "name": "portero",
        "version": report.version,
        "language": report.lang,
        "rules": [_rule(each, report) for each in findings],
    }
    run = {
        "tool": {"driver": driver},
        "language": report.lang,
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True, "endTimeUtc": iso(report.audit.generated_at)}],
        "results": [_result(each, number, report) for number, each in enumerate(findings)],
    }
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return (json.dumps(document, ensure_ascii=True, indent=1) + "\n").encode()


def _rule(finding: Finding, report: Report) -> dict[str, object]:
    text = f"{report.say(finding.fix)}\n\n{report.say(finding.undo)}"
    return {
        "id": finding.id,
        "name": finding.id,
        "shortDescription": {"text": report.say(finding.title)},
        "help": {"text": text},
        "defaultConfiguration": {"level": _LEVELS[finding.severity]},
        "properties": {
            "security-severity": _SCORES[finding.severity],
            "tags": ["security", *sorted(f"{name}: {ids}" for name, ids in finding.maps.items())],
        },
    }


def _result(finding: Finding, number: int, report: Report) -> dict[str, object]:
    failed = finding.outcome is Outcome.FAIL
    level = _LEVELS[finding.severity] if failed else "note" if finding.outcome is Outcome.WARN else "none"
    result: dict[str, object] = {
        "ruleId": finding.id,
        "ruleIndex": number,
        "kind": _KINDS[finding.outcome],
        "level": level,
        "message": {"text": report.say(finding.because)},
        "locations": [_location(each) for each in finding.origins],
        "properties": {"outcome": finding.outcome.value, "severity": finding.severity.value},
    }
    if finding.excused:
        result["suppressions"] = [
            {
                "kind": "external",
                "status": "accepted",
                "justification": f"{each.acceptance.owner}: {each.acceptance.reason}",
            }
            for each in finding.accepted
            if each.standing is Standing.IN_FORCE
        ]
    return result


def _location(origin: Origin) -> dict[str, object]:
    place: dict[str, object] = {
        "artifactLocation": {"uri": quote(origin.document.replace("\\", "/"), safe="/")}
    }
    if origin.line:
        place["region"] = {"startLine": origin.line}
    return {"physicalLocation": place}


EXPORT = Export("sarif", "findings.sarif", Text("SARIF 2.1.0, for code-scanning views"), write)
