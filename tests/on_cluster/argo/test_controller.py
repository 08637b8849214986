"""Workflows on a real Argo: each step runs, lost pods are retried, and every run ends complete.

Workflows of different tests run side by side: most of the time of each is waiting for its next pod.
"""

import copy
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from tests.argo.manifests import ARGO, ROOT, TEMPLATES, documents
from tests.on_cluster.lab.services.store import BUCKET
from tests.on_cluster.lab.waiting import wait_until
from tests.on_cluster.support import faults
from tests.on_cluster.support.runs import SMALL, epochs_of
from tests.on_cluster.support.workflows import LONGER, TINY, published

from phase2.cluster.manifests.workflow import CONTAINER
from phase2.runs.catalog.lookup import find_in
from phase2.testing.same_result import assert_same_result

pytestmark = [pytest.mark.cluster, pytest.mark.argo, pytest.mark.timeout(900)]

AS_ADMINISTRATOR = ("--as=max", "--as-group=system:masters", "--as-group=phase2-administrators")
LOST: dict[str, Callable[[Any, str], None]] = {
    "deleted": faults.delete,
    "out-of-memory": partial(faults.run_out_of_memory, container=CONTAINER),
    "killed": partial(faults.kill, container=CONTAINER),
}


@pytest.fixture(scope="module")
def whole_bucket(in_bucket):
    return in_bucket("")


@pytest.fixture(scope="module")
def tiny(workflows):
    """Run without a fault."""
    return workflows.submit("phase2.yaml", **TINY)


@pytest.fixture(scope="module")
def refused(workflows):
    """Request that only the store can refuse."""
    return workflows.submit("phase2.yaml", **TINY, resume="no-such-run")


@pytest.fixture(scope="module")
def sweep(workflows):
    """Sweep with two invalid runs: they have fewer crystals than a split needs."""
    asked = {"algorithm": "cgcnn", "level": "smoke", "epochs": "1", "max_samples": "60,2", "seed": "1,2"}
    return workflows.submit("phase2-sweep.yaml", **asked)


@pytest.fixture(scope="module")
def folds(workflows):
    """Cross-validation: a sweep over five folds."""
    split = ",".join(f"kfold:5/{fold}:composition" for fold in range(1, 6))
    asked = {"algorithm": "cgcnn", "level": "smoke", "epochs": "1", "max_samples": "60", "split": split}
    return workflows.submit("phase2-sweep.yaml", **asked)


@pytest.fixture(scope="module")
def ensemble(workflows, structures):
    asked = {"algorithm": "cgcnn", "level": "smoke", "epochs": "1", "max_samples": "60", "seed": "1,2"}
    return workflows.submit("phase2-ensemble.yaml", **asked, structures=structures, parts="1")


@pytest.fixture(scope="module")
def study(workflows):
    asked = TINY | {"over": "training.lr=1e-4..1e-2:log; training.batch_size=8,16", "trials": "3", "workers": "2"}
    return workflows.submit("phase2-tune.yaml", **asked)


@pytest.fixture(scope="module")
def reference_workflow(workflows):
    """Run that is long enough for a fault."""
    return workflows.submit("phase2.yaml", **LONGER)


@pytest.fixture(scope="module", autouse=True)
def begun(request):
    """Start everything that the selected tests wait for."""
    chosen = [item for item in request.session.items if item.path == request.path]
    asked = {name for item in chosen for name in item.fixturenames}
    for name in ("tiny", "refused", "sweep", "folds", "reference_workflow", "lost_pod_runs", "ensemble", "study"):
        if name in asked:
            request.getfixturevalue(name)


