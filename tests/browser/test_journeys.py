"""The administrator's journeys in a real browser, against a really started server on either database, in both languages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, expect

from support.served import served

WORDS = {
    "en": {
        "sign in": "Sign in as the owner", "legitimate": "Legitimate", "abuse": "Abuse", "undo": "Undo", "chosen": "chosen",
        "begin": "Nothing was read yet.", "replay": "Replay", "keep": "Keep", "make link": "Make a link",
        "prepared": "Prepared: ask for approval", "approve": "Approve", "approved": "Approved",
        "decided": "10 senders decided: abuse.", "headline": "Closing Direct Send today",
    },
    "es": {
        "sign in": "Iniciar sesión como propietario", "legitimate": "Legítimo", "abuse": "Abuso", "undo": "Deshacer",
        "chosen": "seleccionados", "begin": "Todavía no se ha leído nada.", "replay": "Ensayar", "keep": "Guardar",
        "make link": "Crear un enlace", "prepared": "Preparado: pedir aprobación", "approve": "Aprobar",
        "approved": "Aprobado", "decided": "10 remitentes decididos: abuso.", "headline": "Cerrar Direct Send hoy",
    },
}  # fmt: skip

FORGED = b"""\
From: "<script>console.error(1)</script>" <payroll@northwind.example>\r
To: ana@northwind.example\r
Subject: <img src=x onerror=console.error(2)> Voicemail: your password expires\r
Message-ID: <1@evil.example>\r
Content-Type: text/html\r
\r
<p>Your mailbox is closed today. <a href="https://login.evil.example/x">Sign in at https://outlook.office.com</a></p>\r
"""


class Visit:
    """A person at a browser; whatever the console complains of fails the test."""

    def __init__(
        self, browser: Browser, url: str, lang: str, shots: Path, name: str = "", state: Any = None
    ) -> None:
        self.context: BrowserContext = browser.new_context(
            locale="es-ES" if lang == "es" else "en-GB",
            viewport={"width": 1360, "height": 900},
            storage_state=state,
        )
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.url, self.lang, self.words, self.shots, self.name = url, lang, WORDS[lang], shots, name
        self.complaints: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, said: ConsoleMessage) -> None:
        # Whoever leaves a page ends the look at running jobs that is under way; what fails is told by other names.
        if said.type == "error" and not said.text.startswith(("htmx:sendAbort", "htmx:afterRequest")):
            self.complaints.append(said.text)

    def _picture(self, path: Path) -> None:
        # Pictures are for people who look at them. Now and then, with both cores busy, Chromium gives none of a
        # whole page ("Unable to capture screenshot"), and the part that is in sight a moment later.
        try:
            self.page.screenshot(path=path, full_page=True)
        except Error as error:
            if "Unable to capture screenshot" not in str(error):
                raise
            self.page.screenshot(path=path)

    def sign_in(self, link: str) -> None:
        self.page.goto(link)
        self.page.locator("form[action='/sign-in'] button").click()
        self.page.wait_for_url("**/o/**")

    def go(self, name: str) -> None:
        self.page.goto(self.root + name)

    @property
    def root(self) -> str:
        parts = self.page.url.split("/o/")
        return f"{parts[0]}/o/{parts[1].split('/')[0]}/"

    def shoot(self, name: str) -> None:
        self._picture(self.shots / f"{self.name}{name}.png")
        found = Axe().run(self.page).response["violations"]
        grave = [each for each in found if each["impact"] in {"serious", "critical", "moderate"}]
        assert not grave, json.dumps(
            [(each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in grave], indent=1
        )
        assert self.complaints == []


@pytest.fixture(params=[("sqlite", "en"), ("postgresql", "es")], ids=lambda pair: "-".join(pair))
def visit(
    request: pytest.FixtureRequest, browser: Browser, tmp_path: Path, shots: Path
) -> Iterator[tuple[Visit, Any]]:
    database, lang = request.param
    url = request.getfixturevalue("postgres_url") if database == "postgresql" else None
    with served(tmp_path / "data", database=url) as server:
        made = Visit(browser, server.url, lang, shots)
        yield made, server
        made.context.close()
    assert not [line for line in server.said if "Traceback" in line], "".join(server.said)


def test_from_the_first_start_to_a_signed_step(
    visit: tuple[Visit, Any], browser: Browser, evidence: Path
) -> None:
    owner, server = visit
    page, words = owner.page, owner.words

    # First start, and a folder to the first answer.
    page.goto(server.link)
    owner.shoot("01-sign-in")
    page.get_by_role("button", name=words["sign in"]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(words["begin"])
    owner.shoot("02-begin")
    page.locator("#pick-folder").set_input_files(evidence)
    expect(page.get_by_role("heading", level=1)).to_contain_text(words["headline"], timeout=120_000)
    owner.shoot("03-overview")

    # Ten senders decided at once; the simulation follows, and the way back works.
    owner.go("rehearse")
    missed = page.locator("#outcome .tile .big").first.inner_text()
    owner.go("senders?judgement=legitimate&path=direct-send")
    before = page.locator("input[data-choose]").count()
    assert before >= 10
    for box in page.locator("input[data-choose]").all()[:10]:
        box.check()
    expect(page.locator("[data-number]")).to_have_text("10")
    owner.shoot("04-chosen")
    page.locator("#bulk").get_by_role("button", name=words["abuse"]).click()
    expect(page.locator(".toast")).to_contain_text(words["decided"])
    expect(page.locator("input[data-choose]")).to_have_count(before - 10)
    owner.shoot("05-decided")
    with page.expect_popup() as beside:
        page.evaluate("window.open('rehearse')")
    expect(beside.value.locator("#outcome .tile .big").first).not_to_have_text(missed)
    beside.value.close()
    page.get_by_role("button", name=words["undo"]).click()
    expect(page.locator("input[data-choose]")).to_have_count(before)

    # The search answers while one types, and its answer has an address.
    name = page.locator(".list-table tbody th a").nth(1).inner_text()
    word = max(re.findall(r"[\w.@-]+", name), key=len)
    page.keyboard.press("/")
    page.keyboard.type(word)
    expect(page).to_have_url(re.compile("q=" + re.escape(quote_plus(word))))
    expect(page.locator(".list-table tbody tr").first).to_contain_text(word)
    expect(page.locator("[data-choose]")).not_to_have_count(before)
    # A click on a result opens it; leaving the box asks for no other list, which would replace the row in mid-click.
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.locator(".list-table tbody th a").first.click()
    page.wait_for_url("**/senders/s-*")
    assert not [url for url in asked if "/senders?" in url]
    owner.shoot("06-sender")

    # Rehearse, keep the choice, export the plan.
    owner.go("rehearse")
    refused = page.locator("#outcome .big").first.inner_text()
    page.locator("input[type=checkbox][name=control][value='reject-direct-send']").uncheck()
    page.locator("input[type=checkbox][name=control][value='smtp-basic-off']").check()
    expect(page.locator("#outcome .big").first).not_to_have_text(refused)
    owner.shoot("07-rehearse")
    page.locator("#save input[name=name]").fill("<b>both</b>")
    page.locator("#save").get_by_role("button", name=words["keep"]).click()
    expect(page.get_by_role("link", name="<b>both</b>")).to_be_visible()
    owner.go("plan")
    with page.expect_download() as download:
        page.get_by_role("link", name="apply.ps1").click()
    assert "Set-OrganizationConfig" in Path(download.value.path()).read_text("utf-8")

    # A fault is accepted for a time, and the settings approved as they are.
    owner.go("findings/DS-01")
    page.locator("form[action$='/accept'] input[name=owner]").fill("it@northwind.example")
    page.locator("form[action$='/accept'] textarea").fill("<b>pilot</b>")
    page.locator("form[action$='/accept'] input[name=until]").fill("2099-12-31")
    page.locator("form[action$='/accept'] button").click()
    expect(page.locator("#h-accepted + .ask")).to_contain_text("<b>pilot</b>")
    owner.go("findings")
    page.locator("form[action$='/posture'] button").click()
    expect(page.locator("#h-drift + p .t-good")).to_be_visible()
    owner.shoot("07-findings")

    # A message is handed over and judged; nothing in it runs.
    owner.go("messages")
    page.locator("input[name=message]").set_input_files(
        {"name": "voicemail.eml", "mimeType": "message/rfc822", "buffer": FORGED}
    )
    page.locator("main form button.primary").click()
    expect(page.locator("article h2")).to_be_visible(timeout=60_000)
    expect(page.locator("article")).to_contain_text("login.evil.example")
    owner.shoot("08-message")

    # An analyst prepares a step, and the owner, who is somebody else, signs it.
    owner.go("settings")
    page.locator("form[action$='/people'] input[name=name]").fill("Ana")
    page.locator("form[action$='/people'] select[name=role]").select_option("analyst")
    page.get_by_role("button", name=words["make link"]).click()
    link = page.locator("#link").inner_text()
    owner.shoot("08-settings")
    analyst = Visit(browser, server.url, owner.lang, owner.shots, "analyst-")
    analyst.sign_in(link)
    analyst.go("plan")
    analyst.page.get_by_role("button", name=words["prepared"]).first.click()
    expect(analyst.page.locator(".pill.s-prepared").nth(1)).to_be_visible()
    analyst.shoot("09-prepared")
    owner.go("plan")
    page.get_by_role("button", name=words["approve"], exact=True).click()
    expect(page.locator("article .pill.s-signed")).to_have_text(words["approved"])
    owner.shoot("10-signed")
    for name in ("findings", "evidence", "trail", "senders?group=network"):
        owner.go(name)
        owner.shoot("11-" + name.split("?")[0])
    analyst.context.close()


class Keys:
    """Hands at a keyboard: what has the focus, and how to get it somewhere."""

    LABEL = """(() => { const at = document.activeElement;
        return (at.getAttribute('aria-label') || at.labels?.[0]?.textContent || at.textContent || '').trim() })()"""

    def __init__(self, page: Page) -> None:
        self.page = page

    def to(self, name: str) -> None:
        """Press Tab until something of that name has the focus."""
        for _ in range(150):
            self.page.keyboard.press("Tab")
            if self.page.evaluate(self.LABEL).startswith(name):
                return
        raise AssertionError(f"no way to {name} by keys")

    def press(self, name: str, key: str = "Enter") -> None:
        self.to(name)
        self.page.keyboard.press(key)

    def choose(self, name: str, key: str, files: Any) -> None:
        """Answer the browser's own dialogue, which keys open."""
        with self.page.expect_file_chooser() as dialogue:
            self.press(name, key)
        dialogue.value.set_files(files)


