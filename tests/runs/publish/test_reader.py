"""Published runs: opened, verified, downloaded."""

import pytest

from phase2.errors import ModelFileError, RequestError, UnknownNameError
from phase2.runs.publish.reader import PublishedRun
from phase2.storage.base import ObjectDamagedError
from phase2.storage.urls import open_store


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_verify_names_what_is_missing_damaged_and_extra(published, store, prefix):
    assert published.verify().intact
    store.delete(f"{prefix}/history.json")
    store.put(f"{prefix}/best.pt", b"w" * 4999 + b"v")
    store.put(f"{prefix}/empty.csv", b"not empty")
    store.put(f"{prefix}/notes.txt", b"mine")
    found = published.verify()
    assert not found.intact
    assert found.missing == ("history.json",)
    assert sorted(found.damaged) == ["best.pt", "empty.csv"]
    assert found.extra == ("notes.txt",)


def test_an_unlisted_file_does_not_matter(published, store, prefix):
    store.put(f"{prefix}/notes.txt", b"mine")
    assert published.verify().intact


def test_a_run_of_the_models_folder_is_verified_the_same_way(run, prefix):
    models = open_store(str(run.path.parent.parent))
    with run.lock():
        assert PublishedRun.open(models, prefix).verify().intact
    run.best.write_bytes(b"")
    assert PublishedRun.open(models, prefix).verify().damaged == ("best.pt",)


def test_a_pulled_run_equals_the_published_one(published, run, tmp_path):
    told = []
    pulled = published.pull(tmp_path / "here", progress=lambda done, total: told.append((done, total)))
    assert pulled.path == tmp_path / "here" / published.prefix
    assert contents(pulled.path) == contents(run.path)
    total = sum(artifact.bytes for artifact in published.manifest.artifacts)
    assert told[-1] == (total, total)
    here = open_store(str(tmp_path / "here"))
    assert PublishedRun.open(here, published.prefix).verify().intact


def test_a_pull_resumes_repairs_and_keeps_intact_files(published, run, tmp_path):
    pulled = published.pull(tmp_path)
    kept = pulled.best.stat().st_ino
    pulled.history.write_bytes(b"{}")
    pulled.manifest.unlink()
    (pulled.path / "empty.csv").unlink()
    published.pull(tmp_path)
    assert contents(pulled.path) == contents(run.path)
    assert pulled.best.stat().st_ino == kept


def test_the_manifest_comes_last(published, store, prefix, tmp_path):
    store.put(f"{prefix}/best.pt", b"v" * 5000)
    with pytest.raises(ObjectDamagedError):
        published.pull(tmp_path)
    assert not (tmp_path / prefix / "run_manifest.json").exists()
    assert not (tmp_path / prefix / "best.pt").exists()


def test_one_file_can_be_pulled(published, tmp_path):
    pulled = published.pull(tmp_path, only=["best.pt", "pictures/parity.png"])
    assert set(contents(pulled.path)) == {"best.pt", "pictures/parity.png"}
    with pytest.raises(UnknownNameError, match=r"Did you mean 'best\.pt'"):
        published.pull(tmp_path, only=["bset.pt"])


def test_a_pull_never_replaces_another_run_or_one_in_training(published, make_run, tmp_path):
    other = make_run(tmp_path / "other", files={"best.pt": b"other"})
    before = contents(other.path)
    with pytest.raises(RequestError, match="another run"):
        published.pull(tmp_path / "other")
    assert contents(other.path) == before
    other.manifest.unlink()
    with other.lock(), pytest.raises(RequestError, match="being trained"):
        published.pull(tmp_path / "other")


@pytest.mark.parametrize("path", ["../../evil", "/evil", "a/../../../evil"])
def test_a_malicious_manifest_cannot_write_outside_its_run(published, store, prefix, tmp_path, path):
    text = published.content.decode().replace('"best.pt"', f'"{path}"')
    store.put(f"{prefix}/run_manifest.json", text.encode())
    with pytest.raises(RequestError, match="not a valid key"):
        PublishedRun.open(store, prefix).pull(tmp_path / "here")
    assert not list(tmp_path.rglob("evil"))


def test_a_damaged_manifest_is_reported(store, prefix):
    store.put(f"{prefix}/run_manifest.json", b"{")
    with pytest.raises(ModelFileError, match="damaged"):
        PublishedRun.open(store, prefix)


def test_a_run_without_manifest_cannot_be_opened(store, prefix):
    store.delete(f"{prefix}/run_manifest.json")
    with pytest.raises(RequestError, match="no manifest"):
        PublishedRun.open(store, prefix)
