"""Commands on a run of properties that a person defined: a value per cell, and a binary one."""

import csv
import json
import re
from pathlib import Path
from statistics import median
from typing import cast

import pytest

import phase2
from phase2.cli import main
from phase2.data.crystals.elements import SYMBOLS

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
DEFINITIONS = """\
- {key: electrons, unit: e, per: cell, lower: 0}
- {key: heavy, task: binary}
"""
TRAIN = ("train", "--algorithm", "cgcnn", "--level", "smoke", "--epochs", "2", "--no-baselines")


def record(crystal):
    atoms = {
        "lattice_mat": crystal.lattice.tolist(),
        "coords": crystal.frac.tolist(),
        "elements": [SYMBOLS[z - 1] for z in crystal.species],
        "cartesian": False,
    }
    heavy = "yes" if crystal.species.mean() > 25 else "no"
    return {"id": crystal.id, "atoms": atoms, "electrons": int(crystal.species.sum()), "heavy": heavy}


@pytest.fixture(scope="module")
def folder(cache, tmp_path_factory):
    """Two data sets, the definitions, and a run."""
    target = tmp_path_factory.mktemp("own")
    crystals = phase2.load_dataset("sample").crystals
    for name, chosen in (("mine", crystals[:2400:30]), ("others", crystals[7:2400:60])):
        text = "\n".join(json.dumps(record(one)) for one in chosen)
        (target / f"{name}.jsonl").write_text(text, encoding="utf-8")
    (target / "own.yaml").write_text(DEFINITIONS, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(target)
        assert main([*TRAIN, "--data", "mine.jsonl", "--properties-file", "own.yaml"]) == 0
    return target


@pytest.fixture(autouse=True)
def here(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def results(folder):
    (run,) = [path for path in folder.glob("models/*/run_*") if "heavy" in (path / "results.json").read_text()][:1]
    return json.loads((run / "results.json").read_text())


def evaluated(say, *words):
    code, printed, error = say("evaluate", *words, "--format", "json")
    assert code == 0, error
    found = json.loads(printed)
    return {row["property"]: row for row in found["groups"] if row["kind"] == "all"}, error


def test_the_test_part_has_the_errors_and_baselines_that_the_run_recorded(say, results):
    found, _ = evaluated(say, "--model", results["run_id"])
    recorded = {row["key"]: row for row in results["test"]}
    assert found["electrons"]["mae"]["value"] == pytest.approx(recorded["electrons"]["mae"], rel=1e-4)
    assert found["electrons"]["median_mae"] == pytest.approx(recorded["electrons"]["baseline_mae"], rel=1e-6)
    assert "log_loss" not in found["electrons"]
    heavy = found["heavy"]
    for name in ("log_loss", "roc_auc", "accuracy", "f1"):
        assert heavy[name]["value"] == pytest.approx(recorded["heavy"].get(name), rel=1e-4)
    assert heavy["log_loss"]["low"] < heavy["log_loss"]["value"] < heavy["log_loss"]["high"]
    for name in ("baseline_log_loss", "baseline_accuracy"):
        assert heavy[name] == pytest.approx(recorded["heavy"][name])
    assert heavy["mae"] == {"value": None, "low": None, "high": None}
    (twins,) = [row for row in results["leakage"]["errors"] if row["key"] == "heavy"]
    assert twins["unit"] == "log loss"
    both = [(twins[f"{name}_mae"] or 0.0) * twins[name] for name in ("twins", "others")]
    assert sum(both) / recorded["heavy"]["count"] == pytest.approx(recorded["heavy"]["log_loss"])


def test_tables_and_python_show_log_loss_and_no_mae_of_a_binary_property(say, results):
    code, printed, _ = say("evaluate", "--model", results["run_id"], "--by", "size", "--resamples", 20)
    assert code == 0
    assert "log loss of heavy" in printed
    assert "MAE of electrons [e]" in printed
    assert "MAE of heavy" not in printed
    assert "median and prior: of the training labels" in printed
    table = phase2.load_model(results["run_id"]).evaluate(resamples=20).of_kind("all")
    rows = {row[0]: dict(zip(table.columns(), row, strict=True)) for row in table.records()}
    low, value, high = (cast("float", rows["heavy"][f"log loss{end}"]) for end in (" low", "", " high"))
    assert low < value < high
    assert rows["heavy"]["MAE"] is rows["electrons"]["log loss"] is None
    plain = phase2.load_model(results["run_id"]).evaluate(resamples=0, properties=["electrons"])
    assert plain.columns()[-1] == "gradient boosting MAE"


@pytest.mark.parametrize("defined", [("--properties-file", "own.yaml"), ("--model", "latest")])
def test_predictions_of_a_file_are_judged_with_the_definitions(say, tmp_path, defined):
    output = tmp_path / "others.csv"
    direct, _ = evaluated(say, "--model", "latest", "--data", "others.jsonl", "--output", output)
    assert "heavy_predicted" in output.read_text().splitlines()[0]
    found, error = evaluated(say, "--predictions", output, "--data", "others.jsonl", *defined)
    assert "not judged" not in error
    for key, name in (("electrons", "mae"), ("heavy", "log_loss"), ("heavy", "roc_auc")):
        assert found[key][name] == pytest.approx(direct[key][name])
    labels = [json.loads(line) for line in Path("others.jsonl").read_text().splitlines()]
    per_atom = [one["electrons"] / len(one["atoms"]["elements"]) for one in labels]
    middle = median(per_atom)
    errors = [abs(one["electrons"] - middle * len(one["atoms"]["elements"])) for one in labels]
    assert found["electrons"]["median_mae"] == pytest.approx(sum(errors) / len(errors), rel=1e-5)
    true = sum(one["heavy"] == "yes" for one in labels) / len(labels)
    assert found["heavy"]["baseline_accuracy"] == pytest.approx(max(true, 1 - true))


def test_predictions_of_predict_are_judged_too(say, tmp_path):
    crystals = tmp_path / "cifs"
    crystals.mkdir()
    rows = ["id,electrons,heavy"]
    for name, electrons, heavy in (("MgO", 80, "no"), ("NaCl", 112, "no"), ("SrTiO3", 84, "yes")):
        (crystals / f"{name}.cif").write_text((EXAMPLES / f"{name}.cif").read_text())
        rows.append(f"{name}.cif,{electrons},{heavy}")
    (crystals / "targets.csv").write_text("\n".join(rows))
    output = tmp_path / "preds.csv"
    assert say("predict", "--run", "latest", "--store", "models", "--dir", crystals, "--output", output)[0] == 0
    assert "heavy [probability]" in output.read_text()
    found, _ = evaluated(say, "--predictions", output, "--data", crystals, "--property", "{key: heavy, task: binary}")
    assert found.keys() == {"heavy"}
    assert found["heavy"]["labels"] == 3
    code, _, error = say("evaluate", "--predictions", output, "--data", crystals)
    assert code == 3
    assert "--property" in error


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--property", "heavy"], 2, "names no column"),
        (["--properties-file", "own.yaml"], 2, "goes with --predictions"),
        (["--model", "latest", "--properties", "hevy"], 2, "Did you mean 'heavy'"),
        (["--predictions", "p.csv", "--data", "others.jsonl", "--properties-file", "own.yaml", "--model", "latest"], 2,
         "do not go with --model"),
        (["--predictions", "p.csv", "--data", "others.jsonl", "--property", "{key: heavy, task: binry}"], 2, "binary"),
        (["--predictions", "p.csv", "--data", "others.jsonl", "--properties-file", "own.yaml", "--properties", "hevy"],
         2, "Did you mean 'heavy'"),
        (["--predictions", "p.csv", "--data", "others.jsonl", "--properties-file", "own.yaml", "--properties",
          "electrons"], 3, "has no predictions of electrons"),
    ],
)  # fmt: skip
def test_definitions_that_do_not_fit_are_refused(say, words, code, says):
    Path("p.csv").write_text("id,heavy\nx,0.5\n")
    found = say("evaluate", *words)
    assert found[0] == code
    assert any(each in found[2] for each in says.split("|")), found[2]


