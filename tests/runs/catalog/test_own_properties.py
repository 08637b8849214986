"""Lists, rankings and comparisons of runs that define properties, binary ones among them."""

import re

import numpy as np
import pytest

from phase2.api.runs.run_list import RunList
from phase2.api.runs.run_list import list_runs as runs_of
from phase2.cli.runs.comparison import print_comparison
from phase2.config.data.own_properties import PropertyDefinition
from phase2.errors import DataError, RequestError, UnknownNameError
from phase2.notification.message import workflow_ended
from phase2.runs.catalog.best import compare_best
from phase2.runs.catalog.columns import DEFAULT_COLUMNS, choose_columns, find_column, sort_runs
from phase2.runs.catalog.comparison import compare_runs
from phase2.runs.catalog.cross_validation.folds import CrossValidation
from phase2.runs.catalog.cross_validation.matbench import matbench_task
from phase2.runs.catalog.filter import RunFilter
from phase2.runs.catalog.index import list_runs
from phase2.runs.catalog.ranking import finished_rows, ranked, rows_table
from phase2.runs.records.manifest import read_manifest
from phase2.runs.records.predictions import PartPredictions
from phase2.runs.records.results import PropertyMetrics
from phase2.runs.records.splits import SplitFacts
from phase2.storage.urls import open_store

CV = PropertyDefinition(key="cv", unit="J/mol/K", column="heat_capacity")
METAL = PropertyDefinition(key="metal", task="binary")


def named(name):
    return f"run_20260101T000000Z_{name}"


def errors_of(cv, metal, *, unit="J/mol/K"):
    return (
        PropertyMetrics.from_errors("cv", unit, 30, mae=cv, rmse=2 * cv, r2=0.5, baseline_mae=9.0),
        PropertyMetrics.from_probabilities(
            "metal", 40, log_loss=metal, baseline_log_loss=0.69, roc_auc=1 - metal, accuracy=0.9 - metal / 2,
            baseline_accuracy=0.55, f1=0.8 - metal,
        ),
    )  # fmt: skip


@pytest.fixture
def make_own(make_run, manifest, tmp_path):
    """Make a run with errors of both properties: ``make_own(name, 3.0, 0.4)``."""

    def make(name, cv, metal, *, definitions=(CV, METAL), unit="J/mol/K", split=None, **fields):
        data = manifest.config.data.model_copy(update={"own_properties": definitions, "split": split})
        config = manifest.config.model_copy(update={"data": data, "properties": ("cv", "metal")})
        found = errors_of(cv, metal, unit=unit)
        given = {"config": config, "properties": ("cv", "metal"), "val": found, "test": found, **fields}
        return make_run(tmp_path, named(name), **given)

    return make


@pytest.fixture
def listed(tmp_path):
    """Return a function that lists the runs made so far."""
    return lambda: list_runs(open_store(str(tmp_path)))


def test_columns_show_which_error_it_is_and_the_unit_that_was_recorded(make_own, make_run, tmp_path, listed):
    make_own("good", 3.0, 0.2)
    make_own("bad", 5.0, 0.6)
    make_run(tmp_path, named("nine"))
    runs = listed()
    headings = {column.heading: column for column in choose_columns(DEFAULT_COLUMNS, runs)}
    assert {"val MAE of cv [J/mol/K]", "val log loss of metal", "val MAE of band_gap [eV]"} <= headings.keys()
    assert {headings["val log loss of metal"].text(run) for run in runs} == {"0.2", "0.6", "-"}
    assert [run.run_id for run in sort_runs(runs, "mae:metal")] == ["good", "bad", "nine"]
    table = RunList(runs)
    assert "val MAE of cv [J/mol/K]" in table.columns()
    assert "val log loss of metal" in table.columns()
    assert len(table.columns()) == len(table.records()[0])


def test_a_property_that_runs_define_in_two_units_shows_each(make_own, listed):
    calories = CV.model_copy(update={"unit": "cal/mol/K"})
    made = [
        make_own("joule", 3.0, 0.2),
        make_own("calorie", 0.7, 0.2, unit="cal/mol/K", definitions=(calories, METAL)),
    ]
    manifests = [read_manifest(run.manifest) for run in made]
    column = find_column("mae:cv", listed())
    assert column.heading == "val error of cv"
    assert {column.text(run) for run in listed()} == {"3 J/mol/K", "0.7 cal/mol/K"}
    with pytest.raises(RequestError, match="2 different data sets, splits or definitions") as caught:
        compare_best(listed(), "cv")
    assert "cal/mol/K" in caught.value.why
    by_unit = {row.unit: row.values for row in compare_runs(manifests) if (row.part, row.measure) == ("val", "mae")}
    assert by_unit == {"J/mol/K": (3.0, None), "cal/mol/K": (None, 0.7)}


def test_the_best_of_a_binary_property_has_the_lowest_log_loss(make_own, tmp_path, listed):
    make_own("good", 5.0, 0.2)
    make_own("bad", 3.0, 0.6)
    best = compare_best(listed(), "metal")
    assert [run.run_id for run in best.runs] == ["good", "bad"]
    assert best.sentence().endswith("by validation log loss of metal")
    assert compare_best(listed(), "cv").sentence().endswith("by validation MAE of cv [J/mol/K]")
    assert runs_of(tmp_path, property="metal").best_first("metal")[0].run_id == "good"


