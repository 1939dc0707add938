"""plan.md: the plan for a reader, in Markdown in which no value of the evidence means anything but itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from portero.core.migration import Migration, Road
from portero.core.sender import Sender
from portero.core.step import Step
from portero.core.text import Text
from portero.faces.render import Renderer

# Signs by which Markdown, or HTML inside it, gives text a meaning wherever they stand; a parenthesis or an exclamation
# mark has one only beside a bracket. Source: CommonMark 0.31 section 2.4 and 6.
_SIGNS = re.compile(r"([\\`*_\[\]<>#|~&$@]|:(?=//))")
# An address or a mailbox that a viewer would turn into a link is broken up by the escapes of ``://`` and ``@``; the dot
# after ``www`` is the one way left (GitHub Flavored Markdown, autolinks).
_BARE = re.compile(r"\bwww\.", re.IGNORECASE)
# What begins a list, a rule or a heading where it stands first. Source: CommonMark 0.31 sections 4.1, 4.3 and 5.2.
_FIRST = re.compile(r"^(\d*)([.)=+-])")


def escaped(text: str) -> str:
    """Write text so that Markdown shows it as it is, on one line."""
    line = " ".join(text.split())
    line = _SIGNS.sub(r"\\\1", line)
    line = _BARE.sub(lambda found: found.group().replace(".", r"\."), line)
    return _FIRST.sub(r"\1\\\2", line)


def plan_markdown(
    steps: Sequence[Step],
    senders: Sequence[Sender],
    renderer: Renderer,
    migrations: Mapping[str, Migration] | None = None,
) -> str:
    """
    Write the plan, and how each sender sends from then on.

    senders:     those of the audit, for their labels.
    migrations:  by sender id; those that stay as they are, are left out.
    Source: contract section 3.
    """
    say = renderer.text
    known = {sender.id: say(sender.label) for sender in senders}
    lines = [f"# {escaped(say(Text('The plan')))}", ""]
    lines += [
        escaped(
            say(
                Text(
                    "No step refuses mail before the senders that must be kept have another way in. Nothing is run: "
                    "apply.ps1, verify.ps1 and rollback.ps1 are for you to review."
                )
            )
        ),
        "",
    ]
    for step in steps:
        lines += _step(step, known, renderer)
    return "\n".join([*lines, *_roads(senders, migrations or {}, renderer)])


def _roads(senders: Sequence[Sender], migrations: Mapping[str, Migration], renderer: Renderer) -> list[str]:
    moving = [each for each in senders if each.id in migrations and not _stays(migrations[each.id])]
    if not moving:
        return []
    say = renderer.text
    heads = (Text("Sender"), Text("From then on"), Text("By"), Text("Why"), Text("Cost"))
    lines = [
        f"## {escaped(say(Text('How each sender sends from then on')))}",
        "",
        "| " + " | ".join(escaped(say(each)) for each in heads) + " |",
        "|---|---|---|---|---|",
    ]
    for sender in moving:
        held = migrations[sender.id]
        cells = (
            say(sender.label),
            renderer.value(held.road),
            renderer.date(held.by) if held.by else "",
            say(held.why),
            say(held.cost) if held.cost else "",
        )
        lines.append("| " + " | ".join(escaped(each) for each in cells) + " |")
    return [*lines, ""]


def _stays(held: Migration) -> bool:
    return held.road is Road.STAY and held.by is None


def _step(step: Step, known: dict[str, str], renderer: Renderer) -> list[str]:
    say = renderer.text
    lines = [f"## {step.n}\\. {escaped(say(step.title))}", ""]
    rows = [
        (Text("Why"), say(step.why)),
        (Text("Do"), say(step.do)),
        (Text("Verify"), say(step.verify)),
        (Text("Undo"), say(step.undo)),
        (Text("Owner"), say(step.owner)),
        (Text("Risk"), renderer.label("risk", step.risk.value)),
        (Text("By"), renderer.date(step.by) if step.by else ""),
        (Text("After steps"), renderer.joined([str(number) for number in step.after])),
        (Text("Senders"), renderer.joined([known.get(each, each) for each in step.senders])),
        (Text("Controls in force"), renderer.joined(list(step.controls))),
    ]
    lines += [f"- **{escaped(say(name))}** {escaped(value)}" for name, value in rows if value]
    if step.commands:
        lines += ["", *_fenced([command.do for command in step.commands])]
    return [*lines, ""]


def _fenced(commands: Sequence[str]) -> list[str]:
    """Show commands in a fence longer than any run of backticks within."""
    longest = max((len(run) for command in commands for run in re.findall("`+", command)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}powershell", *commands, fence]
