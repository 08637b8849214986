"""Laws of the data set that a run trains on."""

import json

import numpy as np
import pytest

from phase2.config.data.own_properties import PropertyDefinition
from phase2.config.schema import DataConfig
from phase2.data.dataset import CrystalPropertyDataset
from phase2.errors import DataError, RequestError
from phase2.properties import CORE, KEYS

SAMPLE = DataConfig()


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def _load(cache, properties=CORE, **changes):
    leave_out = changes.pop("drop_unlabelled_properties", False)
    config = SAMPLE.model_copy(update=changes)
    return CrystalPropertyDataset.load(config, properties, cache=cache, drop_unlabelled_properties=leave_out)


def _ids(dataset, part):
    return set(dataset.graphs.ids[getattr(dataset.split, part)].tolist())


def test_parts_are_disjoint_and_hold_every_labelled_crystal(cache):
    dataset = _load(cache)
    parts = [_ids(dataset, part) for part in ("train", "val", "test")]
    labelled = np.isfinite(dataset.targets).any(axis=1)
    assert sum(len(p) for p in parts) == len(set.union(*parts)) == labelled.sum()
    assert dataset.unlabelled == (~labelled).sum() > 0


@pytest.mark.parametrize("other", [{"properties": ("ehull",)}, {"max_samples": 200}, {"properties": ("band_gap",)}])
def test_no_choice_of_labels_or_size_moves_a_crystal_to_another_part(cache, other):
    whole, thinner = _load(cache, KEYS, drop_unlabelled_properties=True), _load(cache, **other)
    for part in ("train", "val", "test"):
        assert _ids(thinner, part) <= _ids(whole, part)


@pytest.mark.parametrize("most", [10, 96, 1000])
def test_max_samples_keeps_that_many_and_labels_of_every_property(cache, most):
    dataset = _load(cache, max_samples=most)
    assert sum(len(_ids(dataset, part)) for part in ("train", "val", "test")) == most
    assert all(count > 0 for counts in dataset.label_counts().values() for count in counts.values()) or most == 10


def test_fewer_crystals_are_a_subset_of_more(cache):
    few, many = _load(cache, max_samples=96), _load(cache, max_samples=960)
    for part in ("train", "val", "test"):
        assert _ids(few, part) <= _ids(many, part)


def test_the_scaler_is_fitted_to_the_training_part_only(cache):
    dataset = _load(cache)
    expected = np.nanmedian(dataset.targets[dataset.split.train], axis=0)
    np.testing.assert_allclose(dataset.scaler.baseline(), expected, rtol=1e-6)


def test_the_fingerprint_tells_data_apart(cache):
    same = {_load(cache).fingerprint, _load(cache).fingerprint}
    others = {_load(cache, max_samples=100).fingerprint, _load(cache, ("ehull",)).fingerprint}
    assert len(same) == 1
    assert len(same | others | {_load(cache, split_seed=1).fingerprint}) == 4


def test_a_property_without_labels_is_refused_or_dropped(cache):
    with pytest.raises(
        DataError, match=r"no label for band_gap_mbj, spillage.*--properties formation_energy,"
    ) as refused:
        _load(cache, KEYS)
    assert "--max-samples" not in str(refused.value)
    with pytest.raises(DataError, match=r"crystals of the 100 crystals that the level or --max-samples keeps"):
        _load(cache, KEYS, max_samples=100)
    kept = _load(cache, KEYS, drop_unlabelled_properties=True).properties
    assert {p.key for p in kept} == set(KEYS) - {"band_gap_mbj", "spillage"}
    with pytest.raises(DataError, match="no label for spillage"):
        _load(cache, ("spillage",), drop_unlabelled_properties=True)


@pytest.mark.parametrize("most", [1, 2, 3])
def test_too_few_crystals_are_refused(cache, most):
    with pytest.raises(DataError, match="too few to train on"):
        _load(cache, max_samples=most)


def test_workers_must_be_positive(cache):
    with pytest.raises(RequestError, match="--workers 0"):
        CrystalPropertyDataset.load(SAMPLE, CORE, cache=cache, workers=0)


def test_invalid_records_are_counted_with_reasons(tmp_path, cache):
    def record(name, a, label):
        lattice = [[a, 0, 0], [0, a, 0], [0, 0, a]]
        atoms = {"lattice_mat": lattice, "coords": [[0, 0, 0]], "elements": ["Fe"], "cartesian": False}
        return {"jid": name, "atoms": atoms, "formation_energy_peratom": label}

    records = [record(f"good-{k}", 2.5 + 0.1 * k, -0.1 * k) for k in range(20)]
    records += [record("flat", 0.0, 1.0), record("infinite", float("inf"), 1.0)]
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(records))
    dataset = CrystalPropertyDataset.load(DataConfig(source=str(path)), ("formation_energy",), cache=cache)
    assert dataset.rejected == 2
    assert {r.id for r in dataset.store.rejected} == {"flat", "infinite"}
    assert "flat" in (dataset.store.path / "rejected.csv").read_text()


def test_bounds_that_leave_no_label_are_told_from_missing_labels(tmp_path):
    path = tmp_path / "few.jsonl"
    with path.open("w") as file:
        for k in range(20):
            edge = 3.5 + k / 10
            atoms = {"lattice_mat": (edge * np.eye(3)).tolist(), "coords": [[0, 0, 0]], "elements": ["Na"]}
            file.write(json.dumps({"jid": f"c{k}", "atoms": {**atoms, "cartesian": False}, "share": 50}) + "\n")
    own = (PropertyDefinition(key="share", transform="logit", lower=0, upper=1),)
    config = DataConfig(source=str(path), own_properties=own)
    with pytest.raises(DataError, match="No label of share is left") as refused:
        CrystalPropertyDataset.load(config, ["share"], cache=tmp_path)
    assert "20 labels of share, as of c0, lie beyond the bounds" in refused.value.why


def test_training_labels_that_are_taken_for_failed_calculations_are_named(tmp_path):
    path = tmp_path / "sparse.jsonl"
    high = dict(zip(range(0, 240, 30), (2, 3, 4, 5, 80, 90, 100, 130), strict=True))
    with path.open("w") as file:
        for k in range(1000):
            edge = 3.5 + k / 1000
            atoms = {"lattice_mat": (edge * np.eye(3)).tolist(), "coords": [[0, 0, 0]], "elements": ["Na"]}
            record = {"jid": f"c{k}", "atoms": {**atoms, "cartesian": False}, "tc": high.get(k, 0)}
            file.write(json.dumps(record) + "\n")
    own = (PropertyDefinition(key="tc", unit="K", lower=0),)
    dataset = CrystalPropertyDataset.load(DataConfig(source=str(path), own_properties=own), ["tc"], cache=tmp_path)
    labels = dataset.targets[dataset.split.train]
    left = np.flatnonzero(~dataset.scaler.training_mask(labels)[:, 0])
    assert 0 < len(left) < 8
    (remark,) = [one for one in dataset.label_remarks() if "not learned" in one]
    assert remark.startswith(f"tc: {len(left)} of 800 training labels lie more than 15 robust standard deviations")
    assert f": {labels[left].max():g} (c" in remark
