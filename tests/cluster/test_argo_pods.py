"""The pods of Argo's templates, run on a real cluster one after the other: as Argo would make them, without its own
containers and without Argo."""

import json
import os

import pytest
from tests.argo.manifests import ROOT, TEMPLATES
from tests.argo.rendering import EXECUTOR_IMAGE, WORKFLOW, render_pod

from phase2.runs.published import PublishedRun
from phase2.runs.registry import find_in
from phase2.storage.s3 import S3Store
from phase2.storage.s3_settings import S3Settings

from .store import BUCKET

pytestmark = pytest.mark.cluster

SMALL = {"cpu": "250m", "memory": "2Gi"}
TINY = {"algorithm": "cgcnn", "level": "smoke", "max-samples": "80", "epochs": "2"}


@pytest.fixture(scope="module")
def place():
    """A place of its own in the bucket."""
    return f"argo-{os.getpid()}"


@pytest.fixture
def whole_bucket(store_keys):
    return S3Store(BUCKET, "", S3Settings.from_environment())


@pytest.fixture
def kept_runs(place, whole_bucket):
    return S3Store(BUCKET, place, S3Settings.from_environment())


@pytest.fixture
def step(pods, image, place):
    """Run the pod of one step to its end."""

    def run(template, name, parameters, inputs=None, changes=None):
        known = {one["name"] for one in TEMPLATES[template]["spec"]["arguments"]["parameters"]}
        given = {**SMALL, "image": image, "store": f"s3://{BUCKET}/{place}", **parameters}
        pod = render_pod(TEMPLATES[template], name, {k: v for k, v in given.items() if k in known}, inputs)
        spec = pod["spec"]
        spec["initContainers"] = []
        spec["containers"] = [one for one in spec["containers"] if one["image"] != EXECUTOR_IMAGE]
        (main,) = spec["containers"]
        for variable in main["env"]:
            variable.update((changes or {}).get(variable["name"], {}))
        main["resources"]["limits"].pop("nvidia.com/gpu", None)
        main["resources"]["requests"]["cpu"] = "250m"
        pod["metadata"]["name"] = f"{template}-{name}-{os.getpid()}"
        return pods.run(pod, seconds=240)

    return run


def test_a_run_from_its_request_to_the_store(step, kept_runs):
    """validate, prepare, train, report, register: the same words as `argo submit argo/phase2.yaml -p ...`."""
    ended = step("phase2-train", "validate", {"level": "huge"})
    assert ended.code == 2
    assert "Unknown level 'huge'" in ended.said

    for name in ("validate", "prepare", "train", "report"):
        ended = step("phase2-train", name, TINY)
        assert ended.code == 0, ended.said
    assert "band_gap" in ended.said, "the report is the table of errors"

    manifest = PublishedRun.open(kept_runs, find_in(kept_runs, WORKFLOW).prefix).manifest
    assert manifest.run_id == WORKFLOW
    assert manifest.place.workflow == WORKFLOW
    assert manifest.place.pod
    assert manifest.place.node
    assert manifest.code.image_digest.startswith("sha256:")
    assert (manifest.algorithm, manifest.mode, manifest.config.training.epochs) == ("cgcnn", "smoke", 2)

    ended = step("phase2-train", "register", TINY, {"run-id": WORKFLOW})
    assert ended.code == 0, ended.said
    assert "is whole" in ended.said

    # A second attempt finds the run finished and trains nothing.
    ended = step("phase2-train", "train", TINY)
    assert ended.code == 0, ended.said
    assert "finished already" in ended.said


def test_structures_of_a_bucket_are_predicted_in_parts(step, kept_runs, whole_bucket, place):
    for path in (ROOT / "docs" / "examples").glob("*.cif"):
        whole_bucket.put(f"{place}-structures/{path.name}", path)
    asked = {"structures": f"s3://{BUCKET}/{place}-structures", "parts": "2"}
    ended = step("phase2-predict", "split", asked)
    assert ended.code == 0, ended.said
    assert "4 structures in 2 parts" in ended.said
    ended = step("phase2-predict", "predict", asked, {"part": "1", "parts": "2"})
    assert ended.code == 0, ended.said
    assert "2 of 2 structures predicted" in ended.said


def test_an_item_of_a_sweep_trains_under_its_own_name(step, kept_runs):
    item = dict.fromkeys(("lr", "batch-size", "preset"), "")
    item |= {"run-id": f"{WORKFLOW}-0", "level": "smoke", "seed": "5", "epochs": "1", "max-samples": "60"}
    ended = step("phase2-sweep", "train", {"algorithm": "cgcnn"}, item)
    assert ended.code == 0, ended.said
    assert find_in(kept_runs, f"{WORKFLOW}-0").run_id == f"{WORKFLOW}-0"


def test_an_ensemble_of_two_runs_predicts(step, kept_runs, place):
    asked = {"structures": f"s3://{BUCKET}/{place}-structures", "parts": "1"}
    names = f"{WORKFLOW} {WORKFLOW}-0"
    ended = step("phase2-ensemble", "predict", asked, {"part": "1", "parts": "1", "runs": names})
    assert ended.code == 0, ended.said
    assert ended.said.count("model: ") == 2
    assert "4 of 4 structures predicted" in ended.said


def test_a_sweep_expands_and_compares(step):
    ended = step("phase2-sweep", "expand", {"algorithm": "cgcnn", "level": "smoke,lite", "seed": "1,2"})
    assert ended.code == 0, ended.said
    assert f"{WORKFLOW}-3: phase2 train --algorithm cgcnn --level lite --seed 2" in ended.said
    ended = step("phase2-sweep", "compare", {}, {"rows": "[]"})
    assert ended.code == 3
    assert "There is no run to compare" in ended.said


def test_the_exit_handler_keeps_what_failed(step, kept_runs):
    failures = [{"displayName": "train", "phase": "Failed", "message": "main: Error (exit code 3)"}]
    changes = {"PHASE2_WORKFLOW_FAILURES": {"value": json.dumps(json.dumps(failures))}}
    ended = step("phase2-train", "finish", {}, changes=changes)
    assert ended.code == 0, ended.said
    kept = json.loads(kept_runs.read(f".workflows/{WORKFLOW}.json"))
    assert kept["failures"][0]["message"] == "main: Error (exit code 3)"


def test_old_runs_are_cleaned_up(step):
    ended = step("phase2-prune", "main", {"keep-best": "1", "older-than": "1h"})
    assert ended.code == 0, ended.said
    assert "0 runs removed" in ended.said
