"""Chromium, and where its screenshots are kept: the folder that PORTERO_SCREENSHOTS names, else pytest's own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from support import postgres
from support.relay import MESSAGE, Device, hop, running
from support.served import chromium, served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, closed after the module: while Playwright is open its event loop runs in this thread, and no other can."""
    path = chromium()
    if path is None:
        pytest.skip("no Chromium on this machine: the dashboard was not opened in a real browser")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that an administrator might hand over."""
    from portero.wiring import demo

    folder = tmp_path_factory.mktemp("evidence")
    demo(folder, lambda _: None)
    return folder


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    if postgres.programs() is None:
        pytest.skip("no PostgreSQL server on this machine: the journeys were made on SQLite alone")
    with postgres.server() as url:
        yield url


@pytest.fixture(scope="module")
def northwind(
    browser: Browser, evidence: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Any]]:
    """
    A server with something to show on every page: two runs, a relay with mail in quarantine, a second organisation.

    Gives its address, and a browser's state in which the owner is signed in.
    """
    folder = tmp_path_factory.mktemp("northwind")
    relay, before = folder / "relay", folder / "before"
    relay.mkdir()
    # What was known before the first message trace.
    shutil.copytree(evidence, before, ignore=shutil.ignore_patterns("trace"))
    config = folder / "serve.toml"
    config.write_text(
        f'[[relay]]\nconfig = "{relay / "relay.toml"}"\norganisation = "Northwind Instruments"\n'
    )
    with hop() as far, running(relay, far.port) as carrying:
        with Device(carrying.port) as device:
            device.mail(MESSAGE, "a@inside.test", sender="x@other.test")
        with served(folder / "data", "--config", str(config), str(before)) as server:
            context = browser.new_context()
            page = context.new_page()
            page.set_default_timeout(120_000)
            page.goto(server.link)
            page.locator("form[action='/sign-in'] button").click()
            # The page follows the reading by itself.
            expect(page.locator("main .tiles")).to_be_visible(timeout=120_000)
            first = page.url
            page.goto(first + "evidence")
            page.locator("#pick-folder").set_input_files(evidence)
            expect(page.locator("#h-runs + ul li")).to_have_count(2, timeout=120_000)
            page.goto(server.url + "?all=1")
            page.locator("form[action='/organisations'] input[name=name]").fill("Fabrikam")
            page.locator("form[action='/organisations'] button").click()
            page.wait_for_url("**/evidence")
            yield first, context.storage_state()
            context.close()


@pytest.fixture
def shots(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    name = os.environ.get("PORTERO_SCREENSHOTS")
    folder = (
        Path(name) / str(request.node.name).translate({ord(each): "-" for each in "[]"})
        if name
        else tmp_path / "shots"
    )
    folder.mkdir(parents=True, exist_ok=True)
    return folder
