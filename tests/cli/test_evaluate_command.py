"""``phase2 evaluate`` from runs and data to numbers, files and exit codes."""

import csv
import json
import re
import shutil
from pathlib import Path

import pytest

import phase2

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
LABELS = {"MgO": "-3.0123456,1.10", "NaCl": ",5.2", "Si": "0,0.6", "SrTiO3": "-3.4,"}


@pytest.fixture
def run(models):
    (found,) = models.glob("*/run_*")
    return found


@pytest.fixture
def results(run):
    return json.loads((run / "results.json").read_text())


@pytest.fixture
def folder(tmp_path):
    """Four crystals with labels."""
    target = tmp_path / "mine"
    target.mkdir()
    for name in LABELS:
        shutil.copy(EXAMPLES / f"{name}.cif", target)
    rows = [f"{name}.cif,{labels}" for name, labels in LABELS.items()]
    (target / "targets.csv").write_text("\n".join(["file,formation_energy [eV/atom],band_gap [eV]", *rows]))
    return target


def errors_of(found, kind="all", group="all"):
    return {row["property"]: row for row in found["groups"] if (row["kind"], row["group"]) == (kind, group)}


def as_json(say, *words):
    code, printed, error = say("evaluate", *words, "--format", "json")
    assert code == 0, error
    return json.loads(printed), error


def test_labels_are_read_from_columns_of_other_names(say, run, folder, tmp_path):
    plain, _ = as_json(say, "--model", run, "--data", folder, "--properties", "formation_energy,band_gap")
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    rows = [f"{name}.cif,{labels.replace(',', ',x,')}" for name, labels in LABELS.items()]
    (other / "targets.csv").write_text("\n".join(["file,Ef,lab,Eg", *rows]))
    words = ["--model", run, "--data", other, "--properties", "formation_energy,band_gap"]
    renamed = ["--property", "formation_energy::Ef", "--property", "band_gap:eV:Eg"]
    found, _ = as_json(say, *words, *renamed)
    assert errors_of(found) == errors_of(plain)
    columns = {"formation_energy": "Ef", "band_gap": "meV:Eg"}
    evaluation = phase2.load_model(run).evaluate(other, properties=list(columns), columns=columns, resamples=0)
    energies, gaps = evaluation.of_kind("all")
    assert energies.mae.value == errors_of(plain)["formation_energy"]["mae"]["value"]
    assert gaps.mae.value != errors_of(plain)["band_gap"]["mae"]["value"]  # those of gaps of a few meV
    for texts, says in (
        (["band_gap:eV:Egg", "formation_energy::Ef"], "no labels in a column 'Egg'.*Its columns are .*Eg"),
        (["band_gap:eV:Egg"], "has the headings file, Ef, lab, Eg"),
        (["band_gab:eV:Eg"], "Did you mean 'band_gap'"),
        (["band_gap:GPa:Eg"], "cannot be converted"),
        (["band_gap:eV:Eg", "band_gap:eV:Ef"], "two columns for band_gap"),
        (["band_gap"], "names no column.*band_gap:eV:Eg"),
    ):
        code, _, error = say("evaluate", *words, *(word for text in texts for word in ("--property", text)))
        assert code in {2, 3}
        assert re.search(says, " ".join(error.split())), error
    code, _, error = say("evaluate", "--model", run, "--property", "band_gap:eV:Eg")
    assert (code, "name other data with --data" in error) == (2, True)


def test_padded_batches_have_the_errors_of_the_batches(say, run, tmp_path):
    tables = []
    for words in ([], ["--padding-buckets", "2", "--batch-size", "2"]):
        output = tmp_path / "test.csv"
        as_json(say, "--model", run, "--resamples", "0", "--output", output, *words)
        with output.open() as file:
            tables.append(list(csv.DictReader(file)))
    plain, padded = ([[*row.values()] for row in table] for table in tables)
    assert [row[0] for row in plain] == [row[0] for row in padded]
    columns = [k for k, name in enumerate(tables[0][0]) if "predicted" in name]
    assert columns
    for one, other in zip(plain, padded, strict=True):
        assert [float(other[k]) for k in columns] == pytest.approx([float(one[k]) for k in columns], rel=1e-5)


