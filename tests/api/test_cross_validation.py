"""Cross-validation from Python: the runs, the table and the files of the command."""

import json
from typing import Any

import pytest

import phase2
from phase2.cli import main
from phase2.runs.layout import RunDirectory
from phase2.testing.same_result import assert_same_result

CIF = """data_x
_cell_length_a {a}
_cell_length_b {a}
_cell_length_c {a}
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
a {0} 0 0 0
b {1} 0.5 0.5 0.5
"""
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


def test_folds_that_the_data_are_too_few_for_are_refused_before_the_first(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    formulas = (("Na", "Cl"), ("K", "Br"), ("Li", "F"))
    rows = ["id,band_gap,cif"]
    for k in range(18):
        cif = CIF.format(*formulas[k % 3 if k < 9 else 0], a=5 + k / 50).replace('"', "")
        rows.append(f'c{k},{k / 10},"{cif}"')
    (tmp_path / "data.csv").write_text("\n".join(rows))
    settings = {**SETTINGS, "max_samples": None, "data": "data.csv", "split": "composition", "properties": "band_gap"}
    with pytest.raises(phase2.Phase2Error, match="3 different compositions cannot be divided into 4 folds"):
        phase2.cross_validate(folds=4, **settings)
    # The first of two folds could be trained, and the second not.
    words = ["--algorithm", "cgcnn", "--level", "smoke", "--data", "data.csv", "--split", "composition"]
    assert main(["cross-validate", *words, "--properties", "band_gap", "--folds", "2", "--name", "cv"]) == 3
    said = capsys.readouterr()
    assert "or more folds" in said.err
    assert "cv-0" not in said.out + said.err
    assert not (tmp_path / "models").exists()


def test_properties_of_ones_own_are_those_of_every_fold(tmp_path, capsys):
    (tmp_path / "data.jsonl").write_text("")
    words = ["--algorithm", "cgcnn", "--level", "smoke", "--data", str(tmp_path / "data.jsonl"), "--folds", "2"]
    assert main(["cross-validate", *words, "--property", "cv:J:heat", "--dry-run", "--json"]) == 0
    plans = json.loads(capsys.readouterr().out)
    assert ["--property" in plan["command"] for plan in plans] == [True, True]
