"""What an audit leaves behind: its files, and its findings in any format."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from portero.core.audit import Audit
from portero.exports import exports
from portero.exports.export import Report
from portero.faces.audit_json import audit_document, finding_document
from portero.faces.json_text import as_json
from portero.faces.plan_markdown import plan_markdown
from portero.faces.powershell import scripts
from portero.faces.render import Renderer
from portero.faces.report.page import render_report
from portero.faces.risks import risks_csv, risks_markdown
from portero.faces.tables import findings_csv, senders_csv
from portero.faces.version import installed
from portero.faces.waves import plan_csv, plan_ics, waves_markdown


def formats() -> Mapping[str, str]:
    """Give the formats of findings and what their files are called."""
    return {"csv": "findings.csv", "json": "findings.json"} | {each.id: each.file for each in exports()}


def export(audit: Audit, form: str, lang: str) -> bytes:
    """Write an audit's findings in one format."""
    renderer = Renderer(lang)
    if form == "csv":
        return findings_csv(audit, renderer)
    if form == "json":
        return as_json([finding_document(each, renderer) for each in audit.findings]).encode()
    report = Report(audit, renderer.value, lang, installed())
    return next(each for each in exports() if each.id == form).write(report)


def write(audit: Audit, out: Path, lang: str) -> list[Path]:
    """Write the files of an audit and give their paths."""
    return _write_files(out, files(audit, lang))


def write_plan(audit: Audit, out: Path, lang: str) -> list[Path]:
    """Write the plan and its scripts alone and give their paths."""
    return _write_files(out, _plan_files(audit, Renderer(lang)))


def files(audit: Audit, lang: str) -> Mapping[str, bytes]:
    """Give the files of an audit by name. Source: contract section 3."""
    renderer = Renderer(lang)
    return {
        "audit.json": as_json(audit_document(audit, renderer)).encode(),
        "senders.csv": senders_csv(audit, renderer),
        "findings.csv": findings_csv(audit, renderer),
        "report.html": render_report(audit, lang).encode(),
        **_plan_files(audit, renderer),
    }


def _plan_files(audit: Audit, renderer: Renderer) -> dict[str, bytes]:
    plan = plan_markdown(audit.plan, audit.senders, renderer, audit.migrations)
    return {
        "plan.md": (plan + risks_markdown(audit, renderer) + waves_markdown(audit, renderer)).encode(),
        "plan.csv": plan_csv(audit, renderer),
        "risks.csv": risks_csv(audit, renderer),
        "plan.ics": plan_ics(audit, renderer),
        **scripts(audit.plan, renderer.text),
    }


def _write_files(out: Path, files: Mapping[str, bytes]) -> list[Path]:
    out.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (out / name).write_bytes(content)
    return [out / name for name in files]
