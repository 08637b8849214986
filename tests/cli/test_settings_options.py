"""``--config``, ``--set`` and ``explain --yaml``: the same settings for every command that takes a run."""

import json

import pytest

from phase2.cli import main
from phase2.config.assignments import parse_setting
from phase2.config.combine import combine
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.runs.records.manifest import read_manifest

FILE = "algorithm: cgcnn\nlevel: smoke\ntraining: {epochs: 1, patience: 9}\ndata: {max_samples: 60}\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text(FILE)
    return path


def _explained(say, *words):
    code, shown, err = say("explain", *words, "--json")
    assert code == 0, err
    return shown


def test_explain_shows_what_overrides_what(say, file):
    words = ("--config", file, "--set", "training.epochs=2", "--set", "training.loss=huber", "--patience", 3)
    shown = _explained(say, *words)
    training, origins = shown["config"]["training"], shown["origins"]
    assert (training["epochs"], origins["training.epochs"]) == (2, "--set")
    assert (training["patience"], origins["training.patience"]) == (3, "--patience")
    assert (shown["config"]["data"]["max_samples"], origins["data.max_samples"]) == (60, f"file {file}")
    assert origins["training.batch_size"] == "level cgcnn smoke"
    assert origins["training.lr"] == "project default for level cgcnn smoke"
    assert origins["training.warmup"] == "default"


def test_a_written_file_makes_the_run_by_itself(say, file, tmp_path):
    code, text, err = say("explain", "--config", file, "--set", "model.width=96", "--yaml")
    assert code == 0, err
    (tmp_path / "again.yaml").write_text(text)
    first = _explained(say, "--config", file, "--set", "model.width=96")
    assert _explained(say, "--config", tmp_path / "again.yaml")["config"] == first["config"]
    assert say("explain", "--json", "--yaml")[0] == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--set", "training.patiance=20"], "Did you mean 'training.patience'?"),
        (["--set", "training.patience=0"], "Expected an integer of at least 1 and of at most 1000000000, or null"),
        (["--config", "nowhere.yaml"], "nowhere.yaml cannot be read"),
        (["--level", "lite", "--set", "training.epochs=2"], "fixed at 2 epochs"),
        (["--level", "lite", "--patience", "2"], "fixed at 2 epochs"),
        (["--split", "compositon"], "Did you mean 'composition'?"),
        (["--balance", "equl"], "Did you mean 'equal'?"),
        (["--cutoff", "-1"], "--cutoff -1.0 is out of range"),
    ],
)
@pytest.mark.parametrize("command", ["train", "explain", "submit"])
def test_what_cannot_be_used_ends_with_2(command, words, says, say):
    code, _, err = say(command, *words)
    assert (code, says in err) == (2, True), err


def test_the_variable_holds_several_settings_and_the_command_line_replaces_it(say, monkeypatch):
    monkeypatch.setenv("PHASE2_SET", "training.patience=4; data.fractions=[0.7,0.2,0.1]")
    config = _explained(say)["config"]
    assert (config["training"]["patience"], config["data"]["fractions"]) == (4, [0.7, 0.2, 0.1])
    assert _explained(say, "--set", "seed=1")["config"]["training"]["patience"] is None
    monkeypatch.setenv("PHASE2_SET", "")
    assert _explained(say)["config"]["training"]["patience"] is None


def test_graphs_are_prepared_as_the_run_needs_them(cache, say, monkeypatch, tmp_path):
    data = tmp_path / "mine.json"
    atoms = {"lattice_mat": [[4.2, 0, 0], [0, 4.2, 0], [0, 0, 4.2]], "elements": ["Na"], "coords": [[0, 0, 0]]}
    data.write_text(json.dumps([{"jid": "a", "atoms": atoms | {"cartesian": False}, "optb88vdw_bandgap": 1.0}]))
    where = {}
    for name, variables in {
        "default": {}, "cutoff": {"PHASE2_CUTOFF": "6"}, "set": {"PHASE2_SET": "training.lr=1;data.graph.cutoff=6"}
    }.items():  # fmt: skip
        with monkeypatch.context() as patch:
            for variable, value in variables.items():
                patch.setenv(variable, value)
            code, out, err = say("data", "prepare", "--data", data)
        assert code == 0, err
        where[name] = out.split()[-1]
    assert where["cutoff"] == where["set"] != where["default"]


def test_a_submitted_run_needs_no_file(say, file):
    words = (
        "--config",
        file,
        "--set",
        "training.loss=huber",
        "--image",
        "phase2:1",
        "--run-id",
        "a",
        "--dry-run",
        "--json",
    )
    for backend in ("job", "argo"):
        code, shown, err = say("submit", *words, "--backend", backend)
        assert code == 0, err
        manifest = json.dumps(shown["manifest"])
        assert "run.yaml" not in manifest
        for setting in ("training.epochs=1", "training.patience=9", "data.max_samples=60", "training.loss=huber"):
            assert setting in manifest


def test_a_run_records_a_command_that_makes_it_again(cache, file, tmp_path):
    words = ["--config", str(file), "--set", "model.width=8", "--set", "training.balance=equal"]
    assert main(["train", *words, "--output", str(tmp_path / "models")]) == 0
    (folder,) = (tmp_path / "models").glob("multitask_cgcnn/run_*")
    manifest = read_manifest(folder / "run_manifest.json")
    request = RunRequest.from_command(manifest.command)
    assert resolve(request).config.digest == manifest.config_digest
    assert "run.yaml" not in " ".join(manifest.command)
    assert manifest.origins["training.epochs"] == f"file {file}"
    assert "--set model.width=8" in (folder / "HANDOFF.md").read_text()
    again = combine({"algorithm": "cgcnn", "level": "smoke"}, settings=[parse_setting("model.width=8")])
    assert resolve(again).config.digest != manifest.config_digest
