"""The best of runs: of those that compare, and never of others without a word."""

import pytest

from phase2.config.schema import DataConfig
from phase2.errors import RequestError, UnknownNameError
from phase2.runs.catalog.best import compare_best, named_best
from phase2.runs.catalog.index import list_runs
from phase2.runs.catalog.lookup import find
from phase2.runs.catalog.summary import _NO_DIVISION
from phase2.storage.urls import open_store
from phase2.testing.many_runs import write_runs

KEYS = ("formation_energy", "band_gap", "bulk_modulus")


def named(name):
    return f"run_20260101T000000Z_{name}"


@pytest.fixture
def listed(tmp_path):
    """Return a function that lists the runs made so far."""
    return lambda: list_runs(open_store(str(tmp_path)))


def test_a_run_of_one_easy_property_is_not_the_best_of_all(make_run, tmp_path, listed, data):
    make_run(tmp_path, named("multi1"), score=0.5)
    make_run(tmp_path, named("multi2"), score=0.4)
    easy = data.model_copy(update={"fingerprint": "99" * 32})
    make_run(tmp_path, named("easy"), score=0.1, properties=("formation_energy",), data=easy)
    with pytest.raises(RequestError, match="best of 3 runs is not defined") as caught:
        find(listed(), "best")
    assert (
        "2 runs of formation_energy, band_gap, bulk_modulus on sample, 800 crystals, random split" in caught.value.why
    )
    assert "best multi2" in caught.value.why
    assert "best easy" in caught.value.why
    assert "best:formation_energy" in caught.value.fix


def test_a_property_compares_runs_of_other_tasks_on_the_same_crystals(make_run, tmp_path, listed, manifest, caplog):
    def errors(mae):
        first, *others = manifest.val
        return (first.model_copy(update={"mae": mae}), *others)

    make_run(tmp_path, named("good"), score=0.9, val=errors(0.05))
    make_run(tmp_path, named("easy"), score=0.1, properties=("formation_energy",), val=errors(0.07))
    caplog.set_level("INFO")
    assert find(listed(), "best:formation_energy").run_id == "good"
    assert (
        "run good: best of 2 runs on sample, 800 crystals, random split, by validation MAE of formation_energy"
        in caplog.text
    )


def test_errors_on_other_crystals_do_not_compare(make_run, tmp_path, listed, manifest, data):
    make_run(tmp_path, named("a"), score=0.4)
    make_run(tmp_path, named("b"), score=0.3, data=data.model_copy(update={"read": 10, "fingerprint": "77" * 32}))
    other = manifest.config.data.model_copy(update={"group_by": "composition"})
    make_run(tmp_path, named("c"), score=0.2, config=manifest.config.model_copy(update={"data": other}))
    with pytest.raises(RequestError, match="differ in data or split"):
        find(listed(), "best")
    with pytest.raises(
        RequestError, match="3 runs with a validation error of band_gap are of 3 different data sets or splits"
    ):
        find(listed(), "best:band_gap")


def test_runs_that_learn_a_property_in_another_form_compare(make_run, tmp_path, listed, manifest):
    learned = manifest.config.data.model_copy(update={"per_volume": ("bulk_modulus", "shear_modulus")})
    make_run(tmp_path, named("plain"), score=0.4)
    make_run(tmp_path, named("product"), score=0.3, config=manifest.config.model_copy(update={"data": learned}))
    assert [run.run_id for run in compare_best(listed()).runs] == ["product", "plain"]
    assert len(compare_best(listed(), "band_gap").runs) == 2


def test_it_is_known_of_every_setting_of_the_data_whether_it_divides_the_crystals():
    """Add a new one to ``_NO_DIVISION``, or to those that do."""
    do = {"max_samples", "split_seed", "fractions", "group_by", "split", "drop_twins", "own_properties"}
    assert not do & set(_NO_DIVISION)
    assert do | set(_NO_DIVISION) == set(DataConfig.model_fields)


def test_names_that_choose_by_a_property():
    assert named_best("best", "band_gap") == "best:band_gap"
    assert named_best("4f1c2a", None) == "4f1c2a"
    with pytest.raises(RequestError, match="does not go with the run '4f1c2a'"):
        named_best("4f1c2a", "band_gap")
    with pytest.raises(UnknownNameError, match="band_gap"):
        compare_best([], "bandgap")
    with pytest.raises(RequestError, match="no run 'best:'"):
        find([], "best:")


def test_among_many_runs_only_equals_are_compared(tmp_path, listed):
    write_runs(tmp_path, 60, epochs=2)
    runs = listed()
    with pytest.raises(RequestError, match="differ in data or split"):
        find(runs, "best")
    on_sample = [run for run in runs if run.data == "0" * 64]
    best = find(on_sample, "best")
    assert best.score == min(run.score for run in on_sample if run.status == "finished")
