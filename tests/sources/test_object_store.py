"""Object stores by fsspec: its store in memory, and all three services over HTTP, each spoken by a server beside the test."""

import gzip
from pathlib import Path

import fsspec
import pytest

from portero.core.evidence import Gap
from portero.errors import AccessDenied, SourceUnavailable
from portero.sources.document import Document
from portero.sources.object_store import is_stored
from portero.sources.walk import walk
from support.object_stores import S3, Azure, Google, store_serving


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


# By scheme: how a store speaks, and what its library takes from the environment, given where it is served.
STORES = {
    "s3": (
        S3,
        lambda url: {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
        },
    ),
    "gs": (Google, lambda url: {"STORAGE_EMULATOR_HOST": url, "FSSPEC_GS_TOKEN": "anon"}),
    "abfss": (
        Azure,
        lambda url: {
            "AZURE_STORAGE_CONNECTION_STRING": f"DefaultEndpointsProtocol=http;AccountName=account;AccountKey={SECRET};"
            f"BlobEndpoint={url}/account;"
        },
    ),
}
SECRET = "bm90LXRvLWJlLXNob3du"


@pytest.fixture(params=STORES)
def served(request, monkeypatch):
    """Serve a store beside the test, with what its library takes from the environment; gives scheme and server."""
    dialect, environment = STORES[request.param]
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with store_serving(OBJECTS, dialect) as server:
        for name, value in environment(server.url).items():
            monkeypatch.setenv(name, value)
        # The configuration of fsspec reads the environment once, when it is loaded.
        monkeypatch.setitem(fsspec.config.conf, "gs", {"token": "anon"})
        monkeypatch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
        library = fsspec.get_filesystem_class(request.param)
        library.clear_instance_cache()
        yield request.param, server
        library.clear_instance_cache()


def test_a_store_is_read_over_http_page_by_page_and_range_by_range(served):
    scheme, server = served
    found = list(walk([Path(f"{scheme}://bucket/day")]))
    assert [item.name for item in found] == ["a.gz!a", "b c.csv", "deep/d.csv", "large.csv"]
    assert [item.open().read() for item in found] == [
        b"x,y\n3,4\n",
        b"x,y\n1,2\n",
        b"x,y\n5,6\n",
        LARGE,
    ]
    assert len([each for each in server.asked if each[0] == "LIST"]) >= 2
    parts = [given for how, name, given in server.asked if how == "GET" and name.endswith("large.csv")]
    assert parts
    assert all(parts)


def test_one_object_is_named_by_itself(served):
    scheme, _ = served
    (found,) = walk([Path(f"{scheme}://bucket/other.csv")])
    assert (found.name, found.open().read()) == ("other.csv", b"x,y\n7,8\n")


def test_a_store_that_refuses_or_has_nothing_ends_the_operation_without_a_secret(served):
    scheme, server = served
    server.closed.add("closed")
    with pytest.raises(AccessDenied) as refused:
        list(walk([Path(f"{scheme}://closed/day")]))
    with pytest.raises(SourceUnavailable) as missing:
        list(walk([Path(f"{scheme}://nowhere/x")]))
    with pytest.raises(SourceUnavailable):
        list(walk([Path(f"{scheme}://bucket/nothing")]))
    assert SECRET not in str(refused.value) + str(missing.value)


def test_an_object_that_went_since_it_was_listed_is_a_gap(served):
    scheme, server = served
    server.gone.add("bucket/day/b c.csv")
    found = list(walk([Path(f"{scheme}://bucket/day")]))
    assert [item.origin.document for item in found if isinstance(item, Gap)] == ["b c.csv"]
    assert len(found) == 4


@pytest.mark.parametrize("served", ["abfss"], indirect=True)
@pytest.mark.usefixtures("served")
def test_a_url_of_azure_may_name_the_account():
    found = list(walk([Path("abfss://bucket@account.dfs.core.windows.net/day")]))
    assert [item.name for item in found] == ["a.gz!a", "b c.csv", "deep/d.csv", "large.csv"]
    (one,) = walk([Path("abfss://bucket@account.dfs.core.windows.net/other.csv")])
    assert (one.name, one.open().read()) == ("other.csv", b"x,y\n7,8\n")
