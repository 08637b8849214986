"""Messages at the end of runs, sweeps, studies and workflows, received by a real server."""

import json
import os
import sys

import pytest

from phase2.cli import main
from phase2.notification import addresses
from phase2.notification.addresses import parse_addresses
from phase2.notification.message import Message, run_finished
from phase2.runs.layout import RunDirectory
from phase2.runs.records.manifest import read_manifest
from phase2.runs.records.results import PropertyMetrics
from phase2.testing.finished_run import finished_run

SMALL = ["train", "--algorithm", "cgcnn", "--level", "smoke", "--max-samples", "60", "--epochs", "2", "--no-baselines"]
DIVERGING = ["--set", "training.clip_norm=1e12", "--set", "training.warmup=0", "--lr"]


def test_a_finished_run_says_what_it_is_how_good_it_is_and_where_it_lies(inbox, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PHASE2_NOTIFY", inbox.url)
    assert main([*SMALL, "--output", str(tmp_path)]) == 0
    run = RunDirectory(next(tmp_path.glob("multitask_cgcnn/run_*")))
    (post,) = inbox.posts
    assert post["path"] == "/hook/token-of-mine"
    message, manifest = post["json"], read_manifest(run.manifest)
    assert message["title"] == f"phase2: run {run.run_id} finished"
    assert message["type"] == "success"
    assert f"{run.path} on {os.uname().nodename}" in message["message"]
    for row in manifest.test:
        assert f"{row.key}: test MAE {row.mae:.3g} {row.unit} (median {row.baseline_mae:.3g})" in message["message"]
    # The address is a secret: neither printed nor recorded, and processes of the run do not see it.
    captured = capsys.readouterr()
    for text in (captured.out, captured.err, *(path.read_text() for path in run.path.glob("*.[jm][sd]*"))):
        assert "s3cret" not in text
        assert "token-of-mine" not in text
        assert f":{inbox.port}" not in text
    assert os.environ["PHASE2_NOTIFY"] == inbox.url


def test_a_run_that_fails_says_why(inbox, tmp_path, capsys):
    words = [*SMALL, "--output", str(tmp_path), *DIVERGING, "1000", "--notify", inbox.url]
    assert main(words) == 2
    (message,) = inbox.messages
    run = RunDirectory(next(tmp_path.glob("multitask_cgcnn/run_*")))
    assert (message["title"], message["type"]) == (f"phase2: run {run.run_id} failed", "failure")
    assert str(run.path) in message["message"]
    assert "diverged" in message["message"]


@pytest.mark.parametrize(
    ("occasion", "lr", "count"), [("success", "1e-4", 1), ("success", "1000", 0), ("failure", "1e-4", 0)]
)
def test_the_occasion_is_kept_to(inbox, tmp_path, monkeypatch, occasion, lr, count):
    monkeypatch.setenv("PHASE2_NOTIFY_ON", occasion)
    main([*SMALL, "--output", str(tmp_path), *DIVERGING, lr, "--notify", inbox.url])
    assert len(inbox.posts) == count


def test_a_service_that_refuses_or_hangs_fails_no_run(inbox, hanging, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(addresses, "PATIENCE", 4.0)
    inbox.status = 500
    monkeypatch.setenv("PHASE2_NOTIFY", inbox.url)
    assert main([*SMALL, "--output", str(tmp_path / "a")]) == 0
    said = capsys.readouterr().err
    assert "warning: no message was sent to 1 of 1 addresses: json://" in said
    assert "token-of-mine" not in said
    problem = parse_addresses([hanging]).send(Message("title", "body"))
    assert "no message was sent" in problem


def test_mistakes_are_found_before_anything_begins_and_show_no_address(tmp_path, monkeypatch, capsys):
    words = [*SMALL, "--output", str(tmp_path / "models")]
    assert main([*words, "--notify", "json://127.0.0.1/a", "--notify", "slakc://TOKEN-A/TOKEN-B"]) == 2
    said = capsys.readouterr().err
    assert "Address 2 of 2" in said
    assert "slakc://" in said
    assert "TOKEN" not in said
    assert main([*words, "--notify", "json://127.0.0.1/a", "--notify-on", "succes"]) == 2
    assert "Did you mean 'success'?" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "apprise", None)
    assert main([*words, "--notify", "json://127.0.0.1/a"]) == 2
    assert "pip install 'phase2[notify]'" in capsys.readouterr().err
    assert not (tmp_path / "models").exists()


def test_in_a_pod_wrong_addresses_of_the_installation_are_a_warning(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PHASE2_NOTIFY", "slakc://TOKEN-A")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    words = ["workflow", "finish", "--store", str(tmp_path), "--name", "wf-1", "--status", "Succeeded"]
    assert main(words) == 0
    said = capsys.readouterr().err
    assert "warning: no message will be sent: Address 1 of 1" in said
    assert "TOKEN" not in said


def test_an_ensemble_and_a_study_send_one_message_each(inbox, tmp_path, monkeypatch):
    monkeypatch.setenv("PHASE2_NOTIFY", inbox.url)
    assert main([*SMALL, "--output", str(tmp_path), "--ensemble", "2"]) == 0
    (message,) = inbox.messages
    assert message["title"].startswith("phase2: ensemble ")
    assert message["message"].count("score") == 2
    words = ["tune", *SMALL[1:-1], "--output", str(tmp_path / "study"), "--over", "training.lr=1e-3,2e-3"]
    assert main([*words, "--trials", "2", "--name", "s1", "--best", str(tmp_path / "best.yaml")]) == 0
    assert inbox.messages[1]["title"] == "phase2: study s1 finished"
    assert "2 trials, 2 complete" in inbox.messages[1]["message"]


def test_a_sweep_on_this_machine_sends_one_message_and_its_runs_none(inbox, tmp_path, monkeypatch):
    monkeypatch.setenv("PHASE2_NOTIFY", inbox.url)
    monkeypatch.setenv("PHASE2_STORE", str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path)
    words = ["sweep", *SMALL[1:-1], *DIVERGING, "1e-4,1000", "--backend", "local", "--name", "sw"]
    assert main(words) == 2
    (message,) = inbox.messages
    assert message["title"] == "phase2: sweep sw finished, 1 of 2 runs failed"
    assert message["type"] == "failure"
    assert "sw-0: score" in message["message"]
    assert "sw-1: not finished" in message["message"]


def test_the_last_step_of_a_workflow_says_how_it_ended(inbox, tmp_path, monkeypatch):
    monkeypatch.setenv("PHASE2_RUN_ID", "wf-1")
    assert main([*SMALL, "--output", str(tmp_path)]) == 0
    monkeypatch.setenv("PHASE2_NOTIFY", inbox.url)
    words = ["workflow", "finish", "--store", str(tmp_path), "--name"]
    assert main([*words, "wf-1", "--status", "Succeeded", "--failures", "null"]) == 0
    step = [{"displayName": "train", "phase": "Failed", "message": "OOMKilled (exit code 137)"}]
    assert main([*words, "wf-2", "--status", "Failed", "--failures", json.dumps(json.dumps(step))]) == 0
    good, bad = inbox.messages
    assert (good["title"], good["type"]) == ("phase2: workflow wf-1: Succeeded", "success")
    assert "wf-1: score" in good["message"]
    assert (bad["title"], bad["type"]) == ("phase2: workflow wf-2: Failed", "failure")
    assert "train: Failed: OOMKilled" in bad["message"]


def test_the_score_of_what_is_true_or_false_is_beside_no_median(tmp_path):
    manifest = read_manifest(finished_run(tmp_path, {"best.pt": b"weights"}).manifest)
    rows = (PropertyMetrics.from_probabilities("metal", 9, log_loss=0.2, baseline_log_loss=0.6),)
    body = run_finished(manifest.model_copy(update={"val": rows, "test": rows}), "here").body
    assert "median" not in body
    assert "(1 is the baseline; lower is better)\nmetal: test log loss 0.2 (prior 0.6)" in body
