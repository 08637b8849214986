"""``phase2 runs push-hub`` against a server that speaks the Hub's protocol, and predictions with what comes back."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from tests.hub.hub_server import TOKEN, hub_server

import phase2
from phase2.cli import main
from phase2.models.files.modelfile import copy_tensors, load_model_file
from phase2.runs.layout import RunDirectory
from phase2.runs.records.manifest import read_manifest

TRAIN = ["train", "--level", "smoke", "--max-samples", "100", "--epochs", "1", "--no-baselines", "--all-properties"]
REPO = "a-group/crystals"
_DOWNLOAD = (
    "import sys; from huggingface_hub import snapshot_download as d; print(d(sys.argv[1], local_dir=sys.argv[2]))"
)


@pytest.fixture(scope="module", params=["cgcnn", "e3nn"])
def run(request, tmp_path_factory):
    output = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHASE2_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("PHASE2_STORE", raising=False)
        assert main([*TRAIN, "--algorithm", request.param, "--output", str(output)]) == 0
    return RunDirectory(next(output.glob("multitask_*/run_*")))


@pytest.fixture
def hub():
    with hub_server() as found:
        yield found


@pytest.fixture
def call(hub, tmp_path):
    """Run a program of the client in a process of its own: it reads its environment once."""
    own = {"HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1", "HF_HOME": str(tmp_path / "hf")}

    def run(*words, **environment):
        variables = {**os.environ, **own, "HF_HUB_DISABLE_TELEMETRY": "1", **environment}
        return subprocess.run(
            [sys.executable, *words], env=variables, capture_output=True, text=True, timeout=250, check=False
        )

    return run


def push(call, run, *words, **environment):
    store = str(run.path.parent.parent)
    command = ["-m", "phase2", "runs", "push-hub", run.run_id, "--repo", REPO, "--store", store]
    return call(*command, *words, **environment)


def test_what_is_pushed_and_downloaded_predicts_the_same_bit_for_bit(run, hub, call, tmp_path):
    done = push(call, run, "--license", "cc-by-4.0")
    assert done.returncode == 0, done.stderr
    assert f"{hub.url}/{REPO}/commit/" in done.stdout
    assert hub.private == {REPO: True}
    assert hub.commits == [(REPO, f"Run {run.run_id} of phase2")]
    folder = tmp_path / "crystals"
    fetched = call("-c", _DOWNLOAD, REPO, str(folder))
    assert fetched.returncode == 0, fetched.stderr
    one, other = (load_model_file(path) for path in (run.best, folder / "model.safetensors"))
    first, second = copy_tensors(one.model), copy_tensors(other.model)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    # The interval needs what the file knows of its errors, and novelty the training crystals.
    words = ["predict", "--dir", "docs/examples", "--interval", "0.8", "--output"]
    assert main([*words, str(tmp_path / "a.json"), "--model", str(run.best)]) == 0
    assert main([*words, str(tmp_path / "b.json"), "--model", str(folder)]) == 0
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    made = [phase2.load_model(path).predict(Path("docs/examples/Si.cif")) for path in (folder, run.best)]
    assert made[0].records() == made[1].records()


def test_the_card_has_the_metadata_that_the_hub_reads(run, hub, call):
    assert push(call, run, "--license", "cc-by-4.0", "--public").returncode == 0
    assert hub.private == {REPO: False}
    files = hub.repos[REPO]
    assert files.keys() == {
        "README.md", "model.safetensors", "config.json", "results.json", "parity.png", "learning_curve.png",
        "calibration.png",
    }  # fmt: skip
    _, front, card = files["README.md"].decode().split("---\n", 2)
    metadata, manifest = yaml.safe_load(front), read_manifest(run.manifest)
    assert (metadata["license"], metadata["library_name"]) == ("cc-by-4.0", "phase2")
    assert {"materials-science", manifest.algorithm, "band-gap"} <= set(metadata["tags"])
    (model,) = metadata["model-index"]
    found = {row["metrics"][0]["name"]: row["metrics"][0]["value"] for row in model["results"]}
    measured = [row for row in manifest.test if row.mae is not None]
    assert list(found.values()) == [row.mae for row in measured]
    assert f"phase2 predict --model {REPO.partition('/')[2]}" in card
    assert f"run {run.run_id}" in card
    from huggingface_hub import ModelCard

    results = ModelCard(files["README.md"].decode()).data.eval_results  # type: ignore[attr-defined]
    assert {result.metric_type for result in results} >= {"mae", "rmse"}
    assert json.loads(files["config.json"])["phase2"]["run_id"] == run.run_id


def test_pushing_again_sends_nothing_twice(run, hub, call):
    assert push(call, run).returncode == 0
    hub.requests.clear()
    again = push(call, run)
    assert again.returncode == 0, again.stderr
    assert "states no licence" in again.stderr
    assert len(hub.commits) == 1
    assert not [path for method, path in hub.requests if method == "PUT"]


def test_refusals_say_what_to_do(run, hub, call):
    wrong = push(call, run, HF_TOKEN="hf_wrong_one")
    assert wrong.returncode == 2
    assert "401" in wrong.stderr
    assert "HF_TOKEN" in wrong.stderr
    assert "hf_wrong_one" not in wrong.stderr
    hub.failing = 503
    assert push(call, run).returncode == 75
    hub.failing = 0
    assert push(call, run, HF_ENDPOINT="http://127.0.0.1:9").returncode == 75
    assert hub.commits == []
    assert main(["runs", "push-hub", run.run_id, "--repo", "no-owner", "--store", str(run.path.parent.parent)]) == 2


@pytest.mark.parametrize("address", ["", "hub.example.com", "ftp://hub.example.com", "http://hub:port", "http://[::1"])
def test_an_address_that_is_none_is_refused(run, monkeypatch, capsys, address):
    monkeypatch.setenv("HF_ENDPOINT", address)
    words = ["runs", "push-hub", run.run_id, "--repo", "my/model", "--store", str(run.path.parent.parent)]
    assert main(words) == 2
    assert f"HF_ENDPOINT is no address of a Hub: {address!r}" in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["weights", "config", "without config"])
def test_a_folder_that_was_changed_is_refused(run, tmp_path, damage, capsys):
    from phase2.models.files.safetensors_folder import write_safetensors

    write_safetensors(run.best, tmp_path)
    weights, config = tmp_path / "model.safetensors", tmp_path / "config.json"
    if damage == "weights":
        data = bytearray(weights.read_bytes())
        data[-3] ^= 1
        weights.write_bytes(data)
    elif damage == "config":
        config.write_text(config.read_text().replace('"epoch": 1', '"epoch": 2'))
    else:
        config.unlink()
    assert main(["predict", "--cif", "docs/examples/Si.cif", "--model", str(tmp_path)]) == 4
    assert "cannot be used" in capsys.readouterr().err


def test_a_run_folder_is_read_by_its_own_model_file(run, tmp_path, capsys):
    shutil.copyfile(run.best, tmp_path / "best.pt")
    (tmp_path / "model.safetensors").write_text("damaged")
    assert main(["predict", "--cif", "docs/examples/Si.cif", "--model", str(tmp_path)]) == 0
