"""JUnit XML: what build servers show. What nobody could answer is skipped, which is no pass."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from portero.core.finding import Finding, Outcome
from portero.core.text import Text
from portero.exports.export import Export, Report, iso

_UNANSWERED = frozenset({Outcome.UNKNOWN, Outcome.NOT_APPLICABLE})
# What XML 1.0 cannot hold, section 2.2.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(report: Report) -> bytes:
    """Write a test case for each check, in a suite for each family of checks."""
    findings = report.audit.findings
    root = ET.Element("testsuites", {"name": "portero", **_counts(findings)})
    for family in dict.fromkeys(each.id.rpartition("-")[0] for each in findings):
        held = tuple(each for each in findings if each.id.rpartition("-")[0] == family)
        suite = ET.SubElement(
            root, "testsuite", {"name": family, "timestamp": iso(report.audit.generated_at), **_counts(held)}
        )
        for each in held:
            _case(suite, each, report)
    ET.indent(root, " ")
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _counts(findings: tuple[Finding, ...]) -> dict[str, str]:
    failed = sum(map(_fails, findings))
    skipped = sum(each.outcome in _UNANSWERED for each in findings)
    return {"tests": str(len(findings)), "failures": str(failed), "errors": "0", "skipped": str(skipped)}


def _fails(finding: Finding) -> bool:
    return finding.outcome is Outcome.FAIL and not finding.excused


def _case(suite: ET.Element, finding: Finding, report: Report) -> None:
    name = _clean(f"{finding.id} {report.say(finding.title)}")
    case = ET.SubElement(
        suite, "testcase", {"classname": f"portero.{finding.id.rpartition('-')[0]}", "name": name}
    )
    because = _clean(report.say(finding.because))
    if _fails(finding):
        failure = ET.SubElement(case, "failure", {"type": finding.severity.value, "message": because})
        failure.text = _clean(f"{report.say(finding.fix)}\n\n{report.say(finding.undo)}")
    elif finding.outcome in _UNANSWERED:
        ET.SubElement(case, "skipped", {"message": f"{report.say(finding.outcome)}: {because}"})
    else:
        ET.SubElement(case, "system-out").text = because


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)


EXPORT = Export("junit", "findings.junit.xml", Text("JUnit XML, for build servers"), write)
