"""``phase2 sweep``: the same options for each backend, and the objects that they become."""

import json
import threading

import kubernetes_validate
import pytest
import yaml
from hera.workflows import models
from tests.argo.manifests import TEMPLATES, parameters_of
from tests.argo.test_shapes import matches, shapes_of
from tests.cluster.support import controllers as simulated
from tests.cluster.support.harnesses import JobHarness
from tests.cluster.support.image_names import BY_DIGEST
from tests.cluster.support.stored_api import JOBS, WORKFLOWS, install_templates

from phase2.cluster.manifests.sweep import build_sweep
from phase2.cluster.request.options import ClusterOptions
from phase2.config.multirun.sweep import SweepRequest
from phase2.config.request.run_request import RunRequest

TINY = ("--algorithm", "cgcnn", "--level", "smoke", "--seed", "1, 2", "--max-samples", "60", "--epochs", "1")
IDS = ["try-0", "try-1"]
CLUSTER = ("sweep", *TINY, "--name", "try", "--image", BY_DIGEST)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--level", "smoke,hgue"], "hgue"),
        (["--seed", "1,x"], "--seed x is no number"),
        (["--backend", "agro"], "Did you mean 'argo'?"),
        (["--name", "Try"], "--name 'Try' cannot be used"),
        (["--preset", "large", "--algorithm", "e3nn"], "does not go with"),
        (["--seed", ",".join(map(str, range(201)))], "This sweep has 201 runs"),
        (["--data", "nowhere"], "Unknown data set 'nowhere'"),
        (["--set", "training.lr=1e-3,fast"], "training.lr=fast cannot be used"),
        (["--set", "training.patiance=1,2"], "Did you mean 'training.patience'?"),
        (["--set", "training.epochs=1,2"], "--epochs and --set training.epochs give the same setting"),
        (["--set", "seed=1,2"], "--seed and --set seed give the same setting"),
        (["--all-properties", "--set", "properties=[ehull],[band_gap]"], "--properties and --set properties give"),
        (["--set", "data.source=sample,nowhere"], "Unknown data set 'nowhere'"),
    ],
)
@pytest.mark.parametrize("backend", ["job", "argo"])
def test_a_sweep_with_an_invalid_run_is_refused_as_a_whole(options, expected, backend, cli, api):
    code, _, err = cli(*CLUSTER, "--backend", backend, *options)
    assert (code, expected in err) == (2, True), err
    assert (api.all(JOBS), api.all(WORKFLOWS)) == ([], [])


def test_a_dry_run_shows_every_run_and_changes_nothing(cli, api):
    code, out, err = cli(*CLUSTER, "--dry-run")
    assert code == 0, err
    jobs = list(yaml.safe_load_all(out))
    assert [job["metadata"]["labels"]["phase2.dev/run-id"] for job in jobs] == IDS
    for job in jobs:
        kubernetes_validate.validate(job, "1.34", strict=True)
    assert "# try-1: phase2 train --algorithm cgcnn --level smoke" in out
    code, out, err = cli(*CLUSTER, "--dry-run", "--json", "--backend", "argo")
    assert code == 0, err
    shown = json.loads(out)
    assert [run["run"] for run in shown["runs"]] == IDS
    models.Workflow.model_validate(shown["manifests"][0], extra="forbid")
    code, out, err = cli("sweep", *TINY, "--name", "try", "--backend", "local", "--dry-run")
    assert (code, out.count("PHASE2_RUN_ID=try-")) == (0, 2), err
    assert {method for method, _ in api.requests} == {"GET"}


LISTED = ("--set", "training.lr=1e-3,5e-4", "--set", "data.fractions=[0.8,0.1,0.1],[0.7,0.2,0.1]")


