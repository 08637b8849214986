"""``phase2 workflow``: the commands of workflow steps, and their output files."""

import json

import pytest

from phase2.cli import main
from phase2.runs.catalog.ranking import RunRow
from phase2.runs.layout import RunDirectory
from phase2.runs.records.manifest import read_manifest
from phase2.testing.finished_run import finished_run


@pytest.fixture
def finished(tmp_path):
    """A store with a finished run, and the run."""
    run = finished_run(tmp_path / "store", {"best.pt": b"w", "HANDOFF.md": b"# Hand-off\n"})
    return tmp_path / "store", run


def files(folder):
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("how", ["argument", "PHASE2_RUN_ID", "PHASE2_RESUME"])
def test_a_report_comes_from_the_store(finished, out, how, say, monkeypatch):
    store, run = finished
    words = [run.run_id] if how == "argument" else []
    if how != "argument":
        monkeypatch.setenv(how, run.run_id)
    code, printed, said = say("workflow", "report", *words, "--store", store, "--to", out)
    assert code == 0, said
    made = files(out)
    assert made.keys() == {"run-id", "row.json", "mae.md", "report.md"}
    assert made["run-id"] == run.run_id
    assert made["report.md"] == "# Hand-off\n"
    assert json.loads(made["row.json"])["val_mae"]["band_gap"] == 0.1
    assert "band_gap" in made["mae.md"]
    assert printed.strip() == made["mae.md"]


def test_a_run_that_is_not_finished_has_no_report(finished, out, say):
    store, run = finished
    broken = read_manifest(run.manifest).model_copy(update={"status": "failed"})
    run.manifest.write_text(broken.model_dump_json())
    code, _, said = say("workflow", "report", run.run_id, "--store", store, "--to", out)
    assert code == 3
    assert "is failed" in said
    assert not files(out)


def test_training_writes_the_same_report(models, tmp_path, say, monkeypatch):
    """The run of the fixture is finished: resuming it returns it without training."""
    (run,) = (RunDirectory(path) for path in models.glob("*/run_*"))
    monkeypatch.setenv("PHASE2_RESUME", run.run_id)
    for folder in ("trained", "asked"):
        (tmp_path / folder).mkdir()
    assert say("train", "--output", models, "--report-to", tmp_path / "trained")[0] == 0
    assert say("workflow", "report", "--store", models, "--to", tmp_path / "asked")[0] == 0
    assert files(tmp_path / "trained") == files(tmp_path / "asked")
    assert len(list(models.glob("*/run_*"))) == 1


def test_a_sweep_is_expanded_from_variables_where_empty_is_not_given(out, say, monkeypatch):
    given = {
        "WORKFLOW_NAME": "sweep-x", "ALGORITHM": "cgcnn", "LEVEL": "smoke,lite", "SEED": "1, 2", "EPOCHS": "",
        "PRESET": "", "ALL_PROPERTIES": "false", "PROPERTIES": "",
    }  # fmt: skip
    for name, value in given.items():
        monkeypatch.setenv(f"PHASE2_{name}", value)
    code, printed, said = say("workflow", "expand", "--to", out)
    assert code == 0, said
    runs = json.loads(files(out)["runs.json"])
    assert [(run["run-id"], run["level"], run["seed"]) for run in runs] == [
        ("sweep-x-0", "smoke", "1"),
        ("sweep-x-1", "smoke", "2"),
        ("sweep-x-2", "lite", "1"),
        ("sweep-x-3", "lite", "2"),
    ]
    known = ("run-id", "level", "seed", "pod", "retry-pod")
    assert all(value == "" for run in runs for name, value in run.items() if name not in known)
    assert "phase2 train --algorithm cgcnn --level lite --seed 2" in printed


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--level", "smoke,hgue"], "hgue"),
        (["--seed", "1,x"], "--seed x is no number"),
        (["--level", "lite", "--epochs", "3"], "cannot be combined"),
        (["--seed", ",".join(map(str, range(201)))], "201 runs"),
    ],
)
def test_a_sweep_with_an_impossible_run_is_refused_as_a_whole(words, what, out, say):
    code, _, said = say("workflow", "expand", "--name", "x", *words, "--to", out)
    assert code == 2
    assert what in said
    assert not files(out)


def row(run_id, score, *settings):
    return RunRow(
        run_id=run_id, algorithm="cgcnn", mode="smoke", seed=1, epochs=5, lr=1e-3, batch_size=8, score=score,
        val_mae={"band_gap": score}, test_mae={"band_gap": 0.0}, settings=settings,
    ).model_dump()  # fmt: skip


def test_runs_are_ranked_by_validation_score(out, say, monkeypatch):
    rows = [row("a", 0.5), row("none", None), row("b", 0.25)]
    monkeypatch.setenv("PHASE2_ROWS", json.dumps(rows))
    code, printed, said = say("workflow", "compare", "--to", out)
    assert code == 0, said
    made = files(out)
    assert made["best-run"] == "b"
    assert made["runs"] == "b a none"
    assert [line.split(" | ")[0] for line in made["comparison.md"].splitlines()[2:]] == ["| b", "| a", "| none"]
    assert "best: b" in printed


