"""``--from``, ``--freeze`` and ``--backbone`` on the command line: what they resolve to, and where they are refused."""

import json

import pytest
import yaml

from phase2.cli import main
from phase2.runs.ancestry.model_header import read_model_header


@pytest.fixture
def source(models):
    (run,) = models.glob("*/run_*")
    return run


def test_a_run_is_found_by_its_name_in_the_output_folder(models, source, capsys, monkeypatch):
    monkeypatch.chdir(models.parent)
    words = ["--algorithm", "cgcnn", "--level", "smoke", "--freeze", "backbone"]
    assert main(["explain", *words, "--from", str(source / "best.pt"), "--json"]) == 0
    explained = json.loads(capsys.readouterr().out)
    tuning = explained["config"]["fine_tuning"]
    assert tuning["source"] == str(source.resolve())
    assert tuning["sha256"] == read_model_header(source / "best.pt").sha256
    assert (tuning["freeze"], explained["origins"]["fine_tuning.freeze"]) == ("backbone", "--freeze")
    assert main(["train", *words, "--from", "latest", "--output", str(models), "--dry-run"]) == 0
    assert tuning["sha256"] in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--from", "latest", "--algorithm", "e3nn"], "Add --algorithm cgcnn"),
        (["--from", "latest", "--algorithm", "e3nn", "--level", "lite"], "cannot be combined with e3nn lite"),
        (["--from", "nowhere.pt"], "There is no model file nowhere.pt"),
        (["--new-heads"], "cannot be given without --from"),
        (["--from", "latest", "--freeze", "backbon"], "Did you mean 'backbone'"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(models, words, says, capsys):
    start = [] if "--algorithm" in words else ["--algorithm", "cgcnn"]
    assert main(["train", *start, *words, "--output", str(models), "--dry-run"]) == 2
    assert says in capsys.readouterr().err


@pytest.fixture
def submit(capsys, monkeypatch, tmp_path):
    """Print what a submission would create; returns exit code, standard output and standard error."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    common = ["--algorithm", "cgcnn", "--level", "smoke", "--image", "registry.example.com/phase2:1"]
    common += ["--store", "s3://bucket/runs", "--dry-run"]

    def run(*words):
        code = main(["submit", *common, *words])
        return code, *capsys.readouterr()

    return run


@pytest.mark.parametrize("backend", ["job", "argo"])
def test_a_cluster_refuses_what_its_pods_cannot_read(source, submit, backend):
    code, _, err = submit("--from", str(source), "--backend", backend)
    assert (code, "is not visible to a pod" in err) == (2, True)


def test_a_workflow_has_parameters_for_it(submit):
    code, out, err = submit("--backbone", "sevennet-0", "--backend", "argo")
    assert code == 0, err
    given = yaml.safe_load(out)["spec"]["arguments"]["parameters"]
    assert {"name": "backbone", "value": "sevennet-0"} in given