def test_the_test_part_of_a_run_has_the_errors_of_its_results(say, run, results, tmp_path):
    output = tmp_path / "test.csv"
    found, _ = as_json(say, "--model", run, "--output", output)
    assert found["part"] == "test"
    measured = errors_of(found)
    for row in results["test"]:
        assert measured[row["key"]]["labels"] == row["count"]
        assert measured[row["key"]]["mae"]["value"] == pytest.approx(row["mae"], rel=1e-4)
        assert measured[row["key"]]["median_mae"] == pytest.approx(row["baseline_mae"], rel=1e-5)
    assert sum(found["training"].values()) == found["crystals"]
    written, recorded = (list(csv.DictReader(path.open())) for path in (output, run / "predictions_test.csv"))
    assert [row["id"] for row in written] == [row["id"] for row in recorded]
    heading = "formation_energy_reference [eV/atom]"
    assert [row[heading] for row in written] == [row[heading] for row in recorded]
    assert max(len(row[heading]) for row in recorded) <= len("-1.234567")  # as the sample gives them


def test_the_training_part_is_known_to_the_model(say, run):
    found, error = as_json(say, "--model", run, "--part", "train", "--resamples", 0)
    assert found["training"] == {"same as a training crystal": found["crystals"]}
    assert "the model was fitted to these crystals" in error
    assert errors_of(found, "training", "same as a training crystal").keys() == errors_of(found).keys()


def test_other_data_are_judged_whole_with_labels_as_they_were_given(say, run, folder, tmp_path):
    output = tmp_path / "mine.csv"
    words = ("--model", run, "--data", folder, "--properties", "formation_energy,band_gap")
    found, _ = as_json(say, *words, "--output", output)
    assert (found["part"], found["crystals"], found["data"]) == ("all", 4, str(folder))
    assert {name: row["labels"] for name, row in errors_of(found).items()} == {"formation_energy": 3, "band_gap": 3}
    assert errors_of(found, "element", "Na")["band_gap"]["labels"] == 1
    assert errors_of(found, "system", "cubic")["band_gap"]["mae"]["low"] is not None
    rows = {row["formula"]: row for row in csv.DictReader(output.open())}
    assert rows["MgO"]["band_gap_reference [eV]"] == "1.1"
    assert rows["Si"]["formation_energy_reference [eV/atom]"] == "0.0"
    assert rows["ClNa"]["formation_energy_reference [eV/atom]"] == ""

    again, error = as_json(say, "--predictions", output, "--data", folder)
    for key, row in errors_of(again).items():
        assert row["mae"] == pytest.approx(errors_of(found)[key]["mae"])
    assert "no labelled crystal" not in error


def test_records_that_are_not_judged_are_counted(say, run, folder):
    (folder / "broken.cif").write_text("nothing")
    shutil.copy(EXAMPLES / "SrTiO3.cif", folder / "bare.cif")
    with (folder / "targets.csv").open("a") as table:
        table.write("\nbroken.cif,1,1\nbare.cif,,\n")
    found, error = as_json(say, "--model", run, "--data", folder)
    assert (found["crystals"], found["rejected"], found["unlabelled"]) == (4, 1, 1)
    assert "1 record is no valid crystal, such as broken" in error
    assert "1 crystal has no label of these properties" in error


def test_predictions_of_predict_are_joined_by_their_files(say, run, folder, tmp_path):
    output = tmp_path / "preds.csv"
    assert say("predict", "--model", run, "--dir", folder, "--output", output)[0] == 0
    with output.open("a") as file:
        file.write("elsewhere/KCl.cif,ClK,1,2,3,4,,\r\n")
    found, error = as_json(say, "--predictions", output, "--data", folder)
    assert found["crystals"] == 4
    direct, _ = as_json(say, "--model", run, "--data", folder)
    for key in ("formation_energy", "band_gap"):
        assert errors_of(found)[key]["mae"]["value"] == pytest.approx(errors_of(direct)[key]["mae"]["value"], rel=1e-4)
    assert errors_of(found)["bulk_modulus"]["labels"] == errors_of(direct)["bulk_modulus"]["labels"] == 0
    assert "1 rows of preds.csv are no labelled crystal: KCl" in error


