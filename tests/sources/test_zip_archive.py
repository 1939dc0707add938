"""Zip archives: the list of members is read once, is bounded, and members can be read now and later."""

import io
import zipfile

import pytest

from portero.sources.zip_archive import TooManyError, ZipArchive


def zipped(members, remark=b""):
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(members):
            archive.writestr(f"{'n' * 200}{n}", f"content {n}")
        archive.comment = remark
    return raw.getvalue()


def test_members_are_read_side_by_side_now_and_one_by_one_later():
    raw, opened = zipped(3), []

    def opener():
        opened.append(io.BytesIO(raw))
        return opened[-1]

    with ZipArchive(opener, 10) as archive:
        (one, _), (two, _) = (archive.open(member) for member in archive.members[:2])
        assert (one.read(3), two.read(), one.read()) == (b"con", b"content 1", b"tent 0")
        assert len(opened) == 1
    assert opened[0].closed
    later, below = archive.open(archive.members[2])
    assert later.read() == b"content 2"
    for each in (later, *below):
        each.close()
    assert len(opened) == 2
    assert opened[1].closed


@pytest.mark.parametrize("remark", [b"", b"r" * 60_000])
@pytest.mark.parametrize("wide", [False, True])
def test_a_list_longer_than_allowed_is_not_read(monkeypatch, wide, remark):
    if wide:
        monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)  # makes it write a Zip64 end
    raw = zipped(30, remark)
    assert (b"PK\x06\x06" in raw) is wide
    assert len(ZipArchive(lambda: io.BytesIO(raw), 30).members) == 30
    streams = []

    def opener():
        streams.append(io.BytesIO(raw))
        return streams[-1]

    with pytest.raises(TooManyError):
        ZipArchive(opener, 5)
    assert streams[0].closed


@pytest.mark.parametrize("cut", [1, 10, 200, -10])
def test_a_damaged_file_is_what_zipfile_says(cut):
    raw = zipped(2)[:cut]
    with pytest.raises(zipfile.BadZipFile):
        ZipArchive(lambda: io.BytesIO(raw), 10)
