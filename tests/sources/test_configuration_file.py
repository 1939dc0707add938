"""A portero.toml among the evidence is known for what it is."""

import io

import pytest

from portero.sources.configuration_file import SOURCE
from portero.sources.document import Document, Note
from portero.sources.head import head_of


@pytest.mark.parametrize(
    "text", ["[organisation]\nname = 'x'\n", "# c\n[[sender]]\nlabel='x'\n", "[[network]]\n"]
)
def test_it_yields_a_note_and_nothing_else(text):
    head = head_of(text.encode())
    assert SOURCE.recognise(head)
    (item,) = SOURCE.read(Document("portero.toml", head, lambda: io.BytesIO(text.encode())))
    assert isinstance(item, Note)


@pytest.mark.parametrize("text", ["name,type\na,b\n", '{"sender": 1}', "[tool.ruff]\nline-length = 1\n"])
def test_other_files_are_not_taken_for_it(text):
    assert not SOURCE.recognise(head_of(text.encode()))