def test_hands_that_only_use_keys_complete_every_journey(
    browser: Browser, evidence: Path, tmp_path: Path, shots: Path
) -> None:
    with served(tmp_path / "data") as server:
        visit = Visit(browser, server.url, "en", shots)
        page, keys = visit.page, Keys(visit.page)

        # First start, and evidence to the first answer.
        page.goto(server.link)
        keys.press(visit.words["sign in"])
        expect(page.get_by_role("heading", level=1)).to_have_text(visit.words["begin"])
        files = [each for each in evidence.rglob("*") if each.is_file()]
        keys.choose("Choose files", "Enter", files)
        expect(page.get_by_role("heading", level=1)).to_contain_text(visit.words["headline"], timeout=120_000)
        page.goto(page.url)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"

        # Senders chosen and decided.
        page.goto(page.url.split("#")[0])
        keys.press("Senders")
        page.wait_for_url("**/senders")
        page.keyboard.press("j")
        page.keyboard.press("x")
        page.keyboard.press("j")
        page.keyboard.press("x")
        expect(page.locator("[data-number]")).to_have_text("2")
        keys.press("Abuse")
        expect(page.locator(".toast")).to_contain_text("2 senders decided: abuse.")
        keys.press("Undo")
        expect(page.locator(".toast")).to_contain_text("2 senders are as before.")

        # Rehearse, and take the plan along.
        visit.go("rehearse")
        missed = page.locator("#outcome .tile .big").first.inner_text()
        keys.press("Close Direct Send", "Space")
        keys.press("Switch SMTP AUTH with passwords off", "Space")
        expect(page.locator("#outcome .tile .big").first).not_to_have_text(missed)
        visit.go("plan")
        with page.expect_download() as download:
            keys.press("apply.ps1")
        assert "Set-OrganizationConfig" in Path(download.value.path()).read_text("utf-8")

        # A message judged.
        visit.go("messages")
        forged = {"name": "voicemail.eml", "mimeType": "message/rfc822", "buffer": FORGED}
        keys.choose("Message: ", "Enter", forged)
        keys.press("Judge")
        expect(page.locator("article")).to_contain_text("login.evil.example", timeout=60_000)

        # A step that somebody else prepared, signed.
        visit.go("settings")
        keys.to("Let somebody in by a link")
        page.keyboard.type("Ana")
        keys.to("Role")
        page.keyboard.press("Tab")
        visit.page.keyboard.press("Shift+Tab")
        page.keyboard.type("Analyst")
        keys.press(visit.words["make link"])
        link = page.locator("#link").inner_text()
        analyst = Visit(browser, server.url, "en", shots)
        analyst.page.goto(link)
        analyst_keys = Keys(analyst.page)
        analyst_keys.press(visit.words["sign in"].split(" as ")[0])
        analyst.page.wait_for_url("**/o/**")
        analyst.go("plan")
        analyst_keys.press(visit.words["prepared"])
        expect(analyst.page.locator("article .pill.s-prepared")).to_be_visible()
        analyst.context.close()
        visit.go("plan")
        keys.press(visit.words["approve"])
        expect(page.locator("article .pill.s-signed")).to_have_text(visit.words["approved"])
        assert visit.complaints == []
        visit.context.close()


