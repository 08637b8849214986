"""``phase2 predict`` from files to tables and exit codes."""

import csv
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch

from phase2.cli import main
from phase2.testing.tensor_files import save_signed

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
HEADINGS = [
    "formation_energy [eV/atom]", "band_gap [eV]", "bulk_modulus [GPa]", "shear_modulus [GPa]",
]  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """Three good structures and two that are none."""
    target = tmp_path / "structures"
    target.mkdir()
    for path in sorted(EXAMPLES.glob("*.cif"))[:3]:
        (target / path.name).write_bytes(path.read_bytes())
    (target / "empty.cif").write_text("")
    (target / "notes.txt").write_text("not a structure")
    (target / "rubbish.cif").write_bytes(os.urandom(500))
    return target


def _predict(models, *words):
    return main(["predict", "--models", str(models), *map(str, words)])


def test_one_structure_is_printed_with_units(models, capsys):
    assert _predict(models, "--cif", EXAMPLES / "NaCl.cif") == 0
    printed = capsys.readouterr().out
    assert all(heading in printed for heading in HEADINGS)
    assert "ClNa" in printed


def test_a_folder_is_predicted_and_what_cannot_be_read_is_reported(models, folder, tmp_path, capsys):
    output = tmp_path / "preds.csv"
    assert _predict(models, "--dir", folder, "--output", output) == 3
    with output.open() as file:
        rows = {Path(row["file"]).name: row for row in csv.DictReader(file)}
    assert len(rows) == 5
    for name in ("empty.cif", "rubbish.cif"):
        assert rows[name]["error"]
        assert rows[name]["band_gap [eV]"] == ""
    good = [row for row in rows.values() if not row["error"]]
    assert len(good) == 3
    assert all(float(row[heading]) == float(row[heading]) for row in good for heading in HEADINGS)
    assert "empty.cif" in capsys.readouterr().err


def test_padded_batches_and_several_readers_predict_alike(models, tmp_path):
    tables = []
    for words in ([], ["--padding-buckets", "2", "--workers", "2", "--batch-size", "1"]):
        output = tmp_path / "preds.csv"
        assert _predict(models, "--dir", EXAMPLES, "--output", output, *words) == 0
        tables.append(pd.read_csv(output))
    assert (tables[0]["file"] == tables[1]["file"]).all()
    pd.testing.assert_frame_equal(tables[0][HEADINGS], tables[1][HEADINGS], check_exact=False, rtol=1e-5)


@pytest.mark.parametrize("suffix", [".csv", ".json", ".parquet"])
def test_all_formats_hold_the_same_table(models, tmp_path, suffix):
    output = tmp_path / f"preds{suffix}"
    assert _predict(models, "--dir", EXAMPLES, "--output", output) == 0
    read: dict[str, Callable[[Path], pd.DataFrame]] = {
        ".csv": pd.read_csv,
        ".json": lambda p: pd.DataFrame(json.loads(p.read_text())),
        ".parquet": pd.read_parquet,
    }
    table = read[suffix](output)
    assert list(table.columns) == ["file", "formula", *HEADINGS, "warning", "error"]
    reference = tmp_path / "reference.csv"
    assert _predict(models, "--dir", EXAMPLES, "--output", reference) == 0
    pd.testing.assert_frame_equal(table[HEADINGS], pd.read_csv(reference)[HEADINGS])


@pytest.mark.parametrize("suffix", [".csv", ".json", ".parquet"])
def test_a_name_that_is_no_utf8_does_not_prevent_the_table(models, folder, tmp_path, suffix):
    for name in ("NaCl.cif", "empty.cif"):
        try:
            (folder / name).rename(folder / os.fsdecode(b"\xff" + name.encode()))
        except OSError:
            pytest.skip("this file system has no such names")
    output = tmp_path / f"preds{suffix}"
    assert _predict(models, "--dir", folder, "--output", output) == 3
    read: dict[str, Callable[[Path], pd.DataFrame]] = {
        ".csv": pd.read_csv,
        ".json": pd.read_json,
        ".parquet": pd.read_parquet,
    }
    names = {Path(file).name for file in read[suffix](output)["file"]}
    assert {"\ufffdNaCl.cif", "\ufffdempty.cif"} <= names


def test_a_prediction_beyond_every_number_is_an_error(models, tmp_path):
    (run,) = models.glob("*/run_*")
    content = torch.load(run / "best.pt", weights_only=True)
    content["scaler"]["mean"] = [1e6] * len(HEADINGS)  # the logarithm of a modulus
    save_signed(content, tmp_path / "best.pt")
    words = ["--cif", str(EXAMPLES / "Si.cif"), "--output", str(tmp_path / "p.json")]
    assert main(["predict", "--model", str(tmp_path / "best.pt"), *words]) == 3
    (row,) = json.loads((tmp_path / "p.json").read_text())
    assert "not finite" in row["error"]
    assert row["bulk_modulus [GPa]"] is None


