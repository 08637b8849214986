"""Cross-validation from Python: the runs, the table and the files of the command."""

import json
from typing import Any

import pytest

import phase2
from phase2.cli import main
from phase2.runs.layout import RunDirectory
from phase2.testing.same_result import assert_same_result

SETTINGS: dict[str, Any] = {"algorithm": "cgcnn", "level": "smoke", "epochs": 1, "max_samples": 60, "progress": False}


@pytest.fixture(scope="module")
def found(cache, tmp_path_factory):
    output = tmp_path_factory.mktemp("models")
    return phase2.cross_validate(
        folds=2, name="mine", split="composition", output=output, baselines=False, properties=["ehull"], **SETTINGS
    )


@pytest.mark.slow
def test_every_fold_is_a_run_and_a_column(found):
    assert [run.id for run in found.runs] == ["mine-0", "mine-1"]
    assert found.columns()[-2:] == ["kfold:2/1:composition", "kfold:2/2:composition"]
    (row,) = found
    assert row.key == "ehull"
    assert row.folds == tuple(run.manifest.test[0].mae for run in found.runs)
    assert row.mean == pytest.approx(sum(row.folds) / 2)
    assert found.to_pandas()["spread"].iloc[0] == pytest.approx(row.std)
    assert "ehull" in found._repr_html_()


@pytest.mark.slow
def test_the_command_with_the_same_settings_has_the_same_runs_and_files(found, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["--algorithm", "cgcnn", "--level", "smoke", "--epochs", "1", "--max-samples", "60"]
    words += ["--split", "composition", "--properties", "ehull", "--folds", "2", "--name", "mine"]
    assert main(["cross-validate", *words, "--to", "command"]) == 0
    assert found.result.markdown() in capsys.readouterr().out
    written = found.write("python")
    assert sorted(path.name for path in written) == sorted(path.name for path in (tmp_path / "command").iterdir())
    for path in written:
        assert path.read_text() == (tmp_path / "command" / path.name).read_text()
    for run in found.runs:
        (there,) = (tmp_path / "models").glob(f"*/run_*{run.id}")
        assert_same_result(RunDirectory(run.directory), RunDirectory(there))


@pytest.mark.slow
def test_the_same_name_again_trains_nothing_twice(found):
    lines: list[str] = []
    output = found.runs[0].directory.parents[1]
    again = phase2.cross_validate(
        folds=2, name="mine", split="composition", output=output, baselines=False, properties=["ehull"],
        notify=lines.append, **SETTINGS,
    )  # fmt: skip
    assert sum("is finished already" in line for line in lines) == 2
    assert again.result == found.result
    with pytest.raises(phase2.Phase2Error, match="mine-0"):
        phase2.cross_validate(folds=3, name="mine", output=output, properties=["ehull"], **SETTINGS)


def test_a_split_without_folds_is_refused_before_anything_is_trained(tmp_path):
    with pytest.raises(phase2.Phase2Error, match="cannot be cross-validated"):
        phase2.cross_validate(split="element:Li", output=tmp_path, **SETTINGS)
    with pytest.raises(phase2.Phase2Error, match="out of range"):
        phase2.cross_validate(folds=1, output=tmp_path, **SETTINGS)
    assert list(tmp_path.iterdir()) == []


def test_properties_of_ones_own_are_those_of_every_fold(tmp_path, capsys):
    (tmp_path / "data.jsonl").write_text("")
    words = ["--algorithm", "cgcnn", "--level", "smoke", "--data", str(tmp_path / "data.jsonl"), "--folds", "2"]
    assert main(["cross-validate", *words, "--property", "cv:J:heat", "--dry-run", "--json"]) == 0
    plans = json.loads(capsys.readouterr().out)
    assert ["--property" in plan["command"] for plan in plans] == [True, True]
