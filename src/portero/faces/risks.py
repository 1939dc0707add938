"""The risk register of the plan: as a section of plan.md and as risks.csv."""

from __future__ import annotations

from portero.core.audit import Audit
from portero.core.text import Text
from portero.faces.plan_markdown import escaped
from portero.faces.render import Renderer
from portero.faces.tables import table

_COLUMNS = ("step", "risk", "likelihood", "evidence", "messages", "senders", "owner", "sign", "answer")


def risks_markdown(audit: Audit, renderer: Renderer) -> str:
    """Write the register as a section of plan.md; "" without any risk."""
    if not audit.risks:
        return ""
    say = renderer.text
    heads = (
        Text("Step"),
        Text("What may happen"),
        Text("How likely"),
        Text("By what evidence"),
        Text("Mails"),
        Text("Owner"),
        Text("Sign"),
        Text("Answer"),
    )
    lines = [
        f"## {escaped(say(Text('Risk register')))}",
        "",
        "| " + " | ".join(escaped(say(each)) for each in heads) + " |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for risk in audit.risks:
        cells = (
            str(risk.step),
            say(risk.what),
            renderer.value(risk.likelihood),
            say(risk.why),
            renderer.number(risk.mails) if risk.senders else "",
            say(risk.owner),
            say(risk.sign),
            _one_line(say(risk.answer)),
        )
        lines.append("| " + " | ".join(escaped(each) for each in cells) + " |")
    return "\n".join([*lines, "", ""])


def risks_csv(audit: Audit, renderer: Renderer) -> bytes:
    """Write a row for each risk, with all senders that it concerns."""
    say = renderer.text
    known = {each.id: say(each.label) for each in audit.senders}
    return table(
        _COLUMNS,
        (
            (
                risk.step,
                say(risk.what),
                renderer.value(risk.likelihood),
                say(risk.why),
                risk.mails if risk.senders else None,
                "; ".join(known.get(each, each) for each in risk.senders),
                say(risk.owner),
                say(risk.sign),
                _one_line(say(risk.answer)),
            )
            for risk in audit.risks
        ),
    )


def _one_line(commands: str) -> str:
    return commands.replace("\n", "; ")