def test_a_prediction_does_not_depend_on_the_batch(models, tmp_path):
    tables = []
    for size in (1, 3):
        output = tmp_path / f"{size}.csv"
        assert _predict(models, "--dir", EXAMPLES, "--output", output, "--batch-size", size) == 0
        tables.append(pd.read_csv(output))
    pd.testing.assert_frame_equal(tables[0], tables[1], rtol=1e-4)


def test_only_the_requested_properties_in_the_requested_order(models, tmp_path):
    output = tmp_path / "p.csv"
    words = ("--cif", EXAMPLES / "Si.cif", "--output", output, "--properties", "bulk_modulus,band_gap")
    assert _predict(models, *words) == 0
    assert list(pd.read_csv(output).columns)[2:4] == ["bulk_modulus [GPa]", "band_gap [eV]"]


def test_the_model_is_a_file_or_a_run_folder(models, tmp_path, capsys):
    (run,) = models.glob("*/run_*")
    printed = []
    for model in (run, run / "best.pt"):
        assert main(["predict", "--cif", str(EXAMPLES / "Si.cif"), "--model", str(model)]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--cif", "nowhere.cif"], 3, "nowhere.cif"),
        (["--dir", "nowhere"], 3, "no folder"),
        (["--cif", str(EXAMPLES / "Si.cif"), "--properties", "spillage"], 2, "spillage"),
        (["--cif", str(EXAMPLES / "Si.cif"), "--properties", "bandgap"], 2, "Did you mean 'band_gap'?"),
        (["--cif", str(EXAMPLES / "Si.cif"), "--properties", ","], 2, "No property"),
        (["--cif", str(EXAMPLES / "Si.cif"), "--properties", "band_gap,band_gap"], 2, "named twice"),
        (["--cif", str(EXAMPLES / "Si.cif"), "--model", "nowhere.pt"], 4, "nowhere.pt"),
        (["--cif", str(EXAMPLES / "Si.cif"), "--models", "nowhere"], 4, "phase2 train"),
        (["--cif", str(EXAMPLES / "Si.cif"), "--output", "nowhere/p.csv"], 2, "does not exist"),
        (["--cif", str(EXAMPLES / "Si.cif"), "--batch-size", "0"], 2, "--batch-size"),
    ],
    ids=lambda value: " ".join(value[-2:]) if isinstance(value, list) else "",
)
def test_invalid_requests_are_reported(models, words, code, says, capsys):
    found = ["--models", str(models)] if "--models" not in words else []
    assert main(["predict", *found, *words]) == code
    printed = capsys.readouterr().err
    assert says in printed
    assert "Traceback" not in printed


def test_elements_the_model_has_not_seen_are_named(models, tmp_path, capsys):
    cif = (EXAMPLES / "Si.cif").read_text().replace("Si", "Og")
    path = tmp_path / "Og.cif"
    path.write_text(cif)
    assert _predict(models, "--cif", path) == 0
    assert "not in the training set: Og" in capsys.readouterr().out


@pytest.fixture
def two_models(models, tmp_path):
    """The trained model, and one that says everything twice as far from its mean."""
    (first,) = models.glob("*/run_*/best.pt")
    content = torch.load(first, weights_only=True)
    second = tmp_path / "second.pt"
    content["scaler"]["std"] = [2 * one for one in content["scaler"]["std"]]
    save_signed(content, second)
    return first, second


def _values(path):
    table = pd.read_csv(path)
    return table[[column for column in table.columns if column not in ("file", "formula", "warning", "error")]]


def test_an_ensemble_gives_mean_and_standard_deviation(models, two_models, tmp_path):
    words = ["--dir", EXAMPLES, "--output"]
    single = []
    for number, model in enumerate(two_models):
        assert _predict(models, "--model", model, *words, tmp_path / f"{number}.csv") == 0
        single.append(_values(tmp_path / f"{number}.csv"))
    both = [word for model in two_models for word in ("--model", model)]
    assert _predict(models, *both, *words, tmp_path / "both.csv") == 0
    together = _values(tmp_path / "both.csv")
    assert list(together.columns) == [*HEADINGS, *(f"std of {heading}" for heading in HEADINGS)]
    for heading in HEADINGS:
        pair = pd.concat([one[heading] for one in single], axis=1)
        assert together[heading].to_numpy() == pytest.approx(pair.mean(axis=1).to_numpy())
        assert together[f"std of {heading}"].to_numpy() == pytest.approx(pair.std(axis=1).to_numpy())
        assert together[f"std of {heading}"].max() > 0


