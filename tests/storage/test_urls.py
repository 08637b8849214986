"""Addresses of stores: what is meant is opened, and what is nearly one is never a folder of that name."""

import pytest

from phase2.errors import RequestError
from phase2.runs.catalog.index import list_runs
from phase2.storage.folder import LocalStore, folder_of_address
from phase2.storage.s3.settings import S3Settings
from phase2.storage.urls import is_address, open_existing_store, open_store
from phase2.testing.finished_run import finished_run

NEARLY = {
    "s3:/ml-data/store": "s3://ml-data/store",
    "s3:ml-data/store": "s3://ml-data/store",
    "S3://ml-data/store": "s3://ml-data/store",
    "S3:/ml-data": "s3://ml-data",
    "s3//ml-data/store": "s3://ml-data/store",
    "s3:///ml-data/store": None,
    "s3:////ml-data": None,
    "s3 ://ml-data": "s3://ml-data",
    " s3://ml-data": "s3://ml-data",
    "s3;//ml-data": "s3://ml-data",
    "s3:\\\\ml-data": "s3://ml-data",
    "s3a://ml-data/store": "s3://ml-data/store",
    "s3n://ml-data": "s3://ml-data",
    "s3://ml-data//store": "s3://ml-data/store",
    "file:/data/store": "file:///data/store",
    "file:data": "file:///data",
    "file://data/store": "file:///data/store",
    "FILE:///data": "file:///data",
}


@pytest.mark.parametrize("text", NEARLY)
def test_what_is_nearly_an_address_is_refused_with_the_address_that_is_meant(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RequestError) as refused:
        open_store(text)
    if meant := NEARLY[text]:
        assert f"Did you mean {meant}?" in refused.value.fix
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("http://host:9000/ml-data", "AWS_ENDPOINT_URL"),
        ("https://ml-data.s3.amazonaws.com/x", "AWS_ENDPOINT_URL"),
        ("gs://ml-data", "s3://bucket"),
        ("s3://ml-data/a\nb", "line break"),
        ("s3://ml-data\n", "line break"),
        ("\ns3://ml-data", "line break"),
        ("s3://ml-data/\x1b[31m", "hidden character"),
        ("s3://ml-\u200bdata", "hidden character"),
        ("file:///data\r", "line break"),
        ("s3://ml-data/a//b", "empty names"),
        ("s3://ml-data/../b", "'..'"),
        ("s3://ml-data/x?y", "'?'"),
        ("file:///data/a#b", "'#'"),
        ("file:///data/a?b", "'?'"),
        ("s3://ML-Data/x", "not a valid bucket name"),
    ],
)
def test_other_addresses_are_refused(text, words):
    with pytest.raises(RequestError) as refused:
        open_store(text)
    assert words in str(refused.value)
    assert refused.value.fix
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("text", ["models", "./s3:/x", "s3", "s3/models", "a:b", "/s3:/x", "files", "file", "x//y"])
def test_paths_are_folders(text):
    assert not is_address(text)
    assert isinstance(open_store(text), LocalStore)


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("http://host:9000/ml-data", "http://host:9000."),
        ("http://host:9000/ml-data/", "http://host:9000."),
        ("http://host/base/ml-data", "http://host/base."),
    ],
)
def test_a_bucket_in_the_endpoint_is_named(endpoint, words):
    with pytest.raises(RequestError, match="has the bucket in its path") as refused:
        open_store("s3://ml-data/x", S3Settings(endpoint=endpoint))
    assert words in refused.value.fix


@pytest.mark.parametrize("endpoint", ["http://host\n", "http://ho st", "host:9000", "http://host?x", "http://host#x"])
def test_other_endpoints_are_refused(endpoint):
    with pytest.raises(RequestError, match="endpoint"):
        S3Settings(endpoint=endpoint)


def test_a_folder_that_is_to_be_read_is_there(tmp_path):
    assert open_existing_store(tmp_path).url == open_existing_store(tmp_path.as_uri()).url == tmp_path.as_uri()
    (tmp_path / "file").touch()
    with pytest.raises(RequestError, match="is no folder"):
        open_existing_store(tmp_path / "file")


@pytest.mark.parametrize(
    ("name", "fix"),
    [("models-odl", "Did you mean {}/models-old?"), ("xyz", "Check the path"), ("a/b", "Check the path")],
)
def test_a_folder_that_is_not_there_is_named_with_the_nearest_beside_it(tmp_path, name, fix):
    (tmp_path / "models-old").mkdir()
    (tmp_path / "models-odd").touch()
    with pytest.raises(RequestError, match="There is no folder") as refused:
        open_existing_store(tmp_path / name)
    assert refused.value.fix.startswith(fix.format(tmp_path))
    assert not (tmp_path / name).exists()


def test_a_folder_whose_name_is_no_utf8_is_found_by_its_address(tmp_path):
    folder = tmp_path / "\udce9t\udce9"
    folder.mkdir()
    store = open_store(folder)
    assert folder_of_address(store.url) == folder
    assert open_existing_store(store.url).url == store.url
    finished_run(folder, {"best.pt": b"w"})
    assert [run.status for run in list_runs(store)] == ["finished"]
