"""Structures and models come out of a store unchanged, and lists are divided without loss."""

import shutil
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.data.crystals.readers import read_structure
from phase2.errors import DataError, LimitExceededError, RequestError
from phase2.prediction.predictor import Predictor
from phase2.prediction.stored_inputs import Shard, download_model, download_structures, list_stored_structures
from phase2.storage.folder import LocalStore
from phase2.storage.urls import open_store


@given(st.lists(st.integers()), st.integers(1, 12))
def test_shards_partition_a_list_into_equal_parts(items, count):
    shards = [Shard.parse(f"{number}/{count}").select(items) for number in range(1, count + 1)]
    assert sorted(item for shard in shards for item in shard) == sorted(items)
    sizes = [len(shard) for shard in shards]
    assert max(sizes) - min(sizes) <= 1


def test_the_default_shard_is_the_whole_list():
    assert Shard().select([3, 1, 2]) == [3, 1, 2]


@pytest.mark.parametrize("text", ["0/4", "5/4", "1/0", "x", "1", "1/", "-1/4", "1/4/2", "1.5/4"])
def test_text_that_is_no_shard_is_refused(text):
    with pytest.raises(RequestError):
        Shard.parse(text)


@pytest.fixture
def bucket(examples, tmp_path):
    """A store with structures at two levels, and files that are none."""
    folder = tmp_path / "bucket"
    (folder / "deep").mkdir(parents=True)
    for number, path in enumerate(examples):
        shutil.copy(path, folder / ("deep" if number % 2 else "") / path.name)
    (folder / "notes.txt").write_text("no structure")
    (folder / "targets.csv").write_text("file\n")
    return open_store(folder)


def test_structures_of_a_store_are_listed_in_order(bucket):
    assert [info.key for info in list_stored_structures(bucket).objects] == [
        "MgO.cif",
        "Si.cif",
        "deep/NaCl.cif",
        "deep/SrTiO3.cif",
    ]


class OddKeys(LocalStore):
    """A bucket that keeps keys as they were given, as that of AWS does and the servers of the tests do not."""

    def list(self, prefix=""):
        infos = list(super().list(prefix))
        odd = [replace(infos[0], key=key) for key in ("/x.cif", "deep//y.cif", "../z.cif", "a\nb.cif", "c\\d.cif")]
        return iter([*infos, *odd])


def test_keys_that_cannot_be_paths_cost_themselves_alone(bucket, tmp_path):
    found = list_stored_structures(OddKeys(bucket.root))
    assert len(found.objects) == 4
    assert [one.name for one in found.refused] == ["/x.cif", "deep//y.cif", "../z.cif", "a\nb.cif", "c\\d.cif"]
    assert [one.name for one in found.left_out] == ["notes.txt", "targets.csv"]
    assert len(download_structures(bucket, found.objects, tmp_path / "here", DEFAULT_LIMITS)) == 4


def test_a_store_without_structures_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("no structure")
    with pytest.raises(DataError, match="holds no structure"):
        list_stored_structures(open_store(tmp_path))


def test_downloaded_structures_keep_keys_order_and_bytes(bucket, examples, tmp_path):
    objects = list_stored_structures(bucket).objects[::-1]
    keys = [info.key for info in objects]
    paths = download_structures(bucket, objects, tmp_path / "here", DEFAULT_LIMITS)
    assert [path.relative_to(tmp_path / "here").as_posix() for path in paths] == keys
    originals = {path.name: path.read_bytes() for path in examples}
    assert {path.name: path.read_bytes() for path in paths} == originals


def test_a_large_object_is_not_downloaded_and_costs_its_own_row(bucket, tmp_path):
    limits = ReadingLimits(file_bytes=1_000)
    (tmp_path / "bucket" / "Large.cif").write_bytes(b"x" * 5_000)
    paths = download_structures(bucket, list_stored_structures(bucket).objects, tmp_path / "here", limits)
    large = next(path for path in paths if path.name == "Large.cif")
    assert large.read_bytes() == bytes(5_000)
    with pytest.raises(LimitExceededError, match="it has 5,000 bytes"):
        read_structure(large, limits=limits)


def test_a_key_that_leaves_the_folder_is_refused(bucket, tmp_path):
    info = list_stored_structures(bucket).objects[0]
    with pytest.raises(RequestError, match="relative path"):
        download_structures(bucket, [replace(info, key="../Si.cif")], tmp_path / "here", DEFAULT_LIMITS)
    assert not (tmp_path / "Si.cif").exists()


@pytest.mark.parametrize("name", ["best", "latest", None])
def test_a_model_is_downloaded_into_the_folder_of_its_run(models, run, tmp_path, name):
    path = download_model(open_store(models), name or run.name, tmp_path)
    assert path == tmp_path / run.relative_to(models) / "best.pt"
    assert path.read_bytes() == (run / "best.pt").read_bytes()
    assert [file.name for file in path.parent.iterdir()] == ["best.pt"]
    Predictor.load(path)


def test_an_unknown_run_is_refused(models, tmp_path):
    with pytest.raises(RequestError, match="no run 'run_of_another_day'"):
        download_model(open_store(models), "run_of_another_day", tmp_path)


def test_a_model_damaged_in_the_store_is_refused(models, run, tmp_path):
    store = tmp_path / "store"
    shutil.copytree(models, store)
    model = store / run.relative_to(models) / "best.pt"
    content = bytearray(model.read_bytes())
    content[-1] ^= 1
    model.write_bytes(content)
    with pytest.raises(DataError):
        download_model(open_store(store), "best", tmp_path / "here")
    assert not list((tmp_path / "here").rglob("best.pt"))