def test_an_ensemble_reports_files_that_cannot_be_read(models, two_models, folder, tmp_path):
    both = [word for model in two_models for word in ("--model", model)]
    for suffix in (".csv", ".json", ".parquet"):
        assert _predict(models, *both, "--dir", folder, "--output", tmp_path / f"table{suffix}") == 3
    table = pd.read_csv(tmp_path / "table.csv")
    assert table["error"].notna().sum() == 2
    assert table[f"std of {HEADINGS[0]}"].notna().sum() == 3


def test_parts_together_are_the_whole(models, tmp_path):
    assert _predict(models, "--dir", EXAMPLES, "--output", tmp_path / "whole.csv") == 0
    for number in (1, 2, 3, 4, 5):
        words = ["--dir", EXAMPLES, "--part", f"{number}/5", "--output", tmp_path / f"{number}.csv"]
        assert _predict(models, *words) == 0
    parts = pd.concat([pd.read_csv(tmp_path / f"{number}.csv") for number in (1, 2, 3, 4, 5)])
    whole = pd.read_csv(tmp_path / "whole.csv")
    assert sorted(parts["file"]) == sorted(whole["file"])


@pytest.mark.parametrize("part", ["0/4", "5/4", "x", "1"])
def test_a_part_that_is_none_is_refused(models, part):
    assert _predict(models, "--dir", EXAMPLES, "--part", part) == 2


def test_structures_and_model_come_from_a_store(models, tmp_path, monkeypatch):
    """As a step of a workflow does it, with nothing here but the program."""
    bucket = tmp_path / "bucket" / "structures"
    bucket.mkdir(parents=True)
    for path in EXAMPLES.glob("*.cif"):
        (bucket / path.name).write_bytes(path.read_bytes())
    monkeypatch.setenv("PHASE2_RUNS", "best latest")
    words = ["--dir", f"file://{bucket}", "--store", models, "--output", tmp_path / "table.csv"]
    assert _predict(tmp_path / "brought", *words) == 0
    table = pd.read_csv(tmp_path / "table.csv")
    assert sorted(table["file"]) == sorted(path.name for path in EXAMPLES.glob("*.cif"))
    assert (table[f"std of {HEADINGS[0]}"] == 0).all(), "best and latest are the same run here"
    assert list((tmp_path / "brought").rglob("best.pt"))


@pytest.mark.parametrize("by", [(), ("--for", "band_gap")])
@pytest.mark.parametrize("by_option", [True, False], ids=["option", "environment"])
def test_a_store_that_is_named_has_the_run_to_use(models, tmp_path, monkeypatch, capsys, by, by_option):
    monkeypatch.chdir(tmp_path)  # where no folder 'models' is
    if not by_option:
        monkeypatch.setenv("PHASE2_STORE", str(models))
    words = [*(["--store", str(models)] if by_option else []), *by]
    one = ["--cif", str(EXAMPLES / "Si.cif"), *words]
    assert main(["predict", *one, "--output", "one.csv"]) == 0
    assert main(["embed", *one, "--output", "one.npz"]) == 0
    assert main(["evaluate", *words]) == 0
    assert capsys.readouterr().err.count(f"model: {models}") == 3
    assert main(["predict", *one, "--models", str(tmp_path)]) == 4


def test_a_run_of_the_store_is_named_like_a_file(models, tmp_path, monkeypatch, capsys):
    (run,) = models.glob("*/run_*")
    run_id = run.name.split("_", 2)[2]
    monkeypatch.chdir(tmp_path)
    words = ["--cif", str(EXAMPLES / "Si.cif")]
    address = f"file://{models}/{run.parent.name}/{run.name}"
    for name in (run_id, run.name, "latest", "best", "best:band_gap", address):
        for place in (["--store", str(models)], ["--models", str(models)]):
            assert main(["predict", *words, *place, "--model", name]) == 0
            assert main(["embed", *words, *place, "--model", name, "--output", "one.npz"]) == 0
    assert capsys.readouterr().err.count(f"model: {run / 'best.pt'}") == 24
    monkeypatch.setenv("PHASE2_STORE", str(models))
    assert main(["predict", *words, "--model", "best", "--for", "band_gap"]) == 0


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nearly", "There is no run 'nearly'"),
        ("multitask_cgcnn/run_gone", "There is no run 'multitask_cgcnn/run_gone'"),
        ("best:bandgap", "Did you mean 'band_gap'?"),
    ],
)
def test_a_model_that_is_nowhere_is_refused(models, name, says, capsys):
    assert _predict(models, "--cif", EXAMPLES / "Si.cif", "--model", name) == 2
    assert says in capsys.readouterr().err


