"""OCSF 1.6.0 compliance findings, one JSON object a line: what security lakes take. Source: schema.ocsf.io."""

from __future__ import annotations

import json

from portero.core.finding import Finding, Outcome, Severity
from portero.core.text import Text
from portero.exports.export import Export, Report

VERSION = "1.6.0"
_CLASS, _CATEGORY, _CREATE = 2003, 2, 1
_SEVERITIES = {Severity.LOW: 2, Severity.MEDIUM: 3, Severity.HIGH: 4, Severity.CRITICAL: 5}
_INFORMATIONAL = 1
# The status of the evaluation; what is not applicable is none of the schema's own words.
_STATUSES = {
    Outcome.PASS: (1, "Pass"),
    Outcome.WARN: (2, "Warning"),
    Outcome.FAIL: (3, "Fail"),
    Outcome.UNKNOWN: (0, "Unknown"),
    Outcome.NOT_APPLICABLE: (99, "Not applicable"),
}
_NEW, _SUPPRESSED = 1, 3


def write(report: Report) -> bytes:
    """Write an event for each finding."""
    events = (_event(each, report) for each in report.audit.findings)
    return b"".join(json.dumps(event, ensure_ascii=True).encode() + b"\n" for event in events)


def _event(finding: Finding, report: Report) -> dict[str, object]:
    audit = report.audit
    moment = int(audit.generated_at.timestamp() * 1000)
    status, word = _STATUSES[finding.outcome]
    tenant = audit.organisation or (audit.accepted_domains[0] if audit.accepted_domains else "unknown")
    subjects = finding.subjects or (tenant,)
    return {
        "activity_id": _CREATE,
        "activity_name": "Create",
        "category_uid": _CATEGORY,
        "category_name": "Findings",
        "class_uid": _CLASS,
        "class_name": "Compliance Finding",
        "type_uid": _CLASS * 100 + _CREATE,
        "time": moment,
        "severity_id": _SEVERITIES[finding.severity] if finding.at_fault else _INFORMATIONAL,
        "status_id": _SUPPRESSED if finding.excused else _NEW,
        "message": report.say(finding.because),
        "metadata": {
            "version": VERSION,
            "product": {
                "name": "portero",
                "vendor_name": "portero",
                "version": report.version,
                "lang": report.lang,
            },
            "tenant_uid": tenant,
        },
        "finding_info": {
            "uid": f"{tenant}/{finding.id}",
            "title": report.say(finding.title),
            "desc": report.say(finding.because),
            "created_time": moment,
            "data_sources": [str(each) for each in finding.origins],
        },
        "compliance": {
            "control": finding.id,
            "standards": sorted(finding.maps) or ["portero"],
            "requirements": sorted(f"{name} {ids}" for name, ids in finding.maps.items()),
            "status_id": status,
            "status": word,
            "status_detail": report.say(finding.because),
        },
        "resources": [
            {"name": name, "type": "Microsoft 365", "uid": f"{tenant}/{name}"} for name in subjects
        ],
        "remediation": {"desc": f"{report.say(finding.fix)}\n\n{report.say(finding.undo)}"},
        "unmapped": {"outcome": finding.outcome.value, "severity": finding.severity.value},
    }


EXPORT = Export("ocsf", "findings.ocsf.jsonl", Text("OCSF compliance findings, for security lakes"), write)
