"""Finding runs by name and by rank."""

import pytest

from phase2.errors import ModelFileError, RequestError
from phase2.runs.catalog.best import best_first
from phase2.runs.catalog.index import list_runs
from phase2.runs.catalog.lookup import default_model_file, find
from phase2.storage.urls import open_store


def named(name):
    return f"run_20260101T000000Z_{name}"


@pytest.fixture
def listed(make_run, tmp_path):
    """Four runs of two families; ``a1`` is the best, ``b1`` ended last, ``bad`` failed."""
    make_run(tmp_path, named("a1"), score=0.2, after=1)
    make_run(tmp_path, named("a2"), score=0.4, after=2)
    make_run(tmp_path, named("b1"), score=0.3, after=9, family="multitask_lite_e3nn")
    make_run(tmp_path, named("bad"), score=0.1, after=99, status="failed")
    return list_runs(open_store(str(tmp_path)))


@pytest.mark.parametrize(
    ("name", "run_id"),
    [
        ("a1", "a1"),
        ("b1", "b1"),
        ("ba", "bad"),
        (named("a2"), "a2"),
        (f"multitask_cgcnn/{named('a2')}", "a2"),
        ("multitask_lite", "b1"),
        ("latest", "b1"),
        ("best", "a1"),
    ],
)
def test_a_run_has_many_names(listed, name, run_id):
    assert find(listed, name).run_id == run_id


def test_an_ambiguous_prefix_is_refused_with_the_names(listed):
    with pytest.raises(RequestError, match="matches 2 runs") as caught:
        find(listed, "a")
    assert named("a1") in caught.value.why
    assert named("a2") in caught.value.why


def test_an_exact_id_takes_precedence_over_a_prefix(make_run, tmp_path):
    make_run(tmp_path, named("x"))
    make_run(tmp_path, named("xy"))
    assert find(list_runs(open_store(str(tmp_path))), "x").run_id == "x"


def test_an_unknown_name_offers_the_nearest(listed):
    with pytest.raises(RequestError, match="no run 'run_20260101T000000Z_a3'") as caught:
        find(listed, named("a3"))
    assert "Did you mean 'run_20260101T000000Z_a" in caught.value.fix
    for name in ("", "zzz"):
        with pytest.raises(RequestError, match="no run"):
            find(listed, name)


@pytest.mark.parametrize("name", ["latest", "best", "a1"])
def test_an_empty_list_has_no_match(name):
    with pytest.raises(RequestError, match="no "):
        find([], name)


def test_ranking_is_by_score_or_validation_error_never_by_test_error(make_run, tmp_path, manifest):
    val = manifest.val
    better = tuple(row.model_copy(update={"mae": 0.01}) if row.key == "band_gap" else row for row in val)
    make_run(tmp_path, named("low_score"), score=0.1, test=better)
    make_run(tmp_path, named("low_gap"), score=0.9, val=better, test=val)
    make_run(tmp_path, named("unscored"), score=None)
    make_run(tmp_path, named("failed"), score=0.0, status="failed")
    runs = list_runs(open_store(str(tmp_path)))
    assert [run.run_id for run in best_first(runs)] == ["low_score", "low_gap"]
    assert best_first(runs, "band_gap")[0].run_id == "low_gap"
    assert best_first(runs, "bulk_modulus") == []  # nobody has a label for it


def test_the_default_model_is_the_best_of_the_runs_that_compare_with_the_newest(make_run, tmp_path, caplog):
    worst = make_run(tmp_path, named("worst"), score=0.7, after=5)
    best = make_run(tmp_path, named("better"), score=0.5, after=4)
    make_run(tmp_path, named("easy"), score=0.1, after=1, properties=("formation_energy",))
    caplog.set_level("INFO")
    assert default_model_file(tmp_path) == best.best
    assert (
        "run better: best of 2 runs on sample, 800 crystals, random split, by validation score; 1 older" in caplog.text
    )
    alone = make_run(tmp_path, named("new"), score=None, after=9)
    assert default_model_file(tmp_path) == alone.best
    assert worst.best.is_file()


def test_a_default_model_needs_its_file_and_a_finished_run(make_run, tmp_path):
    late = make_run(tmp_path, named("a"), after=5)
    make_run(tmp_path, named("b"), after=1, family="multitask_lite_e3nn", score=0.9)
    make_run(tmp_path, named("c"), after=9, status="interrupted")
    make_run(tmp_path, named("d"), after=9, files={})
    assert default_model_file(tmp_path) == late.best


def test_no_finished_run_says_how_to_get_one(tmp_path):
    for output in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ModelFileError, match="no finished run") as caught:
            default_model_file(output)
        assert "phase2 train" in caught.value.fix
    assert not (tmp_path / "nowhere").exists()