def test_a_run_executes_its_steps_and_returns_its_results(workflows, tiny, kept, whole_bucket, image):
    workflows.succeed(tiny)
    steps = {node.step: node.phase for node in workflows.nodes(tiny)}  # the last attempt of each
    assert steps == dict.fromkeys(("validate", "prepare", "train", "report", "register", "finish"), "Succeeded")
    outputs = workflows.outputs(tiny)
    assert outputs["run-id"] == tiny
    assert "band_gap" in outputs["mae"]
    assert "| band_gap | eV | " in workflows.argo("get", tiny)
    assert whole_bucket.read(f"workflows/{tiny}/report.md").decode().count("band_gap")
    assert json.loads(kept.read(f".workflows/{tiny}.json"))["status"] == "Succeeded"
    manifest = published(kept, tiny).manifest
    assert (manifest.algorithm, manifest.mode, manifest.config.training.epochs) == ("cgcnn", "smoke", 2)
    assert (manifest.place.workflow, manifest.code.image_digest) == (tiny, image.partition("@")[2])


@pytest.mark.slow
def test_a_run_that_is_finished_is_not_trained_again(workflows, tiny, kept):
    workflows.succeed(tiny)
    before = find_in(kept, tiny)
    again = workflows.submit("phase2.yaml", **TINY, run_name=tiny)
    workflows.succeed(again)
    assert workflows.outputs(again)["run-id"] == tiny
    assert find_in(kept, tiny) == before


@pytest.mark.slow
def test_a_run_starts_from_the_weights_of_another(workflows, tiny, kept, place):
    workflows.succeed(tiny)
    source = f"s3://{BUCKET}/{place}/{find_in(kept, tiny).prefix}"
    name = workflows.submit("phase2.yaml", **TINY, **{"from": source, "freeze": "backbone"})
    workflows.succeed(name)
    manifest = published(kept, name).manifest
    assert (manifest.lineage.source.run_id, manifest.lineage.source.address) == (tiny, source)
    assert manifest.config.fine_tuning.freeze == "backbone"


def test_phase2_reports_its_state(workflows, runs, place, tiny):
    workflows.succeed(tiny)
    state = runs.state(tiny)
    assert (state["state"], state["run_id"], state["kind"]) == ("succeeded", tiny, "Workflow")
    result = runs.phase2(
        "pull", tiny, "--store", f"s3://{BUCKET}/{place}", "--only", "results.json", "--to", "/dev/null"
    )
    assert result.code == 2  # a file is no folder: the run itself was found
    listed = json.loads(runs.phase2("status", "--json").out)
    assert tiny in {one["run_id"] for one in listed}


# What is lost --------------------------------------------------------------------------------------------------------


def training(workflows, name, epochs=3):
    """Wait until the step that trains has trained some epochs; returns the name of its pod."""

    def trains():
        pods = workflows.pods(name, "train")
        log = workflows.cluster.log(pods[-1], CONTAINER) if pods else ""
        return pods[-1].metadata.name if epochs_of(log) >= epochs else None

    return wait_until(trains, f"{name} to train", 300, lambda: workflows.describe(name))


@pytest.fixture(scope="module")
def lost_pod_runs(workflows, reference_workflow, kept):
    """Runs with a fault, trained concurrently."""

    def is_saved(name):
        return any(name in one.key and one.key.endswith("/latest.json") for one in kept.list())

    def inject(name):
        made = workflows.submit("phase2.yaml", **LONGER, retry_memory="3Gi")
        pod = training(workflows, made)
        # What is killed at once cannot save: what it goes on from must have been kept before.
        wait_until(lambda: is_saved(made), f"a checkpoint of {made} in the bucket", 120)
        LOST[name](workflows.cluster, pod)
        further = wait_until(lambda: workflows.pods(made, "train(1)"), f"{made} to be tried again", 120)
        workflows.succeed(made)
        return made, further[0].spec

    with ThreadPoolExecutor(len(LOST)) as pool:
        yield {name: pool.submit(inject, name) for name in LOST}


@pytest.mark.slow
@pytest.mark.parametrize("name", LOST)
def test_a_lost_pod_is_retried_and_resumes(workflows, kept, reference_workflow, lost_pod_runs, name, tmp_path):
    run_id, _ = lost_pod_runs[name].result()
    workflows.succeed(reference_workflow)
    first, *_, last = workflows.nodes(run_id, "train")
    assert (first.has_failed, last.phase) == (True, "Succeeded")
    run = published(kept, run_id)
    assert any(each.resumed_from for each in run.manifest.attempts)
    assert_same_result(run.pull(tmp_path / "one"), published(kept, reference_workflow).pull(tmp_path / "whole"))


