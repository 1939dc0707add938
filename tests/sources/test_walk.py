"""Walking: sorted, once each, and everything that is not read is named."""

import base64
import gzip
import io
import random
import tarfile
import zipfile
import zlib
from email.message import EmailMessage

from portero.core.evidence import Gap
from portero.core.limits import Limits
from portero.sources import walk as walk_module
from portero.sources.csv_rows import heading
from portero.sources.document import Document
from portero.sources.walk import walk


def test_files_come_sorted_and_once(tmp_path):
    (tmp_path / "b.csv").write_text("x,y\n1,2\n")
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    found = list(walk([tmp_path, tmp_path / "a.csv"]))
    assert [item.name.rpartition("/")[2] for item in found if isinstance(item, Document)] == [
        "a.csv",
        "b.csv",
    ]


def test_what_is_not_read_is_named(tmp_path):
    outside = tmp_path / "outside.csv"
    outside.write_text("x,y\n")
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "empty.csv").touch()
    (folder / "link.csv").symlink_to(outside)
    (folder / "sealed.csv").write_bytes(b".pfile\x00")
    found = list(walk([folder, tmp_path / "absent.csv"]))
    assert all(isinstance(item, Gap) for item in found)
    assert len(found) == 4


def test_an_empty_folder_says_that_it_is_empty(tmp_path):
    folder = tmp_path / "exports"
    (folder / "below").mkdir(parents=True)

    (gap,) = walk([folder])

    assert isinstance(gap, Gap)
    assert str(gap.origin) == "exports"
    assert "empty" in str(gap.reason)


def test_containers_are_opened_by_content_and_their_paths_are_harmless(tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("../../trace.csv", "x,y\n1,2\n")
    (tmp_path / "a.bin").write_bytes(gzip.compress(gzip.compress(inner.getvalue())))
    (document,) = walk([tmp_path])
    assert isinstance(document, Document)
    assert document.name.endswith("!trace.csv")
    assert ".." not in document.name
    with document.open() as stream:
        assert stream.read() == b"x,y\n1,2\n"


def test_a_bomb_is_stopped_and_named(tmp_path):
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(bytes(40 << 20)))
    (gap,) = walk([tmp_path])
    assert isinstance(gap, Gap)


def test_a_cut_container_gives_what_is_sound_and_a_gap(tmp_path):
    whole = gzip.compress(b"x,y\n" + random.Random(1).randbytes(9000).hex().encode())
    (tmp_path / "cut.gz").write_bytes(whole[:-2000])
    gap, document = walk([tmp_path])
    assert isinstance(gap, Gap)
    assert isinstance(document, Document)
    with document.open() as stream:
        assert stream.read().startswith(b"x,y\n")


def test_a_bare_carriage_return_ends_a_heading_and_an_endless_cell_is_none() -> None:
    assert heading("one,two\rthree,four\n1,2\n")[0] == ("one", "two")
    assert heading("x" * 200_000 + ",y\n")[0] == ()


def names(folder, **bounds):
    found = list(walk([folder], Limits(**bounds)))
    return [item.name for item in found if isinstance(item, Document)], [
        str(item.reason) for item in found if isinstance(item, Gap)
    ]


def mail_with(*attachments):
    message = EmailMessage()
    message["From"], message["Subject"] = "reporter@example.net", "Report domain: contoso.com"
    message.set_content("see attachment")
    for name, content in attachments:
        if isinstance(content, EmailMessage):
            message.add_attachment(content)
        else:
            message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message


REPORT = b"<?xml version='1.0'?><feedback></feedback>"


def test_a_mail_is_a_document_and_what_is_attached_to_it_too(tmp_path):
    inner = mail_with(("r.zip!../../x", REPORT))
    outer = mail_with(
        ("report.xml.gz", gzip.compress(REPORT) + b"\r\n"), ("", inner), ("logo.png", b"\x89PNG\r\n")
    )
    (tmp_path / "m.eml").write_bytes(outer.as_bytes())
    documents, gaps = names(tmp_path)
    assert documents == [
        "m.eml",
        "m.eml!report.xml.gz!report.xml",
        "m.eml!3 message/rfc822",
        "m.eml!3 message/rfc822!x",
    ]
    assert gaps == []


