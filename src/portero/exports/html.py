"""HTML: findings as one page that opens without a network and runs nothing."""

from __future__ import annotations

from html import escape

from portero.core.finding import Finding, Outcome
from portero.core.remedy import effect
from portero.core.text import Text
from portero.exports.export import Export, Report, iso

_ORDER = (Outcome.FAIL, Outcome.UNKNOWN, Outcome.WARN, Outcome.PASS, Outcome.NOT_APPLICABLE)
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.4rem;border-bottom:1px solid #ccc}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f4f4f4;padding:.6rem}.fail{color:#a30000}.pass{color:#0a5c0a}"
    ".warn,.unknown{color:#7a4b00}"
)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def write(report: Report) -> bytes:
    """Write the page; nothing of the evidence in it is markup."""
    say = report.say
    findings = sorted(report.audit.findings, key=lambda each: (_ORDER.index(each.outcome), each.id))
    title = escape(say(Text("Posture")))
    heads = "".join(f'<th scope="col">{escape(say(head))}</th>' for head in _HEADS)
    body = "".join(_row(each, report) for each in findings)
    page = (
        f'<!doctype html><html lang="{report.lang}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f'<meta name="viewport" content="width=device-width"><title>portero · {title}</title><style>{_STYLE}</style></head>'
        f"<body><main><h1>{title}</h1><p>{escape(report.audit.organisation or '')} "
        f"<time>{iso(report.audit.generated_at)}</time></p>"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></main></body></html>\n"
    )
    return page.encode("utf-8", "replace")


_HEADS = (Text("Check"), Text("Outcome"), Text("Severity"), Text("Finding"))


def _row(finding: Finding, report: Report) -> str:
    say = report.say
    text = f"<strong>{escape(say(finding.title))}</strong><br>{escape(say(finding.because))}"
    if finding.at_fault:
        if finding.effect is not None:
            text += f"<p>{escape(say(effect(finding.effect)))}</p>"
        text += f"<details><summary>{escape(say(Text('Fix')))}</summary><pre>{escape(say(finding.fix))}</pre>"
        text += f"<p>{escape(say(Text('Way back')))}</p><pre>{escape(say(finding.undo))}</pre></details>"
    return (
        f'<tr id="{escape(finding.id.lower())}"><th scope="row">{escape(finding.id)}</th>'
        f'<td class="{finding.outcome.value}">{escape(say(finding.outcome))}</td>'
        f"<td>{escape(say(finding.severity))}</td><td>{text}</td></tr>"
    )


EXPORT = Export("html", "findings.html", Text("HTML, one page that opens without a network"), write)
