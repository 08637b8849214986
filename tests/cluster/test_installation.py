"""``phase2 submit`` and ``phase2 sweep`` give runs what the installation says, unless they ask for something else."""

import json

import pytest
import yaml
from tests.cluster.support.image_names import BY_DIGEST
from tests.cluster.support.stored_api import CONFIG_MAPS, JOBS, WORKFLOWS, install_templates

DEFAULTS = """
all:
  all: {cpu: "1", memory: 2Gi}
  smoke: {gpus: 1, gpuResource: nvidia.com/mig-1g.10gb, queue: gpus, affinity: {nodeAffinity: {}}}
"""
SEARCH = ("--over", "training.lr=1e-4..1e-2:log", "--trials", "2", "--workers", "2", "--name", "search")
TUNE = ("tune", "submit", "--algorithm", "cgcnn", "--level", "smoke", *SEARCH, "--store", "s3://phase2/runs")
SWEEP = ("sweep", "--algorithm", "cgcnn", "--level", "smoke,lite", "--name", "try")
SUBMIT = ("submit", "--algorithm", "cgcnn", "--level", "smoke", "--run-id", "abc")


@pytest.fixture
def installed(api):
    def install(**data):
        metadata = {"name": "phase2-runs", "namespace": "materials"}
        api.put(CONFIG_MAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})

    install(image=BY_DIGEST, cache="phase2-data-cache", defaults=DEFAULTS, **{"store-secret": "team-keys"})
    return install


def test_a_run_that_asks_for_nothing_gets_what_the_installation_says(installed, cli, api):
    assert cli(*SUBMIT)[0] == 0
    (job,) = api.all(JOBS)
    spec = job["spec"]["template"]["spec"]
    (train,) = spec["containers"]
    assert train["image"] == BY_DIGEST
    assert train["resources"]["requests"] == {"cpu": "1", "memory": "2Gi", "nvidia.com/mig-1g.10gb": "1"}
    assert train["envFrom"][1] == {"secretRef": {"name": "team-keys"}}
    assert spec["affinity"] == {"nodeAffinity": {}}
    assert {"name": "cache", "persistentVolumeClaim": {"claimName": "phase2-data-cache"}} in spec["volumes"]
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "gpus"


def test_what_is_asked_for_comes_first(installed, cli, api):
    assert (
        cli(*SUBMIT, "--gpus", "0", "--cpu", "2", "--queue", "mine", "--cache", "none", "--image", "phase2:9")[0] == 0
    )
    (job,) = api.all(JOBS)
    (train,) = job["spec"]["template"]["spec"]["containers"]
    assert train["image"] == "phase2:9"
    assert train["resources"]["requests"] == {"cpu": "2", "memory": "2Gi"}
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "mine"
    assert "phase2-data-cache" not in json.dumps(job["spec"])


def test_a_workflow_gives_what_a_person_chose_and_no_more(installed, cli, api):
    install_templates(api)
    assert cli(*SUBMIT, "--backend", "argo", "--memory", "4Gi")[0] == 0
    (workflow,) = api.all(WORKFLOWS)
    given = {one["name"] for one in workflow["spec"]["arguments"]["parameters"]}
    assert given == {"algorithm", "level", "run-name", "memory"}


COMMON = {"labels": '{"example.com/team": "crystals"}', "annotations": "example.com/contact: crystals@example.com"}


@pytest.mark.parametrize("command", [SUBMIT, TUNE, SWEEP], ids=["run", "study", "sweep"])
def test_every_job_and_its_pod_have_the_labels_and_annotations_of_the_installation(command, installed, cli, api):
    assert cli(*command)[0] == 0
    without = {job["metadata"]["name"]: job for job in api.all(JOBS)}
    for name in without:
        api.remove(JOBS, name)
    installed(image=BY_DIGEST, cache="phase2-data-cache", defaults=DEFAULTS, **{"store-secret": "team-keys"}, **COMMON)
    assert cli(*command)[0] == 0
    assert api.all(JOBS)
    for job in api.all(JOBS):
        plain = without[job["metadata"]["name"]]
        for found, before in ((job, plain), (job["spec"]["template"], plain["spec"]["template"])):
            assert found["metadata"]["labels"] == before["metadata"]["labels"] | {"example.com/team": "crystals"}
            assert found["metadata"]["annotations"] == before["metadata"]["annotations"] | {
                "example.com/contact": "crystals@example.com"
            }


def test_a_workflow_has_the_labels_of_the_installation(installed, cli, api):
    install_templates(api)
    installed(image=BY_DIGEST, **COMMON)
    assert cli(*SUBMIT, "--backend", "argo")[0] == 0
    (workflow,) = api.all(WORKFLOWS)
    assert workflow["metadata"]["labels"]["example.com/team"] == "crystals"
    assert workflow["metadata"]["annotations"]["example.com/contact"] == "crystals@example.com"


@pytest.mark.parametrize("text", ["[a]", "a: 1", "{a: b", "7"])
def test_labels_that_are_no_mapping_of_texts_are_refused_before_anything_is_created(text, installed, cli, api):
    installed(image=BY_DIGEST, labels=text)
    code, _, err = cli(*SUBMIT)
    assert (code, "commonLabels of the chart" in err) == (2, True), err
    assert api.all(JOBS) == []


def test_the_runtime_class_of_a_level_is_that_of_its_pod(installed, cli, api):
    installed(image=BY_DIGEST, defaults="all: {smoke: {runtimeClass: nvidia}}")
    assert cli(*SUBMIT)[0] == 0
    (job,) = api.all(JOBS)
    assert job["spec"]["template"]["spec"]["runtimeClassName"] == "nvidia"


