"""Object stores by fsspec, tried on its store in memory, and over HTTP where the extra ``cloud`` is installed."""

import gzip
from pathlib import Path

import fsspec
import pytest

from portero.core.evidence import Gap
from portero.errors import AccessDenied, SourceUnavailable
from portero.sources.document import Document
from portero.sources.object_store import is_stored
from portero.sources.walk import walk
from support.s3_store import s3_serving


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


LARGE = b"x,y\n" + b"1,2\n" * 3_000_000
OBJECTS = {
    "bucket/day/a.gz": gzip.compress(b"x,y\n3,4\n"),
    "bucket/day/b c.csv": b"x,y\n1,2\n",
    "bucket/day/deep/d.csv": b"x,y\n5,6\n",
    "bucket/day/large.csv": LARGE,
    "bucket/other.csv": b"x,y\n7,8\n",
    "closed/a.csv": b"x,y\n",
}


@pytest.fixture
def s3(monkeypatch):
    """Serve S3 beside the test, with what the library takes from the environment."""
    s3fs = pytest.importorskip("s3fs", reason="the extra cloud is not installed")
    with s3_serving(OBJECTS) as server:
        for name, value in {
            "AWS_ENDPOINT_URL": server.url,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "not-to-be-shown",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
        }.items():
            monkeypatch.setenv(name, value)
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.delenv(name, raising=False)
        s3fs.S3FileSystem.clear_instance_cache()
        yield server
        s3fs.S3FileSystem.clear_instance_cache()


def test_s3_is_read_over_http_page_by_page_and_range_by_range(s3):
    found = list(walk([Path("s3://bucket/day")]))
    assert [item.name for item in found] == ["a.gz!a", "b c.csv", "deep/d.csv", "large.csv"]
    assert [item.open().read() for item in found] == [
        b"x,y\n3,4\n",
        b"x,y\n1,2\n",
        b"x,y\n5,6\n",
        LARGE,
    ]
    assert len([each for each in s3.asked if each[0] == "LIST"]) >= 2
    parts = [given for how, name, given in s3.asked if how == "GET" and name.endswith("large.csv")]
    assert parts
    assert all(parts)


def test_one_object_of_s3_is_named_by_itself(s3):
    (found,) = walk([Path("s3://bucket/other.csv")])
    assert (found.name, found.open().read()) == ("other.csv", b"x,y\n7,8\n")


def test_s3_that_refuses_or_has_nothing_ends_the_operation_without_a_secret(s3):
    s3.closed.add("closed")
    with pytest.raises(AccessDenied) as refused:
        list(walk([Path("s3://closed")]))
    with pytest.raises(SourceUnavailable) as missing:
        list(walk([Path("s3://nowhere/x")]))
    with pytest.raises(SourceUnavailable):
        list(walk([Path("s3://bucket/nothing")]))
    assert "not-to-be-shown" not in str(refused.value) + str(missing.value)


def test_an_object_of_s3_that_went_since_it_was_listed_is_a_gap(s3):
    s3.gone.add("bucket/day/b c.csv")
    found = list(walk([Path("s3://bucket/day")]))
    assert [item.origin.document for item in found if isinstance(item, Gap)] == ["b c.csv"]
    assert len(found) == 4
