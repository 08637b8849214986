"""Tables of a study: their arithmetic, from the manifests in a store."""

import subprocess
import sys
from dataclasses import replace

import pytest
from bench.study.__main__ import STUDIES, main
from bench.study.page import write_between_markers
from bench.study.results import errors_by_property, finished_runs
from bench.study.rows import Variant
from bench.study.tables import legend, mean_and_spread, origin, report, tables_of
from tests.benchmarks.example_study import STUDY, finish, finish_all, results, run_of

from phase2.errors import RequestError
from phase2.machine.code import detect_code
from phase2.storage.folder import LocalStore


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "store")


def test_mean_spread_and_the_mean_of_the_ratios_by_seed(store):
    text = tables_of(STUDY, results(store, finish_all(store)), "val").text()
    alone, together = (part.split("\n")[-1] for part in text.split("\n\n")[1::2])
    assert alone == "| plain | 0.450 ± 0.071 | 2 | 10 |"
    # (0.5 / 0.4 + 0.5 / 0.5) / 2, not 0.5 / 0.45; of the bulk modulus there is no run alone
    assert together == "| equal | 0.500 ± 0.000 (1.12) | 5.00 ± 0.00 | 2 | 10 |"


def test_test_errors_are_shown_where_they_are_asked_for(store):
    found = finished_runs(store, finish_all(store))
    looked_at = [one.result(errors_by_property(one.manifest.test)) for one in found]
    assert "4.50 ± 0.71" in tables_of(STUDY, looked_at, "test").text()
    assert "4.50" not in tables_of(STUDY, looked_at, "val").text()
    assert tables_of(STUDY, [one.result() for one in found], "test").text() == "Not run."


def test_a_ratio_is_over_the_seeds_that_both_have(store):
    runs = finish_all(store)
    runs.append(run_of("equal/both", 44))
    finish(store, runs[-1], band_gap=9.0, bulk_modulus=90.0)
    assert "(1.12)" in tables_of(STUDY, results(store, runs), "val").text()


def test_runs_that_are_trained_further_stand_beside_those_alone_with_the_time_of_both(store):
    further = Variant("further", "", alone="plain", epochs=2, source="plain/both")
    targets = dict(STUDY.targets) | {"bulk_modulus": ("bulk_modulus",)}
    study = replace(STUDY, targets=targets, variants=(*STUDY.variants, further))
    runs = study.runs(["plain", "further"], [42], data="sample")
    found = {"plain/band_gap": {"band_gap": 0.4}, "plain/both": {"band_gap": 0.5, "bulk_modulus": 5.0}}
    found |= {"further/band_gap": {"band_gap": 0.3}}
    for run in runs:
        if run.row.name in found:
            finish(store, run, **found[run.row.name])
    *_, title, _, _, row = tables_of(study, results(store, runs), "val").text().split("\n")[-5:]
    assert title == ""
    assert row == "| further | 0.300 (0.75) | - | 1 | 20 |"


def test_what_is_not_finished_is_left_out(store):
    run = run_of("plain/both", 42)
    assert finished_runs(store, [run]) == []
    assert tables_of(STUDY, [], "val").text() == "Not run."


def test_the_list_of_variants_says_of_each_how_many_runs_are_known(store):
    def shown(*arguments):
        rows = [[cell.strip() for cell in line.split("|")] for line in legend(*arguments).split("\n")[2:]]
        return {row[1]: row[3] for row in rows}

    finish(store, run_of("plain/both", 42), band_gap=0.1, bulk_modulus=1.0)
    finish(store, run_of("plain/both", 43), band_gap=0.1, bulk_modulus=1.0)
    known = results(store, [run_of("plain/both", 42), run_of("plain/both", 43)])
    assert shown(STUDY, []) == {"plain": "not run", "equal": "not run"}
    assert shown(STUDY, known) == {"plain": "2", "equal": "not run"}
    assert shown(replace(STUDY, earlier=("plain", "equal")), known) == {"plain": "2", "equal": "before recording"}
    assert shown(STUDY, known, STUDY.rows(["plain"])) == {"plain": "2"}
    assert report(STUDY, []).endswith("\n\nNot run.")
    assert report(replace(STUDY, earlier=("plain",)), []).endswith("\n\nNo run is recorded.")


def test_a_run_with_other_settings_than_declared_is_refused(store):
    run = run_of("plain/both", 42)
    finish(store, run, declared=run_of("equal/both", 42), band_gap=0.1)
    with pytest.raises(RequestError, match=r"training\.balance: equal -> uncertainty"):
        finished_runs(store, [run])


def test_a_run_that_started_from_another_run_than_declared_is_refused(store):
    declared, other = (
        replace(STUDY, variants=(*STUDY.variants, Variant("further", "", alone="plain", source=source)))
        for source in ("plain/both", "equal/both")
    )
    (run,), (trained,) = (study.runs(["further/band_gap"], [42], data="sample") for study in (declared, other))
    finish(store, run, declared=trained, band_gap=0.1)
    with pytest.raises(RequestError, match=r"fine_tuning\.source: example-equal-both.* -> example-plain-both"):
        finished_runs(store, [run])


@pytest.mark.parametrize(("dirty", "shown"), [(False, "(012345678)"), (True, "(012345678 with changes)")])
def test_the_origin_names_code_epochs_and_seeds(store, dirty, shown):
    code = detect_code().model_copy(update={"commit": "0123456789abcdef", "dirty": dirty})
    line = origin(results(store, finish_all(store, code)))
    assert line.startswith(f"4 runs of phase2 {code.phase2} {shown} on ")
    assert line.endswith("; epochs 4, seeds 42, 43.")


@pytest.mark.parametrize(
    ("values", "text"), [([], "-"), ([0.25], "0.250"), ([0.1, 0.3], "0.200 ± 0.141"), ([1200, 1400], "1300 ± 141")]
)
def test_mean_and_spread(values, text):
    assert mean_and_spread(values) == text


def test_only_what_stands_between_the_markers_is_replaced(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("Before.\n<!-- tables: example -->\nold\n<!-- end -->\nAfter.\n")
    for text in ("one", "two \\1"):
        write_between_markers(page, "example", text)
        assert page.read_text() == f"Before.\n<!-- tables: example -->\n\n{text}\n\n<!-- end -->\nAfter.\n"
    with pytest.raises(RequestError, match="no single place"):
        write_between_markers(page, "other", "three")


def test_test_errors_need_named_rows(tmp_path):
    words = [sys.executable, "-m", "bench.study", "table", "--store", str(tmp_path), "--test"]
    ended = subprocess.run(words, check=False, capture_output=True, text=True)
    assert ended.returncode == 2
    assert "--rows" in ended.stderr


def test_validation_errors_of_all_rows_stand_beside_the_test_errors_of_those_chosen(store, monkeypatch, capsys):
    monkeypatch.setitem(STUDIES, "sharing", replace(STUDY, data="sample"))
    finish_all(store)
    finish(store, run_of("plain/both", 42), band_gap=0.7, bulk_modulus=7.0)
    words = ["bench.study", "table", "--store", str(store.root), "--rows", "equal/both", "--test", "--seeds", "42"]
    monkeypatch.setattr(sys, "argv", words)
    assert main() == 0
    val, test = capsys.readouterr().out.split("test MAE", 1)
    assert "| plain | 0.700" in val
    assert "| equal | 0.500" in val
    assert "| plain | 7.00" not in test
    assert "| equal | 5.00" in test