def test_the_best_of_two_models_has_the_smaller_log_loss(say, folder, tmp_path):
    for part, words in (("a", []), ("b", ["--lr", "0.02"])):
        both = ("--data", "mine.jsonl", "--properties-file", "own.yaml")
        code, _, error = say(*TRAIN, *both, *words, "--output", tmp_path / part)
        assert code == 0, error
    found = [json.loads(path.read_text()) for path in sorted(tmp_path.glob("*/*/run_*/results.json"))]
    losses = {one["run_id"]: row["log_loss"] for one in found for row in one["val"] if row["key"] == "heavy"}
    models = [word for path in tmp_path.glob("*/*/run_*") for word in ("--model", path)]
    code, _, error = say("predict", *models, "--combine", "best", "--cif", EXAMPLES / "NaCl.cif")
    assert code == 0, error
    best = min(losses, key=losses.__getitem__)
    assert f"heavy: run {best} (validation log loss {losses[best]:.3g}; run" in error
    assert re.search(r"electrons: run \w+ \(validation MAE [\d.]+ e; ", error)  # per cell, as the labels are


def test_intervals_leave_binary_properties_out_everywhere(say, tmp_path):
    structure = EXAMPLES / "NaCl.cif"
    words = ("predict", "--run", "latest", "--store", "models", "--cif", structure, "--interval", 0.5)
    for name in ("out.csv", "out.json"):
        code, _, error = say(*words, "--output", tmp_path / name)
        assert code == 0
        assert "no interval for heavy: it is a binary property" in error
    head = next(csv.reader((tmp_path / "out.csv").open()))
    (row,) = json.loads((tmp_path / "out.json").read_text())
    table = phase2.load_model("latest").predict([structure], interval=0.5)
    for columns in (head, list(row), table.columns()):
        assert columns[2:7] == [
            "electrons [e]", "heavy [probability]", "electrons_low [e]", "electrons_high [e]", "novelty",
        ]  # fmt: skip
    assert len(table.records()[0]) == len(table.columns())
    (printed,) = [out for code, out, _ in [say(*words)]]
    assert "heavy_low" not in printed


