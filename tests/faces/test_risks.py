"""The risk register is the same in plan.md, risks.csv and audit.json, in both languages, and obeys no evidence."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace

import pytest

from portero.core.audit import Audit
from portero.core.risks import Likelihood, Risk
from portero.core.text import Text
from portero.faces.audit_json import audit_document
from portero.faces.plan_markdown import escaped
from portero.faces.render import Renderer
from portero.faces.report.page import render_report
from portero.faces.risks import risks_csv, risks_markdown


def a_risk(name: str, step: int = 1, **given: object) -> Risk:
    said = Text("About {name}.", name=name)
    return replace(Risk(step, said, Likelihood.POSSIBLE, said, said, said, said), **given)  # type: ignore[arg-type]


@pytest.fixture
def held(audit: Audit) -> Audit:
    first = audit.senders[0].id
    return replace(
        audit,
        risks=(
            a_risk("one"),
            a_risk("two", 2, senders=(first, "gone"), mails=1200, likelihood=Likelihood.UNSEEN),
        ),
    )


@pytest.mark.parametrize("lang", ["en", "es"])
def test_every_risk_is_in_every_form(held: Audit, lang: str) -> None:
    renderer = Renderer(lang)
    rows = list(csv.DictReader(io.StringIO(risks_csv(held, renderer).decode("utf-8-sig"))))
    document = audit_document(held, renderer)["risks"]
    written = risks_markdown(held, renderer)

    assert isinstance(document, list)
    for risk, row, entry in zip(held.risks, rows, document, strict=True):
        assert row["risk"] == entry["risk"] == renderer.text(risk.what)
        assert escaped(renderer.text(risk.what)) in written
        assert row["likelihood"] == renderer.label("likelihood", entry["likelihood"])
    assert [row["messages"] for row in rows] == ["", "1200"]
    assert [entry["messages"] for entry in document] == [None, 1200]
    assert rows[1]["senders"].endswith("; gone")
    assert renderer.label("likelihood", "unseen") in render_report(held, lang)


def test_without_risks_there_is_no_section(audit: Audit) -> None:
    assert risks_markdown(replace(audit, risks=()), Renderer("en")) == ""


def test_a_name_of_the_evidence_stays_a_name(audit: Audit) -> None:
    written = risks_markdown(replace(audit, risks=(a_risk("|a|<b>`c`\n# d"),)), Renderer("en"))

    body = re.sub(r"\\.", "", written.splitlines()[-2])
    assert not re.search(r"[<>`#]", body)
    assert body.count("|") == 9
