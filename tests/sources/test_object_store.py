"""Object stores by fsspec, tried on its store in memory."""

import gzip
from pathlib import Path

import fsspec
import pytest

from portero.core.evidence import Gap
from portero.errors import AccessDenied, SourceUnavailable
from portero.sources.document import Document
from portero.sources.object_store import is_stored
from portero.sources.walk import walk


@pytest.fixture
def store():
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    yield memory
    memory.store.clear()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("s3://bucket/x", True),
        ("gs://b", True),
        ("abfss://c@a.example/x", True),
        ("evidence/s3", False),
        ("s3", False),
        ("/x:/y", False),
    ],
)
def test_which_paths_are_stores(path, expected):
    assert is_stored(Path(path)) is expected


def test_files_below_a_url_are_documents_and_containers_are_opened(store):
    store.pipe("/bucket/day/b.csv", b"x,y\n1,2\n")
    store.pipe("/bucket/day/a.gz", gzip.compress(b"x,y\n3,4\n"))
    store.pipe("/bucket/day/c.csv", b"")
    store.pipe("/bucket/other.csv", b"x,y\n")
    found = list(walk([Path("memory://bucket/day")]))
    documents = {item.name: item.open().read() for item in found if isinstance(item, Document)}
    assert documents == {"a.gz!a": b"x,y\n3,4\n", "b.csv": b"x,y\n1,2\n"}
    assert [item.origin.document for item in found if isinstance(item, Gap)] == ["c.csv"]


def test_one_file_is_named_by_itself(store):
    store.pipe("/bucket/b.csv", b"x,y\n1,2\n")
    assert [item.name for item in walk([Path("memory://bucket/b.csv")])] == ["b.csv"]


def test_nothing_there_a_refusal_and_a_failure_end_the_operation(store, monkeypatch):
    with pytest.raises(SourceUnavailable):
        list(walk([Path("memory://nowhere/x")]))

    def refuse(*_, **__):
        raise PermissionError

    def fail(*_, **__):
        raise RuntimeError("secret")

    monkeypatch.setattr(type(store), "find", refuse)
    with pytest.raises(AccessDenied):
        list(walk([Path("memory://bucket")]))
    monkeypatch.setattr(type(store), "find", fail)
    with pytest.raises(SourceUnavailable) as caught:
        list(walk([Path("memory://bucket")]))
    assert "secret" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_a_gap_and_the_rest_is_read(store, monkeypatch):
    store.pipe("/bucket/a.csv", b"x,y\n1,2\n")
    store.pipe("/bucket/b.csv", b"x,y\n1,2\n")
    whole = type(store).open

    def flaky(self, path, *given, **named):
        if path.endswith("a.csv"):
            raise OSError
        return whole(self, path, *given, **named)

    monkeypatch.setattr(type(store), "open", flaky)
    first, second = walk([Path("memory://bucket")])
    assert (isinstance(first, Gap), second.name) == (True, "b.csv")
