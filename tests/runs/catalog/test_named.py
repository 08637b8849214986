"""Runs by path, by address, and by name."""

from pathlib import Path

import pytest

from phase2.errors import RequestError
from phase2.runs.catalog.named import locate, locate_all, own_place
from phase2.storage.urls import open_store

NAME = "run_20260101T000000Z_a1"
PREFIX = f"multitask_cgcnn/{NAME}"


@pytest.fixture
def models(make_run, tmp_path, monkeypatch):
    """A models folder with a run, in the current folder."""
    make_run(tmp_path / "models", NAME)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "models"


def not_opened():
    pytest.fail("The store of names was opened.")


@pytest.mark.parametrize(
    "name",
    [f"models/{PREFIX}", f"models/{PREFIX}/", f"./models/../models/{PREFIX}", f"{{root}}/models/{PREFIX}", "./link"],
)
def test_a_path_is_where_its_run_is(models, tmp_path, name):
    (tmp_path / "link").symlink_to(models / PREFIX)
    found = locate(name.format(root=tmp_path), not_opened)
    assert (found.store.url, found.prefix) == (models.as_uri(), PREFIX)


def test_a_run_is_named_from_within_its_folder(models, monkeypatch):
    monkeypatch.chdir(models / PREFIX)
    assert locate(".", not_opened).prefix == PREFIX
    assert own_place("") is None


def test_a_name_is_none_of_the_current_folder(models, make_run, tmp_path, monkeypatch):
    make_run(tmp_path / "store", NAME)
    for folder, name in ((models, PREFIX), (models / "multitask_cgcnn", NAME)):
        monkeypatch.chdir(folder)
        assert locate(name, lambda: open_store(tmp_path / "store")).store.url == (tmp_path / "store").as_uri()
        assert locate(f"{name}/", not_opened).store.url == models.as_uri()


def test_an_address_is_where_its_run_is(models):
    found = locate(f"{models.as_uri()}/{PREFIX}/", not_opened)
    assert (found.store.url, found.prefix) == (models.as_uri(), PREFIX)
    assert own_place(f"s3://bucket/team/{PREFIX}").store.url == "s3://bucket/team"


def test_a_name_is_looked_up_in_the_store_that_is_meant(models):
    for name in ("a1", "latest", PREFIX):
        assert locate(name, lambda: open_store("models")).prefix == PREFIX


def test_several_are_found_once_each(models, make_run, tmp_path):
    make_run(tmp_path / "other", NAME)
    opened = []

    def meant():
        opened.append(True)
        return open_store("models")

    names = ["a1", f"models/{PREFIX}", f"other/{PREFIX}", "latest"]
    found = locate_all(names, meant)
    assert [Path(place.store.url).name for place in found] == ["models", "other"]
    assert len(opened) == 1
    assert len(locate_all([f"other/{PREFIX}"], not_opened)) == 1


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("./moved", "another name"),
        ("ftp://host/x", "ftp"),
        ("s3:/bucket/x", "Did you mean s3://bucket/x"),
        ("s3://bucket/x", "is no address of a run"),
        ("nothing", "There is no run 'nothing'"),
        ("x" * 5000, "There is no run"),
    ],
)
def test_what_names_no_run_is_refused(models, tmp_path, name, says):
    (models / PREFIX).rename(tmp_path / "moved")
    with pytest.raises(RequestError, match=says):
        locate(name, lambda: open_store("models"))