@pytest.mark.slow
def test_a_further_attempt_gets_more_memory(workflows, lost_pod_runs):
    run_id, further = lost_pod_runs["out-of-memory"].result()
    (main,) = (one for one in further.containers if one.name == CONTAINER)
    assert "OOMKilled" in workflows.nodes(run_id, "train")[0].message
    assert (main.resources.requests["memory"], main.resources.limits["memory"]) == ("3Gi", "3Gi")


# What is wrong, waits, or is stopped ---------------------------------------------------------------------------------


def test_a_misspelt_value_is_refused_before_anything_is_created(workflows):
    before = len(workflows.all())
    output = workflows.argo("submit", str(ARGO / "phase2.yaml"), "-p", "level=hgue", check=False)
    assert "level=hgue: choose one of smoke, lite, std, pro, max" in output
    assert len(workflows.all()) == before


def test_a_request_that_no_policy_can_check_is_refused_by_the_first_step(workflows, runs, kept, refused):
    assert workflows.wait(refused) == "Failed"
    validate, *_ = workflows.nodes(refused)
    assert (validate.step, validate.code) == ("validate", 2)
    assert "no-such-run" in validate.message
    failures = json.loads(kept.read(f".workflows/{refused}.json"))["failures"]
    assert any("no-such-run" in failure["message"] for failure in failures)
    state = runs.state(refused)
    assert (state["state"], state["exit_code"]) == ("failed", 2)
    assert "no-such-run" in state["sentence"]


@pytest.mark.slow
def test_the_controller_runs_the_steps_of_the_template_and_not_their_copies(workflows, argo):
    """What ``argo submit`` copies into the status of a new Workflow, which somebody exempt may forge, is not run."""
    asked = {"algorithm": "cgcnn", "level": "smoke", "resume": "no-such-run"}
    parameters = [{"name": key, "value": word} for key, word in asked.items()]
    (step,) = (one for one in TEMPLATES["phase2-train"]["spec"]["templates"] if one["name"] == "validate")
    forged = step | {"container": {"args": ["--version"]}}
    workflow = documents(ARGO / "phase2.yaml")[0] | {
        "spec": {"workflowTemplateRef": {"name": "phase2-train"}, "arguments": {"parameters": parameters}},
        "status": {"storedTemplates": {"namespaced/phase2-train/validate": forged}},
        "metadata": {"name": "forged", "namespace": workflows.cluster.namespace},
    }
    workflows.cluster.kubectl("create", "--filename=-", *AS_ADMINISTRATOR, stdin=json.dumps(workflow))
    assert workflows.wait("forged") == "Failed"
    validate, *_ = workflows.nodes("forged")
    assert (validate.step, validate.code) == ("validate", 2)
    assert "no-such-run" in validate.message


MISSING = "no-such-secret"


@pytest.fixture
def changed(workflows, runs, tmp_path):
    """Submit a run to a copy of its template, in which the containers are changed, as only administrators may."""
    made = []

    def submit(name, change):
        run_id = runs.id(name)
        asked = ["--algorithm", "cgcnn", "--level", "smoke", "--max-samples", "60", "--epochs", "2", *SMALL]
        done = runs.phase2("submit", *asked, "--backend", "argo", "--run-id", run_id, "--dry-run", "--json")
        assert done.code == 0, done.errors
        workflow, template = json.loads(done.out)["manifest"], copy.deepcopy(TEMPLATES["phase2-train"])
        template["metadata"]["name"] = workflow["spec"]["workflowTemplateRef"]["name"] = name
        for one in template["spec"]["templates"]:
            if "container" in one:
                change(one["container"])
        file = tmp_path / "changed.json"
        for document in (template, workflow):
            file.write_text(json.dumps(document))
            workflows.cluster.kubectl("create", "--filename", str(file), *AS_ADMINISTRATOR)
        made.append(name)
        return run_id

    yield submit
    workflows.cluster.kubectl("delete", "workflowtemplates", *made, "--namespace", workflows.cluster.namespace)