# Every page by the end of its address below the organisation's; the last five are found by a way that leads to them.
PAGES = (
    "", "senders", "senders?group=network", "senders?q=nobody-at-all", "rehearse", "plan", "findings", "messages", "relay",
    "alerts", "evidence", "settings", "trail", "/?all=1", "/sign-in", "nothing-here", "sender", "mails", "step", "finding", "no run",
)  # fmt: skip


def open_page(visit: Visit, name: str) -> None:
    """Open a page as a reader comes to it."""
    page = visit.page
    if name.startswith("/"):
        page.goto(visit.url.split("/o/")[0] + name)
    elif name in {"sender", "mails"}:
        visit.go("senders")
        page.locator(".list-table tbody th a").first.click()
        page.wait_for_url("**/senders/s-*")
        if name == "mails":
            page.locator("a[href$='/mails']").first.click()
            page.wait_for_url("**/mails")
    elif name == "step":
        visit.go("plan")
        page.goto(visit.root + "plan/" + str(page.locator("article.step").first.get_attribute("id")))
    elif name == "finding":
        visit.go("findings/DS-01")
    elif name == "no run":
        page.goto(visit.url.split("/o/")[0] + "/?all=1")
        page.get_by_role("link", name="Fabrikam").click()
        page.wait_for_url("**/o/**")
    else:
        visit.go(name)


