"""The plan in time for readers, ticket systems and calendars."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import date
from types import ModuleType

import pytest

from portero.core.audit import Audit
from portero.core.waves import lay_out
from portero.faces.render import Renderer
from portero.faces.waves import plan_csv, plan_ics, waves_markdown


def laid_out(audit: Audit) -> Audit:
    return replace(audit, waves=lay_out(audit.plan, audit.senders, date(2027, 1, 11), "contoso.com"))


def unfolded(calendar: bytes) -> list[str]:
    return calendar.decode().replace("\r\n ", "").split("\r\n")


def test_the_table_has_a_row_for_each_step_of_each_wave(audit: Audit) -> None:
    held = laid_out(audit)
    rows = list(csv.DictReader(io.StringIO(plan_csv(held, Renderer()).decode("utf-8-sig"))))

    assert [(row["wave"], row["step"]) for row in rows] == [
        (str(wave.n), str(part.step)) for wave in held.waves for part in wave.parts
    ]
    assert rows


def test_the_calendar_has_each_window_and_each_watch(audit: Audit) -> None:
    held = laid_out(audit)
    lines = unfolded(plan_ics(held, Renderer("es")))

    assert lines.count("BEGIN:VEVENT") == lines.count("END:VEVENT")
    windows = [wave.window.strftime("DTSTART;VALUE=DATE:%Y%m%d") for wave in held.waves]
    assert all(each in lines for each in windows)
    identities = [line for line in lines if line.startswith("UID:")]
    assert len(identities) == len(set(identities)) == lines.count("BEGIN:VEVENT")


@pytest.mark.parametrize("lang", ["en", "es"])
def test_no_value_of_the_evidence_adds_a_line_to_the_calendar(sample: ModuleType, lang: str) -> None:
    held = laid_out(sample.hostile_audit())
    calendar = plan_ics(held, Renderer(lang))

    assert all(len(line) <= 75 for line in calendar.split(b"\r\n"))
    assert b"\n" not in calendar.replace(b"\r\n", b"")
    assert all(re.match(r"[A-Z]+[:;]", line) for line in unfolded(calendar) if line)
    assert "\x1b" not in calendar.decode()


def test_the_section_names_every_wave(audit: Audit) -> None:
    held = laid_out(audit)

    assert waves_markdown(audit, Renderer()) == ""
    assert waves_markdown(held, Renderer()).count("\n### ") == len(held.waves)