def test_a_title_or_transform_does_not_keep_runs_from_comparing_and_a_column_does(make_own, listed):
    make_own("one", 3.0, 0.2)
    make_own("two", 2.0, 0.2, definitions=(CV.model_copy(update={"title": "C", "transform": "log1p"}),))
    assert compare_best(listed(), "cv").runs[0].run_id == "two"
    make_own("other", 1.0, 0.2, definitions=(CV.model_copy(update={"column": "cp"}),))
    with pytest.raises(RequestError, match="definitions of the property"):
        compare_best(listed(), "cv")


def test_definitions_matter_to_splits_that_look_at_labels(make_own, listed):
    def of(split, *definitions):
        make_own(f"{split}{len(definitions)}", 3.0, 0.2, definitions=definitions, split=split)
        return next(run.division for run in listed() if run.run_id == f"{split}{len(definitions)}")

    assert of(None, CV) == of(None, CV, METAL)
    assert of("stratified", CV) != of("stratified", CV, METAL)


def test_a_key_that_no_run_has_is_an_error_with_the_nearest(make_own, listed):
    make_own("one", 3.0, 0.2)
    assert [run.run_id for run in RunFilter(property="metal").select(listed())] == ["one"]
    assert RunFilter(property="band_gap").select(listed()) == []
    for typo, nearest in (("metl", "metal"), ("bandgap", "band_gap")):
        with pytest.raises(UnknownNameError, match=f"Did you mean '{nearest}'"):
            RunFilter(property=typo).select(listed())
    with pytest.raises(UnknownNameError, match="Unknown property 'xyz'"):
        RunFilter(property="xyz").select([])


def test_comparisons_say_which_values_are_better(make_own):
    runs = [read_manifest(make_own(name, 3.0, loss).manifest) for name, loss in (("a", 0.2), ("b", 0.6))]
    better = {row.measure: row.labels()["better"] for row in compare_runs(runs) if row.part == "val"}
    assert better == {
        "score": "lower", "mae": "lower", "rmse": "lower", "r2": "higher", "log_loss": "lower", "roc_auc": "higher",
        "accuracy": "higher", "f1": "higher", "baseline_log_loss": "lower",
    }  # fmt: skip
    measures = {(row.property, row.measure) for row in compare_runs(runs)}
    assert ("metal", "mae") not in measures
    assert ("cv", "log_loss") not in measures


def test_the_ranking_of_a_sweep_shows_log_losses(make_own, tmp_path):
    make_own("a", 3.0, 0.25, score=0.5)
    rows = finished_rows(open_store(str(tmp_path)), ["a"])
    head, _, row = rows_table(ranked(rows)).splitlines()
    assert "val MAE cv [J/mol/K] | val log loss metal" in head
    assert row.endswith("| 3 | 0.25 |")


def test_a_message_of_a_workflow_names_both_kinds_of_errors(make_own, listed):
    make_own("a", 3.0, 0.25)
    text = workflow_ended("w", "Succeeded", [], listed(), ["here"]).body
    assert "validation MAE: cv 3; validation log loss: metal 0.25; here" in text


def test_a_cross_validation_has_the_measures_of_a_classification(make_own):
    folds = [read_manifest(make_own(f"cv-{k}", 2.0 + k, 0.2 * k, split=f"kfold:2/{k}").manifest) for k in (1, 2)]
    made = CrossValidation.of("cv", folds)
    found = {(row.key, row.measure): row for row in made.properties}
    assert [*found] == [
        ("cv", "mae"), ("metal", "log_loss"), ("metal", "roc_auc"), ("metal", "accuracy"), ("metal", "f1"),
    ]  # fmt: skip
    assert found["cv", "mae"].folds == (3.0, 4.0)
    loss = found["metal", "log_loss"]
    assert (loss.mean, loss.std, loss.baseline) == pytest.approx((0.3, 0.02**0.5, 0.69))
    assert found["metal", "accuracy"].baseline == pytest.approx(0.55)
    assert found["metal", "roc_auc"].baseline is None
    text = made.markdown()
    assert "| cv | J/mol/K | 3.5 |" in text
    assert "| metal | ROC AUC | 0.7 |" in text
    assert "| metal | - |" not in text


def test_folds_that_define_a_property_differently_are_refused(make_own):
    units = ("J/mol/K", "cal/mol/K")
    folds = [
        read_manifest(make_own(f"cv-{k}", 2.0, 0.2, split=f"kfold:2/{k}", unit=unit).manifest)
        for k, unit in enumerate(units, 1)
    ]
    with pytest.raises(DataError, match="define 'cv' differently"):
        CrossValidation.of("cv", folds)