def test_a_trainjob_leaves_to_its_runtime_what_only_that_can_say(installed, cli, api):
    defaults = "all: {all: {priority: phase2-training, runtimeClass: nvidia, cpu: '1', memory: 2Gi}}"
    installed(image=BY_DIGEST, defaults=defaults, **{"store-secret": "team-keys"})
    code, out, err = cli(*SUBMIT, "--backend", "trainjob", "--dry-run")
    assert (code, "phase2-training" in out) == (0, False), err
    assert yaml.safe_load(out)["spec"]["trainer"]["resourcesPerNode"]["requests"] == {"cpu": "1", "memory": "2Gi"}
    code, _, err = cli(*SUBMIT, "--backend", "trainjob", "--dry-run", "--priority", "phase2-training")
    assert (code, "priority cannot be set with --backend trainjob" in err) == (2, True), err


def test_each_run_of_a_sweep_gets_what_its_level_gets(installed, cli, api):
    assert cli("sweep", "--algorithm", "cgcnn", "--level", "smoke,lite", "--name", "try")[0] == 0
    limits = [job["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"] for job in api.all(JOBS)]
    assert ["nvidia.com/mig-1g.10gb" in one for one in limits] == [True, False]


def test_without_the_right_to_read_it_the_user_is_told(installed, cli, api):
    api.hidden.add("configmaps")
    code, _, err = cli(*SUBMIT)
    assert code == 2
    assert "the defaults of the installation are not known" in err
    assert "No image is named" in err
    assert cli(*SUBMIT, "--image", BY_DIGEST)[0] == 0


def test_a_damaged_table_is_refused_before_anything_is_created(installed, cli, api):
    installed(image=BY_DIGEST, defaults="all: {all: {gpu: 1}}")
    code, _, err = cli(*SUBMIT)
    assert (code, "Did you mean 'gpus'?" in err) == (2, True), err
    assert api.all(JOBS) == []


def test_a_dry_run_shows_it_and_needs_no_cluster(installed, cli, monkeypatch, tmp_path):
    code, out, err = cli(*SUBMIT, "--dry-run")
    assert (code, yaml.safe_load(out)["spec"]["template"]["spec"]["containers"][0]["image"]) == (0, BY_DIGEST), err
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    code, out, err = cli(*SUBMIT, "--dry-run", "--image", "phase2:1")
    assert (code, "are not known: No cluster is configured" in err) == (0, True), err


# What it costs -------------------------------------------------------------------------------------------------------

PRICES = "{currency: EUR, gpuHour: {nvidia.com/mig-1g.10gb: 0.5}, coreHour: 0.1}"


def test_a_submission_says_what_it_costs(installed, cli):
    installed(image=BY_DIGEST, defaults=DEFAULTS, prices=PRICES)
    asked = (*SUBMIT, "--deadline", "2h")
    code, out, err = cli(*asked, "--dry-run")
    assert code == 0, err
    line = "at most 2 hours of nvidia.com/mig-1g.10gb, 1.00 EUR, an upper bound by the deadline"
    assert f"# cost        {line}" in out
    assert "1 nvidia.com/mig-1g.10gb\n" in out
    shown = json.loads(cli(*asked, "--dry-run", "--json")[1])
    assert shown["cost"]["gpu_hours"] == {"nvidia.com/mig-1g.10gb": 2.0}
    assert (shown["cost"]["money"], shown["cost"]["is_upper_bound"]) == (1.0, True)
    code, out, err = cli(*asked, "--json")
    assert (code, f"note: cost: {line}" in err) == (0, True), err
    assert json.loads(out)["cost"] == shown["cost"]


@pytest.mark.parametrize("backend", ["job", "argo"])
def test_a_sweep_says_what_its_runs_cost_together(backend, installed, cli, api):
    install_templates(api)
    installed(image=BY_DIGEST, defaults=DEFAULTS, prices=PRICES)
    sweep = (
        "sweep",
        "--algorithm",
        "cgcnn",
        "--level",
        "smoke,lite",
        "--seed",
        "1,2",
        "--name",
        "try",
        "--deadline",
        "2h",
    )
    code, out, err = cli(*sweep, "--backend", backend, "--dry-run")
    assert code == 0, err
    line = next(one for one in out.splitlines() if one.startswith("# cost"))
    assert "at most 4 hours of nvidia.com/mig-1g.10gb and " in line
    assert "the time of 2 of 4 runs is not known" in line
    shown = json.loads(cli(*sweep, "--backend", backend, "--dry-run", "--json")[1])
    cost = shown["cost"]
    assert cost["money"] == pytest.approx(4 * 0.5 + 0.1 * cost["core_hours"])
    assert cost["core_hours"] == pytest.approx(sum(run["estimated_seconds"] or 0 for run in shown["runs"]) / 3600)
    sent = json.loads(cli(*sweep, "--backend", backend, "--json")[1])
    assert sent["cost"] == cost


def test_a_damaged_price_is_refused_before_anything_is_created(installed, cli, api):
    installed(image=BY_DIGEST, prices="{currency: EUR, gpuHour: {nvidia.com/gpu: -1}}")
    code, _, err = cli(*SUBMIT)
    assert (code, "'-1' is not a price" in err, "'prices' in the ConfigMap phase2-runs" in err) == (2, True, True), err
    assert api.all(JOBS) == []
