"""HTML: one page, well formed, that runs and fetches nothing."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from portero.exports.export import Report
from portero.exports.html import EXPORT


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("lang", ["en", "es"])
def test_it_is_whole_and_holds_no_markup_of_the_evidence(report: Callable[..., Report], lang: str) -> None:
    reader = Reader()
    page = EXPORT.write(report(lang=lang)).decode()
    reader.feed(page)

    assert reader.open == []
    assert not {"script", "b", "img", "link", "iframe"} & set(reader.tags)
    assert "http" not in page.replace("http-equiv", "")
    assert f'<html lang="{lang}">' in page


def test_every_check_is_a_row(report: Callable[..., Report]) -> None:
    reader = Reader()
    reader.feed(EXPORT.write(report()).decode())

    assert reader.tags.count("tr") == 1 + len(report().audit.findings)
