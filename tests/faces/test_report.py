"""report.html opens alone, says on its first screen what audit.json says, and runs nothing that evidence brings."""

from __future__ import annotations

import re
import shutil
import subprocess
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest

from portero.core.audit import Audit, Totals
from portero.core.evidence import Coverage
from portero.core.sender import Path as WayIn
from portero.core.simulation import Effect, SenderEffect, Simulation
from portero.core.text import Text
from portero.faces.audit_json import audit_document
from portero.faces.render import Renderer
from portero.faces.report.page import MOST_SENDERS, render_report
from portero.faces.report.summary import summarise

VOID = {"meta", "input", "br", "hr", "img", "link", "wbr"}
ALLOWED_TAGS = {
    "html", "head", "meta", "title", "style", "body", "a", "wbr", "svg", "defs", "pattern", "rect", "circle", "header", "div",
    "p", "strong", "span", "h1", "h2", "h3", "nav", "main", "section", "ul", "ol", "li", "dl", "dt", "dd", "code", "bdi",
    "figure", "figcaption", "g", "text", "line", "path", "details", "summary", "table", "caption", "thead", "tbody",
    "tfoot", "tr", "th", "td", "label", "input", "i", "footer", "script",
}  # fmt: skip


class Page(HTMLParser):
    """The document as a tree walker sees it; fails on tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.scripts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        (self.scripts if self._open[-1:] == ["script"] else self.words).append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.mark.parametrize("lang", ["en", "es"])
def test_the_report_is_one_well_formed_file_that_loads_nothing(audit: Audit, lang: str) -> None:
    page = Page(render_report(audit, lang))
    assert {tag for tag, _ in page.tags} <= {each.lower() for each in ALLOWED_TAGS}
    for _, attributes in page.tags:
        assert "src" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        assert (attributes.get("href") or "#").startswith("#")
    assert page.all("html")[0]["lang"] == lang
    assert page.all("link") == []
    assert "url(http" not in render_report(audit, lang)


def test_only_our_script_may_run(audit: Audit) -> None:
    page = Page(render_report(audit))
    (script,) = page.scripts
    policy = next(
        each["content"] for each in page.all("meta") if each.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None
    assert policy.startswith(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-"
    )
    assert b64encode(sha256(script.encode()).digest()).decode() in policy


def test_every_link_of_the_page_has_its_place(audit: Audit) -> None:
    page = Page(render_report(audit))
    places = [attributes["id"] for _, attributes in page.tags if attributes.get("id")]
    assert len(places) == len(set(places))
    assert {(each["href"] or "")[1:] for each in page.all("a")} <= set(places)


@pytest.mark.parametrize("lang", ["en", "es"])
def test_hostile_evidence_is_only_text(sample: ModuleType, lang: str) -> None:
    text = render_report(sample.hostile_audit(), lang)
    text.encode("utf-8")
    page = Page(text)
    assert {tag for tag, _ in page.tags} <= {each.lower() for each in ALLOWED_TAGS}
    assert len(page.scripts) == 1
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "src"]
        assert (attributes.get("href") or "#").startswith("#")
        assert re.fullmatch(r"flex-grow:\d+", attributes.get("style") or "flex-grow:0")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    assert "".join(page.words).count("<script>alert(1)</script>") > 10


def test_the_command_to_decide_is_safe_to_paste(audit: Audit) -> None:
    asked = next(each for each in audit.senders if each.judgement.value == "undecided")
    evil = replace(audit, senders=(replace(asked, id="x; rm -rf ~ $(id)"),))
    words = "".join(Page(render_report(evil)).words)
    assert "portero decide 'x; rm -rf ~ $(id)' legitimate" in words


@pytest.mark.parametrize("lang", ["en", "es"])
def test_the_first_screen_says_the_numbers_of_the_json(audit: Audit, lang: str) -> None:
    document = audit_document(audit, Renderer(lang))
    senders = {each["id"]: each for each in document["senders"]}  # type: ignore[attr-defined]
    block = next(each for each in document["simulations"] if each["controls"] == ["reject-direct-send"])  # type: ignore[attr-defined]

    def refused(judgement: str) -> list[int]:
        return [
            each["refused"] for each in block["senders"] if each["judgement"] == judgement and each["refused"]
        ]

    direct = sum(each["messages"] for each in senders.values() if each["path"] == "direct-send")
    abuse = [each["messages"] for each in senders.values() if each["judgement"] == "abuse"]
    text = render_report(audit, lang)
    tiles = "".join(Page(text[text.index('class="tiles"') - 9 : text.index('<section id="questions"')]).words)
    renderer = Renderer(lang, html=True)
    for number in (direct, sum(abuse), sum(refused("legitimate")), sum(refused("undecided")),
                   block["messages"]["undetermined"], len(document["plan"])):  # type: ignore[arg-type] # fmt: skip
        assert renderer.number(number) in tiles
    assert renderer.percent(direct / document["totals"]["ours"]) in tiles  # type: ignore[index]
    assert f" {len(refused('legitimate'))} " in tiles
    assert document["plan"][0]["title"] in tiles  # type: ignore[index]


def test_every_picture_has_its_name_and_its_numbers(audit: Audit) -> None:
    text = render_report(audit)
    charts = [each for each in Page(text).all("svg") if each.get("role") == "img"]
    assert len(charts) == 3
    assert all(each["aria-label"] for each in charts)
    for figure in re.findall(r"</figure>(.{0,400})", text, re.DOTALL):
        assert "<table" in figure


def test_every_table_has_caption_and_heading_scopes(audit: Audit) -> None:
    text = render_report(audit)
    assert text.count("<caption>") == text.count("<table")
    assert all(each.get("scope") in {"row", "col"} for each in Page(text).all("th"))
    headings = [int(tag[1]) for tag, _ in Page(text).tags if re.fullmatch("h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(headings))


def test_thousands_of_senders_stay_a_bounded_file_that_says_what_it_leaves_out(sample: ModuleType) -> None:
    text = render_report(sample.large_audit(3000))
    assert len(text) < 1_500_000
    assert f"{3000 - MOST_SENDERS:,} more senders stand in senders.csv." in text
    assert "800 more gaps" not in text
    assert "700 more gaps stand in audit.json." in text


def test_without_mail_nothing_is_green(audit: Audit) -> None:
    empty = replace(
        audit,
        first=None,
        last=None,
        senders=(),
        simulations=(),
        findings=(),
        plan=(),
        totals=Totals(),
        coverage=(),
    )
    text = render_report(empty)
    assert summarise(empty).closed is None
    assert "nobody knows yet what closing Direct Send would refuse" in text
    assert "t-good" not in text[text.index("<main") :]
    assert "Nobody needs to decide anything" not in text


def test_a_replay_of_no_mail_is_no_promise_that_mail_is_kept(audit: Audit) -> None:
    nothing = Simulation(("reject-direct-send",), ())
    empty = replace(
        audit, first=None, last=None, senders=(), simulations=(nothing,), plan=(), totals=Totals()
    )
    text = render_report(empty)
    assert "All recorded mail would be kept" not in text
    assert "No mail was recorded, so nothing was replayed." in text


def test_of_what_only_reports_show_it_is_said_that_closing_may_refuse_it(audit: Audit) -> None:
    (printer, *_) = (each for each in audit.senders if each.legitimate and each.mails)
    doubt = SenderEffect(
        printer.id, Effect.UNDETERMINED, 0, 0, printer.mails, printer.judgement, None, Text("Not known.")
    )
    reported = replace(
        audit,
        first=None,
        last=None,
        senders=(replace(printer, path=WayIn.UNDETERMINED),),
        simulations=(Simulation(("reject-direct-send",), (doubt,)),),
        findings=(),
        totals=Totals(),
    )
    assert "may refuse" in str(summarise(reported).headline)
    text = render_report(reported)
    assert "Only DMARC reports" in text
    assert "No mail in your name was seen" not in text


def test_a_check_that_could_not_answer_is_shown_as_unknown(audit: Audit) -> None:
    text = render_report(audit)
    row = text[text.index("MDO-02") - 200 : text.index("MDO-02")]
    assert "o-unknown" in row
    assert "o-pass" not in row


def test_chromium_opens_it_and_refuses_foreign_script(sample: ModuleType, tmp_path: Path) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium on this machine: the report was not opened in a real browser")
    file = tmp_path / "report.html"
    file.write_text(render_report(sample.hostile_audit()), "utf-8")
    done = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr", "--dump-dom", file.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    # Our own script ran (it turns headings into buttons), nothing of the evidence did.
    assert '<button type="button">' in done.stdout
    assert "Content Security Policy" not in done.stderr
    assert "alert" not in "".join(Page(done.stdout).scripts)


def test_documents_are_folded_under_their_kind_and_their_notes_are_not(audit: Audit) -> None:
    day = datetime(2026, 11, 1, tzinfo=UTC)
    read = [Coverage(f"report-{n}.xml", "dmarc-aggregate", 2, day, day) for n in range(150)]
    note = (Text("The export may be cut."),)
    cut = [Coverage(f"trace-{n}.csv", "message-trace-v2", 1000, day, day, note) for n in range(20)]
    text = render_report(replace(audit, coverage=(*read, *cut)))
    open_part = re.sub(r"<details.*?</details>", "", text, flags=re.DOTALL)
    assert "150 documents: dmarc-aggregate" in text
    assert "report-7.xml" in text
    assert "report-7.xml" not in open_part
    assert open_part.count("The export may be cut.") == 1
    assert "trace-3.csv" in open_part
    assert "50 more documents stand in audit.json." in text