@pytest.mark.parametrize(
    ("splits", "seeds", "said"),
    [
        (("kfold:3/1", "kfold:2/2"), (42, 42), "no folds of one division"),
        (("kfold:3/1", "kfold:3/2:composition"), (42, 42), "no folds of one division"),
        (("kfold:3/1", "kfold:3/2"), (42, 7), "split seed 42, .*split seed 7"),
        (("kfold:3/1", "matbench:fold_1"), (42, 42), "no folds of one division"),
        (("kfold:3/1", "composition"), (42, 42), "is tested on no fold"),
        (("element:Li", "element:Na"), (42, 42), "no fold.*each crystal is tested once.*runs compare cv-. cv-."),
    ],
)
def test_runs_that_are_no_folds_of_one_division_are_refused(make_own, splits, seeds, said):
    made = [read_manifest(make_own(f"cv-{k}", 2.0, 0.2, split=split).manifest) for k, split in enumerate(splits)]
    folds = []
    for one, seed in zip(made, seeds, strict=True):
        data = one.config.data.model_copy(update={"split_seed": seed})
        folds.append(one.model_copy(update={"config": one.config.model_copy(update={"data": data})}))
    with pytest.raises(DataError, match="cv") as refused:
        CrossValidation.of("cv", folds)
    assert re.search(said, str(refused.value))


def with_data(manifest, settings, **facts):
    data = manifest.config.data.model_copy(update=settings)
    return manifest.model_copy(
        update={
            "config": manifest.config.model_copy(update={"data": data}),
            "data": manifest.data.model_copy(update=facts),
        }
    )


def test_a_cross_validation_says_which_crystals_no_fold_tests(make_own):
    made = [read_manifest(make_own(f"cv-{k}", 2.0, 0.2, split=f"kfold:2/{k}").manifest) for k in (1, 2)]
    sizes = {"read": 100, "rejected": 2, "unlabelled": 8, "used": 90}
    facts = SplitFacts(name="kfold:2/1", seed=42, fractions=(0.8, 0.1, 0.1))
    whole = [with_data(one, {"max_samples": 90}, **sizes, split=facts) for one in made]
    assert not CrossValidation.of("cv", whole).reduced
    assert "not whole" not in CrossValidation.of("cv", whole).markdown()
    twins = facts.model_copy(update={"dropped_val": 1, "dropped_test": 3})
    apart = [with_data(one, {"drop_twins": True}, **{**sizes, "used": 86}, split=twins) for one in made]
    text = CrossValidation.of("cv", apart).markdown()
    assert "6 crystals with a twin in the training part of the fold are not tested" in text
    assert "--max-samples" not in text
    both = [with_data(one, {"max_samples": 50}, **{**sizes, "used": 46}, split=twins) for one in apart]
    assert CrossValidation.of("cv", both).reduced
    with pytest.raises(DataError, match="no folds of one division") as refused:
        CrossValidation.of("cv", [whole[0], with_data(whole[1], {"drop_twins": True})])
    assert "without twins" in str(refused.value)


def test_a_record_of_matbench_names_each_fold_though_one_is_missing(make_own):
    folds = [read_manifest(make_own(f"cv-{k}", 2.0, 0.2, split=f"matbench:fold_{k}").manifest) for k in (3, 0)]
    made = CrossValidation.of("cv", folds)
    assert [run.split for run in made.runs] == ["matbench:fold_0", "matbench:fold_3"]
    part = PartPredictions((CV.as_property(),), ["a"], ["X"], np.array([[1.0]]), np.array([[2.0]]))
    record = matbench_task("cv", "cv", [(one, part) for one in folds])
    assert sorted(record["results"]) == ["fold_0", "fold_3"]
    assert record["results"]["fold_3"]["parameters"]["split"] == "matbench:fold_3"


def test_runs_that_differ_in_the_split_alone_are_not_told_apart_by_the_definition(make_own, manifest, listed):
    for k in (1, 2):
        made = make_own(
            f"cv-{k}",
            2.0,
            0.2,
            split=f"kfold:2/{k}",
            data=manifest.data.model_copy(update={"split_fingerprint": str(k) * 64}),
        )
        assert made
    with pytest.raises(RequestError, match="2 different data sets or splits") as caught:
        compare_best(listed(), "cv")
    assert "defined as" not in caught.value.why


def test_runs_of_a_sweep_over_splits_have_no_common_best(make_own, manifest, listed, tmp_path, capsys):
    for name, split, score in (("a", "chemsys", 0.4), ("b", "chemsys", 0.3), ("c", "stratified", 0.9)):
        data = manifest.data.model_copy(update={"split_fingerprint": split})
        make_own(name, 2.0, 0.2, split=split, data=data, score=score)
    rows = finished_rows(open_store(str(tmp_path)), ["a", "b", "c"])
    table, ids = print_comparison(rows)
    assert ids == ["b", "a", "c"]
    assert "| split |" in table
    said = capsys.readouterr().out.splitlines()[-3:]
    assert said[0].startswith("2 sets of validation crystals")
    assert said[1:] == ["best: b, chemsys split", "best: c, stratified split"]
    assert "split" not in print_comparison([row for row in rows if row.split == "chemsys"])[0]
    assert capsys.readouterr().out.splitlines()[-1] == "best: b"