def test_two_models_are_judged_as_their_mean(say, run, folder):
    one, _ = as_json(say, "--model", run, "--data", folder)
    two, _ = as_json(say, "--model", run, "--model", run, "--data", folder)
    assert two["models"] == one["models"] * 2
    assert errors_of(two)["band_gap"]["mae"] == pytest.approx(errors_of(one)["band_gap"]["mae"])


def test_gradient_boosting_is_fitted_to_the_training_crystals(say, run, results):
    found, _ = as_json(say, "--model", run, "--boosting", "--properties", "formation_energy", "--resamples", 0)
    (recorded,) = [row for row in results["baselines"] if row["key"] == "formation_energy"]
    assert errors_of(found)["formation_energy"]["boosting_mae"] == pytest.approx(
        recorded["boosting_test_mae"], rel=1e-5
    )
    assert "fitted to the" in found["boosting"]


def test_tables_show_intervals_baselines_and_groups(say, models, run, monkeypatch):
    monkeypatch.setenv("PHASE2_STORE", str(models))
    code, printed, error = say("evaluate", "--by", "element,size", "--resamples", 200)
    assert code == 0
    assert f"model: {run / 'best.pt'}" in error
    for word in ("formation_energy", "median's MAE", "boosting's MAE", "crystals with the element", "[low, high]: 95%"):
        assert word in printed


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--data", "FOLDER", "--part", "test"], 2, "knows no test part"),
        (["--format", "yaml"], 2, "table"),
        (["--split", "tset"], 2, "Did you mean 'test'?"),
        (["--by", "elements"], 2, "Did you mean 'element'?"),
        (["--properties", "spillage"], 2, "spillage"),
        (["--predictions", "x.csv"], 2, "needs --data"),
        (["--predictions", "x.csv", "--data", "FOLDER", "--boosting"], 2, "does not go with"),
        (["--predictions", "x.csv", "--data", "FOLDER"], 3, "cannot be read"),
        (["--output", "x.parquet"], 2, "ends in .csv"),
        (["--data", "FOLDER", "--properties", "bulk_modulus"], 3, "has no label of these properties"),
    ],
)
def test_a_request_that_cannot_be_met_says_why(say, models, folder, monkeypatch, words, code, says):
    monkeypatch.setenv("PHASE2_STORE", str(models))
    found = say("evaluate", *[str(folder) if word == "FOLDER" else word for word in words])
    assert found[0] == code
    assert says in found[2]


@pytest.fixture
def moved(say, tmp_path, monkeypatch):
    """A run of data that were moved away since, and where these are now."""
    monkeypatch.chdir(tmp_path)
    assert say("data", "convert", "sample", "all.json")[0] == 0
    (tmp_path / "mine.json").write_text(json.dumps(json.loads((tmp_path / "all.json").read_text())[:300]))
    words = ["--algorithm", "cgcnn", "--level", "smoke", "--epochs", "1", "--properties", "formation_energy"]
    assert say("train", *words, "--data", "mine.json", "--output", tmp_path / "moved")[0] == 0
    (found,) = (tmp_path / "moved").glob("*/run_*")
    (tmp_path / "elsewhere").mkdir()
    return found, Path(shutil.move(tmp_path / "mine.json", tmp_path / "elsewhere" / "other.json"))


def test_data_of_a_run_are_its_own_in_another_place_too(say, moved):
    run, data = moved
    found, _ = as_json(say, "--model", run, "--data", data)
    recorded = json.loads((run / "results.json").read_text())["test"][0]
    assert found["part"] == "test"
    assert errors_of(found)["formation_energy"]["mae"]["value"] == pytest.approx(recorded["mae"])
    assert as_json(say, "--model", run, "--data", data, "--part", "train")[0]["part"] == "train"


def test_data_that_were_moved_and_changed_are_others(say, moved):
    run, data = moved
    records = json.loads(data.read_text())
    data.write_text(json.dumps(records[:-1]))
    found, said = as_json(say, "--model", run, "--data", data)
    assert (found["part"], "it is not known which" in said or "not known which" in str(found["notes"])) == ("all", True)
    code, _, said = say("evaluate", "--model", run, "--data", data, "--part", "test")
    assert (code, "new to the model" in said) == (2, False)


def test_without_its_data_the_user_is_asked_where_they_are(say, moved):
    run, _ = moved
    code, _, said = say("evaluate", "--model", run)
    assert (code, "are not at mine.json" in said, "--data" in said) == (3, True, True), said
