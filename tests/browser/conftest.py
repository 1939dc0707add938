"""Chromium, and where its screenshots are kept: the folder that PORTERO_SCREENSHOTS names, else pytest's own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from support import postgres
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
    """A server that has read the evidence: its address, and a browser's state in which the owner is signed in."""
    with served(tmp_path_factory.mktemp("northwind"), str(evidence)) as server:
        context = browser.new_context()
        page = context.new_page()
        page.goto(server.link)
        page.locator("form[action='/sign-in'] button").click()
        # The page follows the reading by itself.
        expect(page.locator("main .tiles")).to_be_visible(timeout=120_000)
        yield page.url, context.storage_state()
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