@pytest.mark.slow
def test_a_missing_secret_has_the_same_sentence_under_both_backends(workflows, runs, changed):
    secret = {"envFrom": [{"secretRef": {"name": MISSING}}]}
    by_argo = changed("no-secret-argo", lambda container: container.update(secret))
    as_job = runs.id("no-secret-job")
    done = runs.submit(as_job, "--dry-run", "--json")
    assert done.code == 0, done.errors
    job = json.loads(done.out)["manifest"]
    job["spec"]["template"]["spec"]["containers"][0] |= secret
    workflows.cluster.batch.create_namespaced_job(workflows.cluster.namespace, job)
    sentences = {runs.wait_for_state(run_id, "blocked")["sentence"] for run_id in (by_argo, as_job)}
    namespace = workflows.cluster.namespace
    assert sentences == {
        f"cannot start: the Secret '{MISSING}' is missing in the namespace {namespace}; create it: kubectl "
        f"-n {namespace} create secret generic {MISSING} --from-env-file=/dev/stdin"
    }
    for run_id in (by_argo, as_job):
        assert runs.phase2("cancel", run_id, "--yes").code == 0


@pytest.mark.slow
def test_an_unreachable_bucket_is_named_while_argo_waits_for_the_next_attempt(runs, changed):
    unreachable = {"name": "AWS_ENDPOINT_URL_S3", "value": "http://127.0.0.1:1"}
    run_id = changed("no-bucket-argo", lambda container: container.setdefault("env", []).append(unreachable))
    sentence = runs.wait_for_state(run_id, "retrying")["sentence"]
    assert "failed with exit code 75" in sentence
    assert "127.0.0.1:1" in sentence
    assert runs.phase2("cancel", run_id, "--yes").code == 0


def test_a_workflow_of_the_ui_is_listed_and_cancelled(workflows, runs):
    name = workflows.submit_from("phase2-train", **LONGER)
    wait_until(lambda: workflows.phase(name), f"{name} to be seen by the controller", 60)
    labels = workflows.get(name)["metadata"]["labels"]
    assert (labels["phase2.dev/run-id"], labels["phase2.dev/algorithm"], labels["phase2.dev/mode"]) == (
        name,
        "cgcnn",
        "smoke",
    )
    (row,) = [one for one in json.loads(runs.phase2("status", "--json").out) if one["name"] == name]
    assert (row["run_id"], row["kind"], row["mode"]) == (name, "Workflow", "smoke")
    assert runs.phase2("cancel", name, "--yes").code == 0


@pytest.mark.slow
def test_a_run_is_submitted_watched_cancelled_and_resumed_by_phase2(workflows, runs, kept, place):
    run_id = runs.id("by-phase2")
    words = ["--algorithm", "cgcnn", "--level", "smoke", "--max-samples", "200", "--batch-size", "8", "--epochs", "60"]
    asked = ["--backend", "argo", "--store", f"s3://{BUCKET}/{place}", "--cpu", "250m", "--memory", "2Gi"]
    result = runs.phase2("submit", *words, *asked, "--run-id", run_id)
    assert result.code == 0, result.errors
    name = f"phase2-{run_id}"
    training(workflows, name)
    assert runs.state(run_id)["step"] == "train"
    assert epochs_of(runs.phase2("logs", run_id).out) >= 1
    assert runs.phase2("cancel", run_id, "--yes").code == 0
    assert runs.phase2("submit", "--resume", run_id).code == 75
    assert workflows.wait(name) == "Failed"
    assert runs.state(run_id)["state"] == "cancelled"
    resumed = runs.phase2("submit", "--resume", run_id, "--watch")
    assert resumed.code == 0, resumed.errors
    assert [each.outcome for each in published(kept, run_id).manifest.attempts] == ["interrupted", "finished"]


