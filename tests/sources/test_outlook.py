"""Outlook's files: what is in them, and how little a hostile one can cost."""

from pathlib import Path

import pytest

from portero.sources import outlook
from portero.sources.outlook import outlook_mails

SAMPLE = (
    Path(__file__).resolve().parents[3]
    / "shared"
    / "samples"
    / "msg"
    / "TeamMsgExtractor--msg-extractor"
    / "unicode.msg"
)
at_hand = pytest.mark.skipif(not SAMPLE.is_file(), reason="../shared/samples is not here")


@at_hand
def test_header_and_attachments():
    (mail,) = outlook_mails(SAMPLE.read_bytes(), 4)
    assert mail.header.startswith(b"Return-path: <brizhou@gmail.com>")
    assert [(part.name, len(part.octets)) for part in mail.parts] == [
        ("import OleFileIO.tif", 969674),
        ("raised value error.tif", 1033142),
    ]
    assert mail.cut is False


@at_hand
def test_what_lies_beyond_the_bounds_is_said():
    (mail,) = outlook_mails(SAMPLE.read_bytes(), 4, most=1)
    assert (len(mail.parts), mail.cut) == (1, True)


@at_hand
@pytest.mark.parametrize("length", [600, 5_000, 60_000, 1_500_000])
def test_a_cut_file_gives_what_is_there(length):
    assert len(list(outlook_mails(SAMPLE.read_bytes()[:length], 4))) <= 1


def test_another_file_of_that_kind_is_no_mail():
    assert list(outlook_mails(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), 4)) == []


def test_without_the_library_the_reader_is_told(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "olefile", None)
    with pytest.raises(outlook.NoReaderError):
        list(outlook_mails(b"", 4))
