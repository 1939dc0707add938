"""Walking: sorted, once each, and everything that is not read is named."""

import gzip
import io
import random
import zipfile

from portero.core.evidence import Gap
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