# Several runs, predictions, and what goes by the clock ---------------------------------------------------------------


def test_a_sweep_compares_what_finished(workflows, kept, sweep):
    workflows.succeed(sweep)
    last = {node.step: node.phase for node in workflows.nodes(sweep, "train")}
    assert sorted(last.values()) == ["Failed", "Failed", "Succeeded", "Succeeded"], workflows.describe(sweep)
    outputs = workflows.outputs(sweep)
    assert published(kept, outputs["best-run"]).manifest.status == "finished"
    assert outputs["best-run"] in outputs["comparison"]


@pytest.mark.slow
def test_five_folds_are_trained_and_gathered(workflows, kept, folds, runs, place, tmp_path):
    workflows.succeed(folds)
    ids = [f"{folds}-{number}" for number in range(5)]
    data = [published(kept, run_id).manifest.data for run_id in ids]
    assert [one.split.name for one in data] == [f"kfold:5/{fold}:composition" for fold in range(1, 6)]
    assert len({one.split_fingerprint for one in data}) == 5
    gathered = runs.phase2("runs", "folds", *ids, "--store", f"s3://{BUCKET}/{place}", "--to", str(tmp_path), "--json")
    assert gathered.code == 0, gathered.errors
    table = json.loads((tmp_path / f"{folds}.json").read_text(encoding="utf-8"))
    assert [run["run_id"] for run in table["runs"]] == ids
    assert all(len(row["folds"]) == 5 for row in table["properties"])


@pytest.fixture(scope="module")
def structures(whole_bucket, place):
    for path in (ROOT / "docs" / "examples").glob("*.cif"):
        whole_bucket.put(f"{place}-structures/{path.name}", path)
    return f"s3://{BUCKET}/{place}-structures"


def rows(whole_bucket, name):
    """Return the lines of a workflow's predictions, without the headings."""
    tables = [one.key for one in whole_bucket.list(f"predictions/{name}/")]
    return [line for key in tables for line in whole_bucket.read(key).decode().splitlines()[1:]]


@pytest.mark.slow
def test_predictions_are_fanned_out(workflows, tiny, structures, whole_bucket):
    workflows.succeed(tiny)
    name = workflows.submit("phase2-predict.yaml", run=tiny, structures=structures, parts="2")
    workflows.succeed(name)
    assert len(workflows.nodes(name, "predict")) >= 2
    assert len(rows(whole_bucket, name)) == len(list((ROOT / "docs" / "examples").glob("*.cif")))


@pytest.mark.slow
def test_an_ensemble_is_trained_and_predicts_with_its_spread(workflows, ensemble, whole_bucket):
    workflows.succeed(ensemble)
    (table,) = (one.key for one in whole_bucket.list(f"predictions/{ensemble}/"))
    assert "std of " in whole_bucket.read(table).decode().splitlines()[0]


@pytest.mark.slow
def test_the_workers_of_a_study_share_its_trials(workflows, runs, kept, place, study):
    workflows.succeed(study)
    assert [node.phase for node in workflows.nodes(study, "work")].count("Succeeded") == 2
    done = runs.phase2("tune", "show", study, "--store", f"s3://{BUCKET}/{place}", "--json")
    assert done.code == 0, done.errors
    facts = json.loads(done.out)
    assert [trial["state"] for trial in facts["trials"]] == ["complete"] * 3
    scores = [published(kept, trial["run"]).manifest.score for trial in facts["trials"]]
    assert facts["best"]["score"] == min(score for score in scores if score is not None)
    assert f"trial {facts['best']['trial']}, run {facts['best']['run']}" in workflows.outputs(study)["best"]