def test_every_mail_of_an_mbox_is_looked_into(tmp_path):
    each = mail_with(("a.xml", REPORT)).as_bytes() + b"\n>From here on\n"
    (tmp_path / "box").write_bytes(b"From a@b Mon Jan  5 10:00:00 2026\n%s\n" % each * 3)
    documents, gaps = names(tmp_path)
    assert documents == ["box", "box!a.xml", "box!2!a.xml", "box!3!a.xml"]
    assert gaps == []


def test_tar_and_zlib_are_containers_too(tmp_path):
    tarred = io.BytesIO()
    with tarfile.open(fileobj=tarred, mode="w") as archive:
        for name in ("../a.csv", "b/c.csv"):
            member = tarfile.TarInfo(name)
            member.size = 8
            archive.addfile(member, io.BytesIO(b"x,y\n1,2\n"))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    (tmp_path / "t.tgz").write_bytes(gzip.compress(tarred.getvalue()))
    (tmp_path / "u.zlib").write_bytes(zlib.compress(b"x,y\n1,2\n"))
    (tmp_path / "v.tar").write_bytes(tarred.getvalue()[:700])
    found = list(walk([tmp_path]))
    read = {item.name: item.open().read() for item in found if isinstance(item, Document)}
    assert read == dict.fromkeys(
        ["t.tgz!t.tar!a.csv", "t.tgz!t.tar!b/c.csv", "u.zlib!u", "v.tar!a.csv"], b"x,y\n1,2\n"
    )
    assert len([item for item in found if isinstance(item, Gap)]) == 1 + 1


def test_two_readers_of_one_member_do_not_disturb_each_other(tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("a.csv", "x,y\n" + "1,2\n" * 50_000)
    (tmp_path / "z.gz").write_bytes(gzip.compress(inner.getvalue()))
    (document,) = [item for item in walk([tmp_path]) if isinstance(item, Document)]
    with document.open() as first, document.open() as second:
        ahead = first.read(100_000)
        assert second.read(100_000) == ahead
        assert first.read(10) == second.read(10)


def test_what_only_begins_like_zlib_is_text(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"x\x01,y\n1,2\n")
    assert names(tmp_path) == (["x.csv"], [])


def test_nesting_ends_where_the_bound_says(tmp_path):
    message = mail_with(("a.xml", REPORT))
    for _ in range(9):
        message = mail_with(("", message))
    (tmp_path / "m.eml").write_bytes(message.as_bytes())
    documents, gaps = names(tmp_path, nesting=3)
    assert (len(documents), len(gaps)) == (4, 1)


def test_an_office_file_is_refused_by_its_name(tmp_path):
    (tmp_path / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    documents, gaps = names(tmp_path)
    assert documents == []
    assert len(gaps) == 1


def test_a_member_without_a_name_is_borne(tmp_path):
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        archive.writestr("a.csv", "x,y\n1,2\n")
    nameless = raw.getvalue().replace(b"\x05\x00\x00\x00a.csv", b"\x00\x00\x00\x00a.csv")
    (tmp_path / "z.zip").write_bytes(nameless)
    documents, gaps = names(tmp_path)
    assert (len(documents), len(gaps)) in {(0, 1), (1, 0)}


def test_a_fault_in_opening_ends_one_file_alone(tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "b.csv").write_text("x,y\n1,2\n")
    whole = walk_module.opened

    def faulty(name, *given, **named):
        if name == "a.csv":
            raise ZeroDivisionError
        return whole(name, *given, **named)

    monkeypatch.setattr(walk_module, "opened", faulty)
    documents, gaps = names(tmp_path)
    assert documents == ["b.csv"]
    assert "ZeroDivisionError" in gaps[0]


def test_a_winmail_dat_is_named_whether_alone_or_in_a_mail(tmp_path):
    tnef = b"\x78\x9f\x3e\x22\x01\x00\x01\x08"
    mail = (
        b"From: a@b\nTo: c@d\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=q\n\n--q\n\nx\n--q\n"
        b"Content-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n"
        b"Content-Disposition: attachment\n\n" + base64.b64encode(tnef) + b"\n--q--\n"
    )
    (tmp_path / "a.dat").write_bytes(tnef)
    (tmp_path / "m.eml").write_bytes(mail)
    gaps = [item for item in walk([tmp_path]) if isinstance(item, Gap)]
    assert [gap.origin.document for gap in gaps] == ["a.dat", "m.eml!winmail.dat"]
    assert all("winmail.dat (TNEF)" in str(gap.reason) for gap in gaps)
