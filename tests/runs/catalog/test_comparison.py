"""Comparison of runs property by property, and the ranking of a sweep's runs."""

import pytest

from phase2.errors import DataError
from phase2.runs.catalog.comparison import compare_runs
from phase2.runs.catalog.outputs import write_report
from phase2.runs.catalog.ranking import RunRow, finished_rows, ranked, rows_table
from phase2.storage.urls import open_store


def test_comparison_of_runs(manifest):
    lone = manifest.val[0].model_copy(update={"mae": 0.05})
    other = manifest.model_copy(update={"score": 0.5, "val": (lone,), "test": ()})
    rows = {(row.property, row.part, row.measure): row for row in compare_runs([manifest, other])}
    assert rows["", "val", "score"].values == (manifest.score, 0.5)
    assert rows["formation_energy", "val", "mae"].values == (0.1, 0.05)
    assert rows["formation_energy", "test", "mae"].values == (0.1, None)
    assert rows["band_gap", "val", "mae"].values == (0.9, None)
    assert rows["band_gap", "val", "mae"].unit == "eV"


@pytest.fixture
def store(make_run, tmp_path):
    """A store with three finished runs, one without a score, and a failed one."""
    runs: list[dict[str, object]] = [{"score": 0.7}, {"score": 0.5}, {"score": None}, {"status": "failed"}]
    for number, fields in enumerate(runs):
        make_run(tmp_path, f"run_20260101T00000{number}Z_r{number}", **fields)
    return open_store(str(tmp_path))


def test_finished_runs_are_ranked_by_score_and_those_without_one_come_last(store):
    rows = finished_rows(store, ["r0", "r1", "r2", "r3"])
    assert [row.run_id for row in ranked(rows)] == ["r1", "r0", "r2"]
    assert rows_table(ranked(rows)).splitlines()[2].startswith("| r1 | cgcnn | smoke | 42 |")


def test_only_the_named_runs_are_ranked(store):
    assert [row.run_id for row in finished_rows(store, ["r0"])] == ["r0"]


def test_nothing_to_rank_is_an_error():
    with pytest.raises(DataError, match="no run to compare"):
        ranked([])


def test_outputs_of_a_run_hold_its_row(manifest, tmp_path):
    table = write_report(tmp_path, manifest, "page")
    assert (tmp_path / "run-id").read_text() == manifest.run_id
    assert RunRow.model_validate_json((tmp_path / "row.json").read_text()) == RunRow.from_manifest(manifest)
    assert (tmp_path / "mae.md").read_text() == table
    assert (tmp_path / "report.md").read_text() == "page"


def test_an_unfinished_run_has_no_row(manifest):
    with pytest.raises(DataError, match="is failed"):
        RunRow.from_manifest(manifest.model_copy(update={"status": "failed"}))
