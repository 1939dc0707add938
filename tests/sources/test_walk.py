"""Walking: sorted, once each, and everything that is not read is named."""

from portero.core.evidence import Gap
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