def test_every_combination_of_settings_is_a_run(cli, api):
    code, out, err = cli(
        "sweep", "--level", "smoke", *LISTED, "--name", "try", "--image", BY_DIGEST, "--dry-run", "--json"
    )
    assert code == 0, err
    commands = [" ".join(run["command"]) for run in json.loads(out)["runs"]]
    assert [command.partition("--set ")[2] for command in commands] == [
        f"data.fractions={fractions} --set training.lr={lr}"
        for lr in ("0.001", "0.0005") for fractions in ("[0.8,0.1,0.1]", "[0.7,0.2,0.1]")
    ]  # fmt: skip


def test_a_file_is_for_all_runs_and_options_override_it(cli, api, tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text(
        "algorithm: cgcnn\nlevel: max\nseed: 5\ndata: {source: jarvis-dft3d}\ntraining: {lr: 1e-2, patience: 9}"
    )
    words = ("sweep", "--config", file, "--level", "smoke,lite", "--set", "training.lr=1e-3,5e-4", "--image", BY_DIGEST)
    code, out, err = cli(*map(str, words), "--name", "try", "--backend", "argo", "--dry-run")
    assert code == 0, err
    given = parameters_of(yaml.safe_load(out))
    assert given["level"] == "smoke,lite"
    assert (given["algorithm"], given["data"]) == ("cgcnn", "jarvis-dft3d")
    assert given["set"] == "seed=5;training.patience=9;training.lr=0.001,0.0005"
    file.write_text("competition: true")
    code, _, err = cli(*map(str, words), "--dry-run")
    assert (code, "competition profile, which cannot be swept" in err) == (2, True), err


# A Job for each run --------------------------------------------------------------------------------------------------


def test_each_run_is_a_job_and_is_submitted_once(cli, api):
    harness = JobHarness(cli, api)
    code, out, err = cli(*CLUSTER)
    assert (code, out.startswith("sweep: try, 2 runs\n")) == (0, True), err
    assert [one["metadata"]["name"] for one in api.all(JOBS)] == ["phase2-try-0", "phase2-try-1"]
    harness.fail("try-1")
    code, out, err = cli(*CLUSTER, "--json")
    found = {one["run"]: one["outcome"] for one in json.loads(out)["submitted"]}
    assert found == {"try-0": "already submitted", "try-1": "submitted again"}
    code, _, err = cli(*CLUSTER, "--seed", "1,3")
    assert (code, "The run id 'try-1' belongs to another request" in err) == (2, True)


def test_the_same_command_submits_what_failed_before(cli, api):
    with api.refusing(JOBS, after=1, message=QUOTA):
        code, _, err = cli(*CLUSTER)
        assert (code, "1 of 2 are submitted; the same command" in err) == (75, True), err
    assert cli(*CLUSTER)[0] == 0
    assert len(api.all(JOBS)) == 2


QUOTA = (
    'jobs.batch "phase2-try-1" is forbidden: exceeded quota: phase2, requested: count/jobs.batch=1, used: '
    "count/jobs.batch=5, limited: count/jobs.batch=5"
)


def test_watching_jobs_ends_when_all_have_ended_with_the_first_failure(cli, api):
    harness = JobHarness(cli, api)

    def simulate():
        """End the Jobs once both exist."""
        made = (one["metadata"]["name"] for event, one in api.changes(JOBS, 0, 60) if event == "ADDED")
        assert [next(made), next(made)] == ["phase2-try-0", "phase2-try-1"]
        harness.finish("try-0")
        harness.fail("try-1")

    controller = threading.Thread(target=simulate)
    controller.start()
    try:
        code, _, err = cli(*CLUSTER, "--watch")
    finally:
        controller.join()
    assert code == 3, err
    assert "try-0 succeeded: succeeded after 8 min" in err
    assert "try-1 failed: failed with exit code 3: The data are damaged." in err


# One Workflow --------------------------------------------------------------------------------------------------------


def test_a_sweep_is_one_workflow_under_its_name(cli, api):
    install_templates(api)
    code, out, err = cli(*CLUSTER, "--backend", "argo")
    assert (code, "submitted: Workflow try, try" in out) == (0, True), err
    assert "already submitted" in cli(*CLUSTER, "--backend", "argo")[1]
    (made,) = api.all(WORKFLOWS)
    assert made["spec"]["workflowTemplateRef"] == {"name": "phase2-sweep"}
    assert parameters_of(made)["seed"] == "1,2"
    api.patch(WORKFLOWS, "try", {"status": simulated.workflow_running("try")})
    state = json.loads(cli("status", "try", "--json")[1])
    assert (state["run_id"], state["mode"], state["algorithm"], state["state"]) == ("try", "sweep", "cgcnn", "running")
    code, _, err = cli(*CLUSTER, "--backend", "argo", "--seed", "1,3")
    assert (code, "belongs to another request" in err) == (2, True)
    code, out, _ = cli("cancel", "try", "--yes")
    assert (code, "resume it later: phase2 sweep --name try --algorithm cgcnn" in out) == (0, True)
    api.patch(WORKFLOWS, "try", {"status": simulated.workflow_failed("try", 143, "Stopped.")})
    code, _, err = cli("submit", "--resume", "try")
    assert (code, "'try' is a sweep" in err, "phase2 sweep --name try --algorithm cgcnn" in err) == (2, True, True)
    code, out, err = cli(*CLUSTER, "--backend", "argo")
    assert (code, "submitted again: Workflow try" in out) == (0, True), err
    assert api.get(WORKFLOWS, "try").get("status") is None


def test_its_parameters_are_those_of_the_template_and_pass_its_policy():
    request = SweepRequest(
        algorithm="cgcnn", properties=("band_gap", "bulk_modulus"), data="jarvis-dft3d",
        lists={"level": "smoke, lite", "seed": "1,2", "lr": "1e-3, 5e-4", "preset": "small"},
        settings={"data.fractions": ((0.8, 0.1, 0.1), (0.7, 0.2, 0.1)), "training.patience": (None, 5)},
    )  # fmt: skip
    options = ClusterOptions(
        image=BY_DIGEST, gpus=1, queue="gpu", node_selector=("gpu=h100",), store="s3://bucket/runs"
    )
    workflow = build_sweep("try", request, options.request("phase2"), options)
    models.Workflow.model_validate(workflow, extra="forbid")
    parameters = parameters_of(workflow)
    assert parameters.keys() <= parameters_of(TEMPLATES["phase2-sweep"]).keys()
    shapes = shapes_of("phase2-sweep")
    assert [name for name, value in parameters.items() if name in shapes and not matches(shapes[name], value)] == []


def test_its_first_step_expands_to_the_same_runs(cli, tmp_path, monkeypatch):
    """With the ids and requests that the client printed."""
    settings = {"training.warmup": (0.1, 0), "data.fractions": ((0.8, 0.1, 0.1), (0.7, 0.2, 0.1))}
    request = SweepRequest(algorithm="cgcnn", lists={"level": "smoke,lite", "seed": "1,2"}, settings=settings)
    options = ClusterOptions(image="phase2:1")
    for name, value in parameters_of(build_sweep("try", request, options.request("x"), options)).items():
        monkeypatch.setenv(f"PHASE2_{name.upper().replace('-', '_')}", value)
    monkeypatch.setenv("PHASE2_WORKFLOW_NAME", "try")
    code, out, err = cli("workflow", "expand", "--to", str(tmp_path))
    assert code == 0, err
    assert out.splitlines() == [f"{run.run_id}: {' '.join(run.request.command())}" for run in request.runs("try")]
    for item in json.loads((tmp_path / "runs.json").read_text()):
        for name, word in item.items():
            monkeypatch.setenv("PHASE2_RUN_ID" if name == "run-id" else f"PHASE2_{name.upper()}", str(word))
        code, out, err = cli("train", "--dry-run")
        assert code == 0, err
        assert f"training.warmup {'0.1' if 'warmup=0.1' in item['set'] else '0.0'} " in " ".join(out.split())


def test_properties_together_and_alone_are_a_sweep(cli, tmp_path, monkeypatch):
    """So several properties in one run are compared on a cluster with each in a run of its own."""
    core = ("formation_energy", "band_gap")
    words = ["sweep", "--name", "try", "--algorithm", "cgcnn", "--level", "std", "--image", "phase2:1", "--dry-run"]
    varied = ["--set", "properties=[formation_energy,band_gap],[formation_energy],[band_gap]"]
    code, out, err = cli(*words, *varied, "--json")
    assert code == 0, err
    commands = [run["command"] for run in json.loads(out)["runs"]]
    assert [RunRequest.from_command(one).properties for one in commands] == [core, core[:1], core[1:]]
    code, out, err = cli(*words, *varied, "--backend", "argo", "--json")
    assert code == 0, err
    (workflow,) = json.loads(out)["manifests"]
    for name, value in parameters_of(workflow).items():
        monkeypatch.setenv(f"PHASE2_{name.upper().replace('-', '_')}", value)
    monkeypatch.setenv("PHASE2_WORKFLOW_NAME", "try")
    code, out, err = cli("workflow", "expand", "--to", str(tmp_path))
    assert code == 0, err
    assert out.splitlines() == [f"try-{number}: {' '.join(one)}" for number, one in enumerate(commands)]


def test_the_recorded_command_of_a_sweep_makes_the_same_request(cli, api):
    install_templates(api)
    assert cli(*CLUSTER, "--backend", "argo")[0] == 0
    (made,) = api.all(WORKFLOWS)
    command = made["metadata"]["annotations"]["phase2.dev/command"].split()
    code, out, err = cli(*command[1:], "--image", BY_DIGEST, "--backend", "argo")
    assert (code, "already submitted" in out) == (0, True), err


@pytest.mark.parametrize(("first", "second"), [("job", "argo"), ("argo", "job")])
def test_only_one_backend_executes_a_sweep(first, second, cli, api):
    install_templates(api)
    assert cli(*CLUSTER, "--backend", first)[0] == 0
    code, _, err = cli(*CLUSTER, "--backend", second)
    assert (code, "The sweep 'try' is running already" in err) == (2, True), err


# Local ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["sweep"], ["cross-validate", "--folds", "2"], ["submit"]])
def test_local_runs_read_the_files_of_this_machine(command, cli, tmp_path):
    (tmp_path / "split.json").write_text("{}")
    data, split = str(tmp_path / "mine.jsonl"), f"file:{tmp_path / 'split.json'}"
    words = [*command, "--algorithm", "cgcnn", "--level", "smoke", "--backend", "local", "--dry-run", "--data", data]
    words += [] if command[0] == "cross-validate" else ["--split", split]
    code, out, err = cli(*words)
    assert (code, f"--data {data}" in out) == (0, True), err
    code, _, err = cli(*words[:-2], "--data", data, "--backend", "job", "--image", BY_DIGEST)
    assert (code, "is not visible to a pod" in err) == (2, True), err


@pytest.mark.slow
def test_local_runs_are_trained_one_after_another_and_compared(cli, graphs, monkeypatch, tmp_path):
    monkeypatch.setenv("PHASE2_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("PHASE2_CACHE_DIR", graphs)
    arguments = ("sweep", *TINY, "--name", "try", "--backend", "local")
    code, out, err = cli(*arguments)
    assert code == 0, err
    assert out.startswith("sweep: try, 2 runs, one after another\n")
    assert out.splitlines()[-1] in {"best: try-0", "best: try-1"}
    assert [run for run in IDS if f"| {run} |" in out] == IDS
    code, out, err = cli(*arguments, "--json")
    assert (code, [one["exit_code"] for one in json.loads(out)["runs"]]) == (0, [0, 0]), err
    assert '"epoch"' not in err, "nothing is trained twice"
    assert cli("pull", "try-1", "--to", str(tmp_path / "here"))[0] == 0
    code, _, err = cli(*arguments, "--seed", "1,3")
    assert (code, "The run id 'try-1' belongs to another request" in err) == (2, True)