@pytest.mark.parametrize(
    ("width", "scheme", "lang"), [(1280, "dark", "es"), (400, "light", "es"), (1280, "light", "en"), (400, "dark", "en")]
)  # fmt: skip
def test_every_page_is_readable_dark_and_narrow(
    browser: Browser, northwind: tuple[str, Any], shots: Path, width: int, scheme: str, lang: str
) -> None:
    visit = Visit(browser, northwind[0], lang, shots, state=northwind[1])
    page = visit.page
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 900})
    wider, without = [], []
    for name in PAGES:
        page.goto(northwind[0])
        open_page(visit, name)
        if name == "nothing-here":
            # The browser's own word for the status of a page that is not there.
            visit.complaints.clear()
        visit.shoot(re.sub(r"[^a-z-]+", "-", name).strip("-") or "overview")
        if not page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"):
            wider.append(name)
        if page.get_by_role("heading", level=1).count() != 1:
            without.append(name)
    assert (wider, without) == ([], [])
    visit.go("senders")
    page.emulate_media(media="print")
    page.pdf(path=visit.shots / "senders.pdf")
    visit.context.close()


def test_what_happens_in_the_relay_and_between_runs_is_shown(
    browser: Browser, northwind: tuple[str, Any], shots: Path
) -> None:
    visit = Visit(browser, northwind[0], "en", shots, state=northwind[1])
    page, keys = visit.page, Keys(visit.page)
    page.goto(northwind[0])
    visit.go("alerts")
    expect(page.locator("#h-new-abuse")).to_be_visible()
    page.locator("section[aria-labelledby=h-new-abuse] a").first.click()
    page.wait_for_url("**/senders/s-*")
    visit.go("relay")
    expect(page.locator("main .pill.s-failed")).to_have_text("In quarantine")
    keys.press("Choose message", "Space")
    expect(page.locator("#bulk [data-number]")).to_have_text("1")
    keys.press("Hold")
    expect(page.get_by_role("status").filter(has_text="Done for 1 message.")).to_be_visible()
    visit.go("trail")
    expect(page.locator("main")).to_contain_text("wished to hold back")
    assert visit.complaints == []
    visit.context.close()
