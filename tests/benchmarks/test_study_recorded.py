"""Results of studies that are kept with the code: merged, never mixed, and refused where they are not what they say."""

import sys
from dataclasses import replace

import pytest
from bench.study import recorded
from bench.study.__main__ import STUDIES, main
from bench.study.recorded import record, recorded_results
from bench.study.results import errors_by_property, finished_runs
from bench.study.rows import Variant
from bench.study.tables import report
from tests.benchmarks.example_study import STUDY, finish, finish_all, results, run_of

from phase2.errors import DataError, RequestError
from phase2.storage.folder import LocalStore


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "store")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "results" / "study-example.jsonl"


def looked_at(store, runs):
    return [one.result(errors_by_property(one.manifest.test)) for one in finished_runs(store, runs)]


def test_what_is_recorded_gives_the_same_tables_without_the_store(store, path):
    runs = finish_all(store)
    assert record(path, results(store, runs)) == 4
    assert report(STUDY, recorded_results(path, runs)) == report(STUDY, results(store, runs))


def test_results_of_several_stores_come_together(store, path, tmp_path):
    runs = finish_all(store)
    record(path, results(store, runs))
    elsewhere, another = LocalStore(tmp_path / "elsewhere"), run_of("plain/both", 44)
    finish(elsewhere, another, band_gap=0.1, bulk_modulus=1.0)
    assert record(path, results(elsewhere, [another])) == 5
    assert {one.run.seed for one in recorded_results(path, [*runs, another])} == {42, 43, 44}


def test_a_run_that_is_recorded_again_replaces_the_line_and_keeps_what_was_looked_at(store, path):
    (run,) = runs = [run_of("plain/both", 42)]
    finish(store, run, band_gap=0.1, bulk_modulus=1.0)
    record(path, looked_at(store, runs))
    record(path, results(store, runs))
    (known,) = recorded_results(path, runs)
    assert known.measured.heldout == {"band_gap": 1.0, "bulk_modulus": 10.0}
    assert "test MAE" in report(STUDY, [known])


def test_held_out_errors_of_another_training_do_not_stay(store, path, tmp_path):
    (run,) = runs = [run_of("plain/both", 42)]
    finish(store, run, band_gap=0.1, bulk_modulus=1.0)
    record(path, looked_at(store, runs))
    again = LocalStore(tmp_path / "again")
    finish(again, run, band_gap=0.2, bulk_modulus=1.0)
    record(path, results(again, runs))
    (known,) = recorded_results(path, runs)
    assert (known.mae("val")["band_gap"], known.measured.heldout) == (0.2, None)
    assert "test MAE" not in report(STUDY, [known])


def test_results_of_other_data_are_refused(store, path):
    runs = finish_all(store)
    (first, *others) = results(store, runs)
    elsewhere = first.measured.model_copy(update={"data": "other.jsonl.gz"})
    record(path, others)
    with pytest.raises(RequestError, match=r"different data: other\.jsonl\.gz and sample"):
        record(path, [replace(first, measured=elsewhere)])
    assert len(recorded_results(path, runs)) == 3


def test_a_result_of_other_settings_than_declared_is_refused(store, path):
    run = run_of("plain/both", 42)
    finish(store, run, band_gap=0.1, bulk_modulus=1.0)
    record(path, results(store, [run]))
    row = replace(run.row, variant=Variant("plain", "", ("model.channels=[8,4]",)))
    with pytest.raises(DataError, match="trained with other settings"):
        recorded_results(path, [replace(run, row=row)])


@pytest.mark.parametrize("damage", ["{", "[]", '{"run": "one"}', '{"run": "one", "val": {"band_gap": NaN}}'])
def test_a_damaged_file_is_an_error_in_words(path, damage):
    path.parent.mkdir()
    path.write_text(damage + "\n")
    with pytest.raises(DataError, match="damaged"):
        recorded_results(path, [])


def test_the_commands_record_and_show_and_write_a_page(store, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(STUDIES, "sharing", replace(STUDY, name="sharing"))
    monkeypatch.setattr(recorded, "FOLDER", tmp_path / "results")
    page = tmp_path / "page.md"
    page.write_text("<!-- tables: sharing -->\nold\n<!-- end -->\n")

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["bench.study", *words])
        return main()

    for seed in (42, 43):
        (row,) = STUDIES["sharing"].rows(["plain/both"])
        finish(store, replace(run_of("plain/both", seed), row=row), band_gap=seed / 100, bulk_modulus=1.0)
    assert call("record", "--store", str(store.root), "--rows", "plain", "--seeds", "42", "--test") == 0
    assert call("record", "--store", str(store.root)) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("study-sharing.jsonl: 2 runs")
    assert call("table", "--write", str(page)) == 0
    shown = capsys.readouterr().out
    assert "| plain | 0.425 ± 0.007 | 1.00 ± 0.00 | 2 |" in shown
    assert "| plain | 4.20 | 10.0 | 1 |" in shown
    assert "| plain | 4.20 | 10.0 | 1 |" in page.read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run"], "run needs a store"),
        (["record"], "record needs a store"),
        (["table", "--test", "--rows", "muon"], "--test needs --rows and --store"),
        (["table", "--write", "PAGE", "--store", "STORE"], "--write needs table, without --store"),
    ],
)
def test_options_that_do_not_go_together(words, message, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["bench.study", *words])
    assert main() == RequestError.exit_code
    assert message in capsys.readouterr().err