def test_the_table_shows_the_settings_in_which_runs_differ(out, say, monkeypatch):
    both = "training.patience=9"
    monkeypatch.setenv("PHASE2_ROWS", json.dumps([row("a", 0.5, both, "model.width=8"), row("b", 0.25, both)]))
    assert say("workflow", "compare", "--to", out)[0] == 0
    head, _, best, other = files(out)["comparison.md"].splitlines()
    assert "| settings |" in head
    assert "| model.width=8 |" in other
    assert both not in best + other


@pytest.mark.parametrize(("rows", "code"), [("[]", 3), ("nothing", 2), ('[{"run_id": 1}]', 2)])
def test_an_empty_comparison_is_an_error(rows, code, out, say):
    assert say("workflow", "compare", "--rows", rows, "--to", out)[0] == code
    assert not files(out)


def test_structures_are_split_into_no_more_parts_than_there_are(tmp_path, out, say):
    folder = tmp_path / "structures"
    folder.mkdir()
    for name in ("a.cif", "b.cif", "notes.txt"):
        (folder / name).write_text("")
    for directory in (folder, f"file://{folder}"):
        assert say("workflow", "split", "--dir", directory, "--parts", 8, "--to", out)[0] == 0
        assert json.loads(files(out)["parts.json"]) == [{"part": "1", "parts": "2"}, {"part": "2", "parts": "2"}]


@pytest.mark.parametrize(("directory", "code"), [("", 2), ("file:///nowhere-at-all", 3)])
def test_missing_structures_are_an_error(directory, code, out, say):
    assert say("workflow", "split", "--dir", directory, "--to", out)[0] == code


FAILURES = [{"displayName": "train(0)", "phase": "Failed", "message": "Error (exit code 3)", "templateName": "train"}]


@pytest.mark.parametrize("encoded", [json.dumps(FAILURES), json.dumps(json.dumps(FAILURES))])
def test_the_end_of_a_workflow_is_recorded_in_the_store(encoded, tmp_path, say, monkeypatch):
    monkeypatch.setenv("PHASE2_WORKFLOW_NAME", "phase2-abcde")
    monkeypatch.setenv("PHASE2_WORKFLOW_STATUS", "Failed")
    monkeypatch.setenv("PHASE2_WORKFLOW_FAILURES", encoded)
    code, printed, said = say("workflow", "finish", "--store", tmp_path)
    assert code == 0, said
    kept = json.loads((tmp_path / ".workflows" / "phase2-abcde.json").read_text())
    assert kept["status"] == "Failed"
    assert kept["failures"] == [{"step": "train(0)", "phase": "Failed", "message": "Error (exit code 3)"}]
    assert "train(0): Failed: Error (exit code 3)" in printed
    assert main(["runs", "list", "--store", str(tmp_path)]) == 0, "it is no run, and disturbs none"


@pytest.mark.parametrize("nothing", ["null", '"null"', ""])
def test_a_workflow_without_failures_has_none(nothing, tmp_path, say):
    words = ["--name", "w", "--status", "Succeeded", "--failures", nothing, "--store", tmp_path]
    assert say("workflow", "finish", *words)[0] == 0
    assert json.loads((tmp_path / ".workflows" / "w.json").read_text())["failures"] == []


@pytest.mark.parametrize("odd", ["[1]", "{}", "half [", '"half ["'])
def test_malformed_failures_are_an_error(odd, tmp_path, say):
    assert (
        say("workflow", "finish", "--name", "w", "--status", "Failed", "--failures", odd, "--store", tmp_path)[0] == 2
    )


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (["--node-selector", "{a"], "node-selector={a is not understood"),
        (["--node-selector", "[1]"], "It is a mapping, in JSON"),
        (["--tolerations", "[1]"], "It is a list of mappings, in JSON"),
        (["--tolerations", '[{"key": "gpu", "effect": "NoSchedul"}]'], "Did you mean 'NoSchedule'?"),
        (["--gpus", "17"], "--gpus 17 is out of range"),
        (["--gpus", "8"], "8 processes cannot share a batch of 4 crystals"),
        (["--cpu", "two"], "is not a number of cores"),
        (["--retry-memory", "x"], "is not an amount of memory"),
        (["--memory", "64Mi"], "memory limit"),
        (["--max-hours", "0.01"], "longer than the limit"),
    ],
)
def test_resources_that_cannot_be_meant_are_refused_before_anything_is_reserved(options, what, out, say):
    code, _, said = say("workflow", "validate", "--level", "pro", *options, "--to", out)
    assert (code, what in said) == (2, True), said
    assert not files(out)
