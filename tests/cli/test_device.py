"""``--device`` of the commands that compute."""

from pathlib import Path

import pytest

from phase2.cli import main
from phase2.runs.records.manifest import read_manifest

CIF = str(Path(__file__).parents[2] / "docs" / "examples" / "NaCl.cif")
SMALL = ["--algorithm", "cgcnn", "--level", "smoke", "--max-samples", "60", "--epochs", "1"]


@pytest.mark.parametrize(
    ("device", "says"), [("cuda:97", "Here are: cpu"), ("cpux", "Did you mean 'cpu'"), ("mps", "Apple")]
)
def test_a_device_that_is_not_here_is_refused_before_any_work(models, tmp_path, device, says, capsys):
    for words in (
        ["train", *SMALL, "--output", str(tmp_path / "runs")],
        ["predict", "--cif", CIF, "--models", str(models)],
    ):
        assert main([*words, "--device", device]) == 2
        assert says in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_the_device_changes_no_setting_and_is_recorded_as_hardware(cache, tmp_path):
    for number, words in enumerate(([], ["--device", "cpu"])):
        assert main(["train", *SMALL, "--output", str(tmp_path / str(number)), *words]) == 0
    plain, named = (read_manifest(next((tmp_path / n).rglob("run_manifest.json"))) for n in ("0", "1"))
    assert plain.config_digest == named.config_digest
    assert plain.command[:-1] == named.command[:-1]
    assert named.hardware.gpu is None


def test_a_structure_is_predicted_on_the_named_device(models, capsys):
    assert main(["predict", "--cif", CIF, "--models", str(models), "--device", "cpu"]) == 0
    assert "ClNa" in capsys.readouterr().out
