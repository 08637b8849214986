"""Gradient boosting beside the network: tables, sentences, pages, terminal, comparison, pictures."""

import json

import pytest

from phase2.api.results.run_tables import Metrics
from phase2.cli.runs.summary import print_metrics
from phase2.runs.catalog.comparison import compare_runs
from phase2.runs.catalog.outputs import write_report
from phase2.runs.records.baselines import PropertyBaseline
from phase2.runs.records.manifest import RunManifest
from phase2.runs.records.results import PropertyMetrics, Results
from phase2.runs.report.boosting import boosting_sentence, losses_to_boosting
from phase2.runs.report.handoff import handoff
from phase2.runs.report.model_card import model_card

LOSES = (
    "On the validation crystals the network loses to gradient boosting in "
    "formation_energy (0.1 against 0.08 eV/atom, 25 % more)."
)


def baseline(key, val, test=0.07, unit="eV/atom"):
    return PropertyBaseline(
        key=key,
        unit=unit,
        train_labels=640,
        median_val_mae=0.8,
        median_test_mae=0.8,
        boosting_val_mae=val,
        boosting_test_mae=test,
    )


@pytest.fixture
def compared(manifest):
    """The run with baselines of two of its three properties; the network loses in one."""
    return manifest.model_copy(
        update={"baselines": (baseline("formation_energy", 0.08), baseline("band_gap", 0.95, 0.94, "eV"))}
    )


def errors(**maes):
    return [PropertyMetrics.from_errors(key, "eV", 9, mae=mae, rmse=1.0, baseline_mae=2.0) for key, mae in maes.items()]


def test_losses_are_measured_on_validation(compared):
    (loss,) = losses_to_boosting(compared.val, compared.baselines)
    assert (loss.key, loss.network, loss.boosting) == ("formation_energy", 0.1, 0.08)


@pytest.mark.parametrize(
    ("maes", "boosting", "sentence"),
    [
        ({"ehull": 1.0}, {}, ""),
        ({"ehull": None}, {"ehull": 1.0}, ""),
        ({"ehull": 1.0}, {"ehull": None}, ""),
        ({"ehull": 1.0}, {"ehull": 1.1}, "beats gradient boosting in every property"),
        ({"ehull": 0.0}, {"ehull": 0.0}, "is no worse than gradient boosting in every property"),
        ({"ehull": 1.5}, {"ehull": 1.0}, "loses to gradient boosting in ehull (1.5 against 1 eV, 50 % more)."),
        ({"ehull": 1.5}, {"ehull": 0.0}, "in ehull (1.5 against 0 eV)."),
        ({"ehull": 3.0, "band_gap": 2.0}, {"ehull": 1.0, "band_gap": 1.0}, "200 % more) and band_gap (2"),
        (
            {"ehull": 3.0, "spillage": 2.0, "band_gap": 2.0},
            {"ehull": 1.0, "spillage": 1.0, "band_gap": 1.0},
            "200 % more), spillage (2 against 1 eV, 100 % more) and band_gap (2",
        ),
    ],
)
def test_one_sentence_names_the_properties_that_lose(maes, boosting, sentence):
    said = boosting_sentence(errors(**maes), [baseline(key, val) for key, val in boosting.items()])
    assert sentence in said
    assert bool(said) == bool(sentence)


@pytest.mark.parametrize("page", [lambda m: handoff(m, "models"), model_card])
def test_pages_say_it_and_show_the_numbers(compared, page):
    text = page(compared)
    assert f"\n\n{LOSES}\n\n" in text
    assert "boosting's val MAE" in text
    assert "| formation_energy | eV/atom | 0.1 | 0.1 | 0.08 | 0.07 | 0.8 |" in text
    assert "| bulk_modulus | GPa | - | - | - | - | - |" in text


@pytest.mark.parametrize("page", [lambda m: handoff(m, "models"), model_card])
def test_pages_without_the_baseline_do_not_mention_it(manifest, page):
    assert "boosting" not in page(manifest)


def test_the_terminal_shows_it(compared, capsys):
    print_metrics(compared)
    said = capsys.readouterr().out
    assert LOSES in said
    assert "boosting val" in said
    assert "0.08" in said


def test_the_terminal_without_it(manifest, capsys):
    print_metrics(manifest)
    assert "boosting" not in capsys.readouterr().out


def test_the_table_of_a_workflow_has_it(compared, tmp_path):
    assert "| 0.08 | 0.07 |" in write_report(tmp_path, compared, "")
    assert "boosting's test MAE" in (tmp_path / "mae.md").read_text()


def test_records_without_the_field_are_read(manifest, results):
    for record, kind in ((manifest, RunManifest), (results, Results)):
        old = {name: value for name, value in record.model_dump(mode="json").items() if name != "baselines"}
        assert kind.model_validate_json(json.dumps(old)).baselines == ()


def test_a_manifest_keeps_them(compared):
    assert RunManifest.model_validate_json(compared.model_dump_json()) == compared


def test_a_comparison_has_a_row_where_a_run_has_them(compared, manifest):
    rows = {
        (row.property, row.part): row.values for row in compare_runs([manifest, compared]) if "boost" in row.measure
    }
    assert rows == {
        ("formation_energy", "val"): (None, 0.08),
        ("formation_energy", "test"): (None, 0.07),
        ("band_gap", "val"): (None, 0.95),
        ("band_gap", "test"): (None, 0.94),
    }
    assert not [row for row in compare_runs([manifest, manifest]) if "boost" in row.measure]


def test_metrics_of_a_run_have_a_column(compared, manifest):
    table = Metrics(compared)
    assert [row.boosting_mae for row in table] == [0.08, 0.95, None, 0.07, 0.94, None]
    assert table.columns()[-1] == "gradient boosting MAE"
    assert table.records()[0][-1] == 0.08
    assert {row.boosting_mae for row in Metrics(manifest)} == {None}