@pytest.mark.slow
def test_the_nightly_run_starts_by_the_clock_with_what_the_installation_says(workflows):
    words = ["cronworkflow", "phase2-nightly", "--namespace", workflows.cluster.namespace]

    def set_to(**spec):
        workflows.cluster.kubectl("patch", *words, "--type=merge", "-p", json.dumps({"spec": spec}))

    def begun():
        return [one for one in workflows.all() if one["metadata"]["name"].startswith("phase2-nightly-")]

    set_to(schedules=["* * * * *"])
    try:
        made = wait_until(begun, "the clock", 150)
    finally:
        set_to(suspend=True)
    assert made[0]["spec"]["workflowTemplateRef"]["name"] == "phase2-train"
    assert {one["name"] for one in made[0]["spec"]["arguments"]["parameters"]} == {"algorithm", "level"}
    workflows.succeed(made[0]["metadata"]["name"])


@pytest.mark.slow
def test_old_runs_are_cleaned_up(workflows, tiny, kept):
    workflows.succeed(tiny)
    asked = {"keep_best": "1", "older_than": "1h"}
    workflows.succeed(workflows.submit_from("phase2-prune", *AS_ADMINISTRATOR, **asked))
    assert find_in(kept, tiny).run_id == tiny


@pytest.mark.slow
def test_the_page_of_all_runs_is_published(workflows, tiny, kept, in_bucket, place):
    workflows.succeed(tiny)
    workflows.succeed(workflows.submit_from("phase2-page", *AS_ADMINISTRATOR))
    page = in_bucket(f"{place}/page")
    assert b"Runs in" in page.read("index.html")
    (data,) = [info.key for info in page.list("data/")]
    assert tiny.encode() in page.read(data)
    assert find_in(kept, tiny).run_id == tiny


@pytest.mark.slow
def test_an_exit_handler_that_cannot_start_does_not_hold_a_workflow(workflows, image):
    """A copy of the handler that no node takes, with a shorter time than that of the templates."""
    template = copy.deepcopy(TEMPLATES["phase2-prune"])
    in_namespace = ("--namespace", workflows.cluster.namespace)
    template["metadata"] = {"name": "held", "namespace": workflows.cluster.namespace}
    (handler,) = (one for one in template["spec"]["templates"] if one["name"] == template["spec"]["onExit"])
    handler |= {"nodeSelector": {"pool": "nowhere"}, "timeout": "20s"}
    (main,) = (one for one in template["spec"]["templates"] if one["name"] == "main")
    main["container"]["args"] = ["--version"]
    workflows.cluster.kubectl("create", "-f", "-", stdin=json.dumps(template))
    try:
        words = ["--from=workflowtemplate/held", "-p", f"image={image}", "--output=name"]
        name = workflows.argo("submit", *words, *AS_ADMINISTRATOR).strip()
        wait_until(lambda: workflows.nodes(name, "finish"), f"the exit handler of {name}", 200)
        time.sleep(21)
        # Argo looks at a workflow every 20 minutes by itself, and whenever it changes.
        workflows.cluster.kubectl("annotate", "workflow", name, "looked-at=now", *in_namespace)
        workflows.wait(name, 60)
        (held,) = [node for node in workflows.nodes(name) if node.step == "finish"]
        assert held.has_failed
    finally:
        workflows.cluster.kubectl("delete", "workflowtemplate", "held", *in_namespace)


@pytest.mark.slow
def test_a_run_beyond_the_quota_waits_and_says_so(workflows, runs):
    """Runs last: nothing else fits into the quota meanwhile."""
    quota = {
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small"},
        "spec": {"hard": {"requests.memory": "1900Mi"}},
    }  # fmt: skip
    in_namespace = ("--namespace", workflows.cluster.namespace)
    workflows.cluster.kubectl("create", *in_namespace, "-f", "-", stdin=json.dumps(quota))
    try:
        name = workflows.submit("phase2.yaml", **TINY)
        wait_until(
            lambda: "quota" in runs.state(name)["sentence"], f"{name} to wait", 240, lambda: str(runs.state(name))
        )
    finally:
        workflows.cluster.kubectl("delete", "resourcequota", "small", *in_namespace)
    workflows.succeed(name)
