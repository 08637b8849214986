"""Columns of lists of runs, and sorting by them."""

import json
from typing import cast

import pytest

from phase2.api.runs.run_list import list_runs as runs_of
from phase2.errors import UnknownNameError
from phase2.runs.catalog.columns import COLUMNS, DEFAULT_COLUMNS, choose_columns, sort_runs
from phase2.runs.catalog.filter import RunFilter
from phase2.runs.catalog.index import list_runs
from phase2.runs.catalog.summary import RunSummary
from phase2.storage.urls import open_store
from phase2.testing.many_runs import write_runs


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    target = tmp_path_factory.mktemp("models")
    write_runs(target, 40, epochs=2)
    return target


@pytest.fixture(scope="module")
def runs(folder):
    return list_runs(open_store(str(folder)))


def test_every_column_shows_every_run_and_sorts(runs):
    prefixes = sorted(run.prefix for run in runs)
    for name in (*COLUMNS, "mae:band_gap"):
        for reverse in (False, True):
            assert sorted(run.prefix for run in sort_runs(runs, name, reverse=reverse)) == prefixes
    chosen = choose_columns(DEFAULT_COLUMNS, runs)
    assert {"data", "seed", "epochs", "rate", "val MAE of bulk_modulus [GPa]"} <= {one.heading for one in chosen}
    assert all(column.text(run) for column in chosen for run in runs)


def test_runs_without_a_number_come_last(runs):
    for reverse in (False, True):
        errors = [run.val_mae.get("bulk_modulus") for run in sort_runs(runs, "mae:bulk_modulus", reverse=reverse)]
        known = [error for error in errors if error is not None]
        assert errors[: len(known)] == sorted(known, reverse=reverse)
        assert 0 < len(known) < len(errors)


def test_unknown_columns_are_named(runs):
    with pytest.raises(UnknownNameError, match="seed"):
        sort_runs(runs, "sede")
    with pytest.raises(UnknownNameError, match="band_gap"):
        choose_columns(["mae:bandgap"], runs)


def test_filters_by_what_the_columns_show(folder, runs):
    for wanted in ({"data": "sample"}, {"seed": 3}, {"lr": 1e-3}, {"epochs": 2}, {"split": "random"}):
        (name, value), *_ = wanted.items()
        field = {"data": "source"}.get(name, name)
        passing = [run for run in runs if RunFilter(**wanted).passes(run)]
        assert passing == [run for run in runs if getattr(run, field) == value]
        assert [run.prefix for run in runs_of(folder, **wanted)] == [run.prefix for run in passing]
    assert {run.data for run in runs if RunFilter(data="111111").passes(run)} == {"1" * 64}


def test_the_list_of_the_python_interface_sorts_and_ranks_as_the_command(folder):
    listed = runs_of(folder, data="sample")
    seeds = cast("list[int]", [run.seed for run in listed])
    assert [run.seed for run in listed.sorted_by("seed", reverse=True)] == sorted(seeds, reverse=True)
    best = runs_of(folder, level="std", data="111111").best_first("band_gap")
    assert best[0].val_mae["band_gap"] == min(run.val_mae["band_gap"] for run in best)
    assert len(best.columns()) == len(best.records()[0])


def test_a_manifest_without_the_newer_fields_is_listed(make_run, tmp_path):
    content = json.loads(make_run(tmp_path).manifest.read_bytes())
    del content["config"]["data"], content["config"]["seed"], content["data"]["read"]
    old = RunSummary.from_manifest("multitask_cgcnn/run_x", json.dumps(content).encode())
    assert (old.source, old.split, old.seed) == (None, None, None)
    assert old.score is not None
