"""plan.md shows what the evidence says and obeys none of it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portero.core.audit import Audit
from portero.core.exchange.change import Change
from portero.core.step import Risk, Step
from portero.core.text import Text
from portero.faces.plan_markdown import escaped, plan_markdown
from portero.faces.render import Renderer


def a_step(name: str, *commands: Change) -> Step:
    said = Text("About {name}.", name=name)
    return Step(1, said, said, said, said, said, (), (), Risk.LOW, said, commands=commands)


@pytest.mark.parametrize(
    "name",
    [
        "[x](http://e.example)",
        "<script>x</script>",
        "![](//e.example/p.png)",
        "**b**",
        "a\n# b",
        "`x`",
        "|a|b|",
    ],
)
def test_markup_in_a_name_is_shown_and_not_obeyed(name: str) -> None:
    written = plan_markdown([a_step(name)], (), Renderer("en"))

    unescaped = re.sub(r"\\.", "", written)
    assert not re.search(r"[<>\[\]`|]", unescaped)
    assert [line[:2] for line in written.splitlines() if line.startswith("#")] == ["# ", "##"]


@pytest.mark.parametrize("first", ["- x", "+ x", "1. x", "2) x", "---", "===", "# x", "> x"])
def test_what_would_begin_a_list_or_a_heading_stands_as_text(first: str) -> None:
    assert re.match(r"\d*\\", escaped(first))


def test_a_sentence_reads_as_it_is() -> None:
    said = "Run the audit again: DNS-02 (SPF) passes, p=none stays, and 203.0.113.10 is refused!"

    assert escaped(said) == said


def test_addresses_do_not_become_links() -> None:
    assert "www." not in escaped("see www.e.example")
    assert "http:" not in escaped("see http://e.example")
    assert "x@e" not in escaped("x@e.example")


@given(st.text())
def test_no_sign_that_begins_markup_is_left_bare(text: str) -> None:
    assert not re.search(r"[`*_\[\]<>#|~]", re.sub(r"\\.", "", escaped(text)))


def test_a_command_cannot_close_its_fence() -> None:
    held = Change("X", "Set-X 'a```b'", "Get-X", "Set-X", "Get-X", "$true", "$true", "Set-X")

    lines = plan_markdown([a_step("x", held)], (), Renderer("en")).splitlines()

    assert "````powershell" in lines
    assert "````" in lines


@pytest.mark.parametrize("lang", ["en", "es"])
def test_every_step_is_there_with_its_way_back(audit: Audit, lang: str) -> None:
    renderer = Renderer(lang)

    written = plan_markdown(audit.plan, audit.senders, renderer)

    assert written.count("\n## ") == len(audit.plan)
    assert all(escaped(renderer.text(step.undo)) in written for step in audit.plan)