def test_a_folder_is_no_file(models, capsys):
    assert _predict(models, "--cif", EXAMPLES) == 3
    assert f"Write --dir {EXAMPLES}" in capsys.readouterr().err


def test_a_model_that_is_named_twice_is_noted(models, capsys):
    (run,) = models.glob("*/run_*")
    words = ["--cif", str(EXAMPLES / "Si.cif"), "--store", str(models), "--model", str(run), "--model", "latest"]
    assert main(["predict", *words]) == 0
    assert "is named 2 times" in capsys.readouterr().err


def test_a_model_is_named_in_one_way(models):
    assert _predict(models, "--dir", EXAMPLES, "--model", models, "--run", "best") == 2


class TestDataSets:
    """``--data`` takes what training takes; rows have the ids of the data set."""

    def rows(self, models, tmp_path, *words, code=0):
        output = tmp_path / "out.csv"
        assert _predict(models, *words, "--output", output) == code
        with output.open() as file:
            return {row["file"]: row for row in csv.DictReader(file)}

    def test_a_folder_with_a_table(self, models, tmp_path):
        data = tmp_path / "data"
        data.mkdir()
        for name in ("NaCl", "MgO"):
            (data / f"{name}.cif").write_bytes((EXAMPLES / f"{name}.cif").read_bytes())
        (data / "t.csv").write_text("id,file,colour\nsalt,NaCl.cif,white\nmagnesia,MgO.cif,white\nlost,no.cif,red\n")
        rows = self.rows(models, tmp_path, "--data", data, code=3)
        assert list(rows) == ["salt", "magnesia", "lost"]
        assert "There is no file" in rows["lost"]["error"]
        alone = self.rows(models, tmp_path, "--cif", EXAMPLES / "NaCl.cif")
        (direct,) = alone.values()
        found, right = ([float(row[heading]) for heading in HEADINGS] for row in (rows["salt"], direct))
        assert found == pytest.approx(right, rel=1e-5)

    def test_a_table_of_texts_and_a_part_of_it(self, models, tmp_path):
        table = pd.DataFrame({"id": ["a", "b"], "cif": [(EXAMPLES / f"{x}.cif").read_text() for x in ("NaCl", "Si")]})
        table.to_csv(tmp_path / "mp.csv", index=False)
        rows = self.rows(models, tmp_path, "--data", tmp_path / "mp.csv")
        assert {name: row["formula"] for name, row in rows.items()} == {"a": "ClNa", "b": "Si"}
        assert list(self.rows(models, tmp_path, "--data", tmp_path / "mp.csv", "--part", "2/2")) == ["b"]

    def test_a_named_data_set(self, models, tmp_path):
        rows = self.rows(models, tmp_path, "--data", "elements")
        assert len(rows) > 20
        assert all(row["error"] == "" for row in rows.values())

    def test_an_archive(self, models, tmp_path):
        shutil.make_archive(str(tmp_path / "set"), "zip", EXAMPLES, "NaCl.cif")
        assert list(self.rows(models, tmp_path, "--data", tmp_path / "set.zip")) == ["NaCl.cif"]

    @pytest.mark.parametrize("words", [(), ("--data", "sample", "--dir", "x"), ("--cif", "a", "--data", "sample")])
    def test_one_of_three_is_needed(self, models, words, capsys):
        assert _predict(models, *words) == 2
        assert "Give one of --cif FILE, --dir FOLDER and --data NAME" in capsys.readouterr().err

    def test_a_name_that_is_none_is_answered_with_the_nearest(self, models, capsys):
        assert _predict(models, "--data", "sampel") == 2
        assert "sample" in capsys.readouterr().err


def test_several_files_are_predicted_in_their_order(models, tmp_path):
    output = tmp_path / "preds.csv"
    named = [EXAMPLES / "Si.cif", EXAMPLES / "MgO.cif"]
    assert _predict(models, *[word for file in named for word in ("--cif", file)], "--output", output) == 0
    with output.open() as file:
        assert [row["file"] for row in csv.DictReader(file)] == list(map(str, named))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--cif", "a.cif", "--cif", "a.cif"], "--cif a.cif is given twice"),
        (["--cif", "many.extxyz", "--part", "1/2"], "--data many.extxyz --part 1/2"),
    ],
)
def test_files_that_are_named_so_are_refused(models, words, says, capsys):
    assert _predict(models, *words) == 2
    assert says in capsys.readouterr().err
