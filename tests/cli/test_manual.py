"""The operation manual's scripts, as programs."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "scripts" / "phase2_multitask"
BACKENDS = {
    "lite": "multitask_lite_e3nn",
    "std": "multitask_std_e3nn",
    "pro": "multitask_pro_e3nn",
    "cgcnn": "multitask_cgcnn",
}


def _run(script: str, *words: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPTS / f"{script}.py"), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


@pytest.mark.parametrize("script", sorted(path.stem for path in SCRIPTS.glob("*.py")))
def test_every_script_explains_itself(script):
    done = _run(script, "--help")
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout


@pytest.mark.parametrize(
    "mode", [("--level", level) for level in ("smoke", "lite", "std", "pro", "max")] + [("--competition",)]
)
@pytest.mark.parametrize("algorithm", ["e3nn", "cgcnn"])
def test_a_dry_run_names_a_backend_that_accepts_its_words(algorithm, mode, tmp_path):
    plan = _run("run_phase2", "--algorithm", algorithm, *mode, "--all-properties", "--dry-run", "--output", tmp_path)
    assert plan.returncode == 0, plan.stderr
    words = plan.stdout.splitlines()[0].removeprefix("would run: python ").split()
    backend = _run(Path(words[0]).stem, *words[1:], "--dry-run")
    assert backend.returncode == 0, backend.stderr
    assert backend.stdout == plan.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        ("lite", ["--level", "pro"]),
        ("std", ["--level", "pro"]),
        ("pro", ["--level", "std"]),
        ("std", ["--competition"]),
    ],
)
def test_a_backend_refuses_what_another_one_trains(backend, words):
    done = _run(f"train_multitask_{backend}", *words)
    assert done.returncode == 2
    assert "is the work of" in done.stderr


def test_a_backend_takes_settings_and_a_file_of_its_algorithm(tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text("level: smoke\nmodel: {width: 96}\n")
    plan = _run("train_multitask_cgcnn", "--config", file, "--set", "model.trunk=64", "--dry-run")
    assert plan.returncode == 0, plan.stderr
    assert re.search(rf"model\.width +96 +file {re.escape(str(file))}", plan.stdout)
    words = shlex.split(plan.stdout.splitlines()[0].removeprefix("would run: python "))
    again = _run(Path(words[0]).stem, *words[1:], "--dry-run")
    assert again.stdout.splitlines()[0] == plan.stdout.splitlines()[0]
    file.write_text("algorithm: e3nn\n")
    refused = _run("train_multitask_cgcnn", "--config", file, "--dry-run")
    assert (refused.returncode, "does not train algorithm e3nn" in refused.stderr) == (2, True), refused.stderr


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_every_backend_trains_into_its_family(backend, cache, tmp_path):
    words = [] if backend == "lite" else ["--epochs", 1, "--max-samples", 30]
    done = _run(f"train_multitask_{backend}", *words, "--all-properties", "--output", tmp_path)
    assert done.returncode == 0, done.stderr
    (run,) = (tmp_path / BACKENDS[backend]).glob("run_*")
    assert {"best.pt", "checkpoint.pt", "history.json", "results.json", "run_manifest.json"} <= {
        p.name for p in run.iterdir()
    }
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [row["epoch"] for row in rows] == list(range(1, len(rows) + 1))
    assert "left out, for want of labels: band_gap_mbj, spillage" in done.stderr


def test_inference_and_data_scripts_work_from_another_folder(models, tmp_path):
    done = _run("process_data_phase2", "--workers", 2, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "6317 crystals ready" in done.stdout
    words = ["--dir", ROOT / "docs" / "examples", "--output", "preds.csv", "--models", models]
    done = _run("inference_multitask", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "preds.csv").read_text().splitlines()) == 5


def test_a_dry_run_of_a_named_run_shows_its_own_settings(models):
    (run,) = models.glob("multitask_cgcnn/run_*")
    plan = _run("run_phase2", "--resume", run.name, "--dry-run", "--output", models)
    assert plan.returncode == 0, plan.stderr
    first = plan.stdout.splitlines()[0]
    wanted = f"train_multitask_cgcnn.py --output {models} --resume multitask_cgcnn/{run.name}"
    assert first == f"would run: python scripts/phase2_multitask/{wanted}"
    assert re.search(r"data\.max_samples +60 ", plan.stdout)
    words = first.removeprefix("would run: python ").split()
    assert _run(Path(words[0]).stem, *words[1:], "--dry-run").stdout == plan.stdout