def test_features_and_settings_of_a_run_with_definitions(say, tmp_path):
    assert say("embed", "--data", "others.jsonl", "--output", tmp_path / "e.npz", "--run", "latest")[0] == 0
    words = ("--algorithm", "cgcnn", "--level", "smoke", "--data", "mine.jsonl", "--properties-file", "own.yaml")
    code, printed, _ = say("explain", "--yaml", *words)
    assert code == 0
    file = tmp_path / "run.yaml"
    file.write_text(printed)
    code, printed, _ = say("explain", "--config", file)
    assert code == 0
    assert '{"key":"heavy","task":"binary"}' in printed.replace("\n", "")


def test_a_run_that_starts_from_another_takes_its_heads_and_compares_with_it(say, results):
    words = (*TRAIN, "--data", "mine.jsonl", "--properties-file", "own.yaml", "--freeze", "backbone")
    code, _, error = say(*words, "--from", results["run_id"])
    assert code == 0
    assert "Heads taken over: electrons, heavy." in error
    code, printed, error = say("runs", "best", "--by", "heavy")
    assert code == 0
    assert "best of 2 runs" in error
    assert "by validation log loss of heavy" in error
    assert "val log loss of heavy" in " ".join(printed.split())
    code, printed, _ = say("runs", "list", "--sort", "mae:electrons", "--columns", "run,mae:electrons")
    assert "val MAE of electrons [e]" in printed


def test_a_key_that_no_run_has_is_named_with_the_nearest(say):
    for command in ("list", "best"):
        code, _, error = say("runs", command, "--property", "hevy")
        assert code == 2
        assert "Did you mean 'heavy'?" in error
    code, printed, error = say("runs", "list", "--property", "band_gap", "--json")
    assert (code, printed) == (0, [])
    assert "no run here is trained on band_gap; there are runs of: electrons, heavy" in error


def test_labels_in_words_of_a_property_that_is_not_binary_say_what_to_write(say):
    code, _, error = say(*TRAIN, "--data", "mine.jsonl", "--property", "heavy")
    assert code == 3
    assert "{key: heavy, column: heavy, task: binary}" in error


def test_folds_have_the_measures_of_a_classification(say, tmp_path, monkeypatch):
    monkeypatch.setenv("PHASE2_BASELINES", "0")
    words = ["--algorithm", "cgcnn", "--level", "smoke", "--epochs", "1"]
    words += ["--data", "mine.jsonl", "--properties-file", "own.yaml", "--properties", "heavy"]
    code, _, error = say("cross-validate", *words, "--folds", 2, "--name", "own-cv", "--to", tmp_path)
    assert code == 0, error
    table = json.loads((tmp_path / "own-cv.json").read_text())
    measures = {row["measure"]: row for row in table["properties"]}
    assert measures.keys() == {"log_loss", "roc_auc", "accuracy", "f1"}
    task = json.loads((tmp_path / "own-cv-heavy.matbench.json").read_text())
    for k, fold in enumerate(task["results"].values()):
        assert fold["scores"].keys() == {"accuracy", "f1", "balanced_accuracy", "rocauc"}
        assert fold["scores"]["rocauc"] == pytest.approx(measures["roc_auc"]["folds"][k])
        assert fold["scores"]["accuracy"] == pytest.approx(measures["accuracy"]["folds"][k])
    assert "| heavy | ROC AUC |" in (tmp_path / "own-cv.md").read_text()


def test_a_data_set_is_described_and_converted_with_the_definitions(say, tmp_path):
    defined = ("--properties-file", "own.yaml")
    code, printed, _ = say("data", "describe", "--data", "mine.jsonl", "--format", "json", *defined)
    assert code == 0
    counts = {row["key"]: row["count"] for row in json.loads(printed)["labels"]}
    assert (counts["electrons"], counts["heavy"], counts["band_gap"]) == (80, 80, 0)
    assert "columns that are no property: electrons, heavy" in say("data", "describe", "--data", "mine.jsonl")[1]
    for name in ("all.jsonl", "all.parquet", "all.extxyz", "all.db", "all.json"):
        code, _, error = say("data", "convert", "mine.jsonl", tmp_path / name, *defined)
        assert (code, "not written" in error) == (0, False)
        printed = say("data", "describe", "--data", tmp_path / name, "--format", "json", *defined)[1]
        assert {row["key"]: row["count"] for row in json.loads(printed)["labels"]} == counts


def test_a_conversion_names_the_columns_that_it_leaves(say, tmp_path):
    code, _, error = say("data", "convert", "mine.jsonl", tmp_path / "bare.jsonl", "--property", "heavy_::heavy2")
    assert code == 0
    assert "columns not written: electrons, heavy" in error
