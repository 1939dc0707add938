"""Every sentence has its Spanish, both sides name the same values, and what ships is what was written."""

from __future__ import annotations

import string
from pathlib import Path

import pytest

from portero.faces.catalogue import (
    LOCALE,
    Message,
    as_mo,
    as_po,
    find_messages,
    main,
    merge,
    read_spanish,
    template,
    untranslated,
)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_sentence_is_written_out_where_it_is_made() -> None:
    assert find_messages()[1] == []


def test_no_sentence_lacks_its_spanish() -> None:
    assert untranslated(merge(template(find_messages()[0]), read_spanish())) == []


def test_both_languages_name_the_same_values() -> None:
    for entry in read_spanish():
        if not entry.id:
            continue
        english = [entry.id] if isinstance(entry.id, str) else list(entry.id)
        spanish = [entry.string] if isinstance(entry.string, str) else list(entry.string)
        named = set().union(*map(placeholders, english))
        for text in filter(None, spanish):
            # A singular may say "one" or nothing instead of showing the number.
            assert placeholders(text) - named == set(), text
            assert named - placeholders(text) <= ({"n"} if len(spanish) > 1 else set()), text


def test_the_files_are_what_update_would_write() -> None:
    source = template(find_messages()[0])
    assert (LOCALE / "messages.pot").read_bytes() == as_po(source)
    assert (LOCALE / "es/LC_MESSAGES/messages.po").read_bytes() == as_po(merge(source, read_spanish()))
    assert (LOCALE / "es/LC_MESSAGES/messages.mo").read_bytes() == as_mo(read_spanish())


def test_spanish_has_two_plurals_whatever_babel_thinks() -> None:
    header = (LOCALE / "es/LC_MESSAGES/messages.po").read_text("utf-8")
    assert '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"' in header


def test_sentences_are_found_in_code_and_in_templates(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text(
        "from portero.core.text import Text, label, count as counted\n"
        'Text("Plain {x}.", x=1); Text("In context", context="place"); label("risk", "high")\n'
        'counted("{n} mail", "{n} mails", 2); Text("One" if x else "Other")\n'
        '"text".count("t")\n'
        "def late(n):\n"
        '    one, many = "{n} late mail", "{n} late mails"\n'
        "    return counted(one, many, n)\n",
        "utf-8",
    )
    (tmp_path / "page.html").write_text(
        '{{ _("Title {name}", name=x) }}{{ ngettext("{n} row", "{n} rows", rows) }}', "utf-8"
    )
    assert find_messages(tmp_path) == (
        [
            Message("", "One", "", "code.py"),
            Message("", "Other", "", "code.py"),
            Message("", "Plain {x}.", "", "code.py"),
            Message("", "Title {name}", "", "page.html"),
            Message("", "{n} late mail", "{n} late mails", "code.py"),
            Message("", "{n} mail", "{n} mails", "code.py"),
            Message("", "{n} row", "{n} rows", "page.html"),
            Message("place", "In context", "", "code.py"),
            Message("risk", "high", "", "code.py"),
        ],
        [],
    )


def test_a_sentence_that_is_not_written_out_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("from portero.core.text import Text\n\nText(said())\n", "utf-8")
    (tmp_path / "page.html").write_text("{{ _(title) }}", "utf-8")
    places = [problem.rpartition(": ")[0].split(": ")[0] for problem in find_messages(tmp_path)[1]]
    assert places == ["code.py:3", "page.html:1"]


def test_a_wrong_call_says_what_is_right(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile"]) == 2
    assert "update" in capsys.readouterr().err
