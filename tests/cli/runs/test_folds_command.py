"""``phase2 cross-validate`` here: a run for each fold, finished ones skipped, and one table of all."""

import json

import pytest

from phase2.cli.app import main
from phase2.config.schema import DataConfig
from phase2.data.dataset import CrystalPropertyDataset

WORDS = (
    "cross-validate", "--algorithm", "cgcnn", "--level", "smoke", "--epochs", "1", "--max-samples", "90",
    "--properties", "band_gap,bulk_modulus", "--folds", "2", "--split", "composition", "--name", "cv", "--to", "out",
)  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cv")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PHASE2_BASELINES", "0")
        assert main(list(WORDS)) == 0
    return folder


@pytest.mark.slow
def test_every_crystal_is_tested_in_the_fold_it_belongs_to(trained):
    table = json.loads((trained / "out" / "cv.json").read_text(encoding="utf-8"))
    assert [run["split"] for run in table["runs"]] == ["kfold:2/1:composition", "kfold:2/2:composition"]
    for row in table["properties"]:
        record = json.loads((trained / "out" / f"cv-{row['key']}.matbench.json").read_text(encoding="utf-8"))
        maes = [record["results"][f"fold_{k}"]["scores"]["mae"] for k in (0, 1)]
        assert maes == pytest.approx(row["folds"])
        assert row["mean"] == pytest.approx(sum(maes) / 2)
        for k in (0, 1):
            config = DataConfig(split=f"kfold:2/{k + 1}:composition")
            dataset = CrystalPropertyDataset.load(config, ("band_gap", "bulk_modulus"))
            whole = set(map(str, dataset.graphs.ids[dataset.split.test]))
            assert set(record["results"][f"fold_{k}"]["data"]) <= whole


@pytest.mark.slow
def test_finished_folds_are_not_trained_again(trained, monkeypatch, capsys):
    monkeypatch.chdir(trained)
    before = {path: path.stat().st_mtime_ns for path in trained.glob("models/**/best.pt")}
    assert main(list(WORDS)) == 0
    assert {path: path.stat().st_mtime_ns for path in trained.glob("models/**/best.pt")} == before
    assert len(before) == 2
    assert "| band_gap | eV |" in capsys.readouterr().out


@pytest.mark.slow
def test_the_name_of_a_cross_validation_stands_for_its_runs(trained, monkeypatch, capsys):
    monkeypatch.chdir(trained)
    assert main(["runs", "folds", "cv", "--to", "named", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((trained / "out" / "cv.json").read_text(encoding="utf-8"))
    assert (trained / "named" / "cv.json").exists()


@pytest.mark.slow
def test_a_fold_that_is_missing_is_named(trained, monkeypatch, capsys):
    monkeypatch.chdir(trained)
    assert main(["runs", "folds", "cv-0", "cv-7", "--to", "some"]) == 0
    assert "Not finished: cv-7." in capsys.readouterr().out
    assert main(["runs", "folds", "cv-7"]) == 3
