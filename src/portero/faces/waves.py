"""The plan in time: as a section of plan.md, as plan.csv for ticket systems and as plan.ics for calendars."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, timedelta

from portero.core.audit import Audit
from portero.core.step import Step
from portero.core.text import Text
from portero.faces.plan_markdown import escaped
from portero.faces.render import Renderer
from portero.faces.tables import table

_COLUMNS = (
    "wave", "stage", "wave_title", "window", "watch_until", "step", "title", "owner", "risk", "senders", "do", "verify",
    "undo", "business", "operations",
)  # fmt: skip


def waves_markdown(audit: Audit, renderer: Renderer) -> str:
    """Write the waves as a section of plan.md; "" without any."""
    if not audit.waves:
        return ""
    say = renderer.text
    lines = [f"## {escaped(say(Text('Waves')))}", ""]
    for wave in audit.waves:
        lines += [f"### {wave.n}\\. {escaped(say(wave.title))}", ""]
        rows = [
            (Text("Window"), renderer.date(wave.window)),
            (Text("Watched until"), renderer.date(wave.watched)),
            (Text("Steps"), renderer.joined([str(each.step) for each in wave.parts])),
            (Text("Senders"), renderer.joined(_labels(wave.senders, audit, renderer))),
            (Text("Tell the people concerned"), say(wave.business)),
            (Text("Tell those on duty"), say(wave.operations)),
            *((Text("Probe"), say(each)) for each in wave.probes),
        ]
        lines += [f"- **{escaped(say(name))}** {escaped(value)}" for name, value in rows if value]
        lines.append("")
    return "\n".join(lines) + "\n"


def plan_csv(audit: Audit, renderer: Renderer) -> bytes:
    """Write a row for each step of each wave, for a ticket system."""
    steps = {each.n: each for each in audit.plan}
    return table(_COLUMNS, _rows(audit, steps, renderer))


def _rows(audit: Audit, steps: Mapping[int, Step], renderer: Renderer) -> Iterator[tuple[object, ...]]:
    say = renderer.text
    for wave in audit.waves:
        for part in wave.parts:
            step = steps[part.step]
            yield (
                wave.n,
                wave.stage.value,
                say(wave.title),
                wave.window.isoformat(),
                wave.watched.isoformat(),
                step.n,
                say(step.title),
                say(step.owner),
                step.risk.value,
                "; ".join(_labels(part.senders, audit, renderer)),
                say(step.do).replace("\n", "; "),
                say(step.verify).replace("\n", "; "),
                say(step.undo).replace("\n", "; "),
                say(wave.business),
                say(wave.operations),
            )


def _labels(senders: Sequence[str], audit: Audit, renderer: Renderer) -> list[str]:
    asked = frozenset(senders)
    known = {each.id: renderer.text(each.label) for each in audit.senders if each.id in asked}
    return [known.get(each, each) for each in senders]


def plan_ics(audit: Audit, renderer: Renderer) -> bytes:
    """
    Write the waves as a calendar: a day for each change, and the days on which it is watched.

    Source: RFC 5545 sections 3.1 (lines and folding), 3.3.11 (text), 3.6.1 (VEVENT).
    """
    stamp = audit.generated_at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    say = renderer.text
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//portero//plan//EN", "CALSCALE:GREGORIAN"]
    for wave in audit.waves:
        told = "\n".join((say(wave.operations), say(wave.business), *(say(each) for each in wave.probes)))
        name = say(Text("Wave {number}: {title}", number=wave.n, title=wave.title))
        lines += _event(f"wave-{wave.n}-{stamp}", stamp, wave.window, wave.window, name, told)
        if wave.watched > wave.window:
            watch = say(Text("Watch wave {number}: {title}", number=wave.n, title=wave.title))
            first = wave.window + timedelta(days=1)
            lines += _event(
                f"watch-{wave.n}-{stamp}", stamp, first, wave.watched, watch, say(wave.operations)
            )
    return b"".join(_folded(line) for line in [*lines, "END:VCALENDAR"])


def _event(identity: str, stamp: str, first: date, last: date, name: str, told: str) -> list[str]:
    return [
        "BEGIN:VEVENT",
        f"UID:{identity}@portero",
        f"DTSTAMP:{stamp}",
        f"DTSTART;VALUE=DATE:{first:%Y%m%d}",
        f"DTEND;VALUE=DATE:{last + timedelta(days=1):%Y%m%d}",
        f"SUMMARY:{_calendar_text(name)}",
        f"DESCRIPTION:{_calendar_text(told)}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _calendar_text(text: str) -> str:
    return re.sub(r"\r?\n", r"\\n", re.sub(r"([\\;,])", r"\\\1", text))


def _folded(line: str) -> bytes:
    """End a line with CRLF, broken after at most 75 octets and never inside a character."""
    parts, held = [], b""
    for letter in line:
        octets = letter.encode("utf-8", "replace")
        # A continued line begins with a space, which counts too.
        if len(held) + len(octets) > 75:
            parts.append(held)
            held = b" "
        held += octets
    return b"\r\n".join([*parts, held]) + b"\r\n"
