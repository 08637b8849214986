"""The policy of Jobs comes from the code that builds them: what a plan may make is in its lists."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from tests.cluster.conftest import cluster_requests, fitting, run_ids
from tests.cluster.manifests.test_job import requests

from phase2.cluster.manifests.job import build_job
from phase2.cluster.plan import make_plan
from phase2.cluster.request.resources import NVIDIA_GPUS
from phase2.config.resolve import resolve
from tools.manifests.admission import arguments, jobs, samples
from tools.manifests.cel import cel_literal

PROJECT = Path(__file__).parents[2]


def test_the_files_are_those_that_the_code_makes():
    words = [sys.executable, "-m", "tools.manifests.admission", "--check"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=PROJECT)
    assert done.returncode == 0, done.stderr


CHANGES = {
    "a variable": "import phase2.cluster.manifests.installed as one; one._KEYS['PHASE2_MORE'] = 'more'",
    "a volume": "import phase2.cluster.plan as one; one.CA_FOLDER = '/etc/other'",
    "the user": "import phase2.cluster.manifests.pod as one; one.USER = 7",
    "the probe": "import phase2.cluster.manifests.protection as one; one.PROGRAM = 'pass'",
    "the settings of the store": "import phase2.cluster.plan as one; one.STORE_CONFIG_MAP = 'other'",
    "the final exit codes": "import phase2.cluster.manifests.job as one; one.FINAL_EXIT_CODES = (2, 3)",
    "the names of GPUs": "import phase2.cluster.request.resources as one; one.NVIDIA_GPUS = 'other.com/gpu'",
    "the levels": "import phase2.config.levels as one; one.MODES = (*one.MODES, 'huge')",
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_check_notices_a_change_of_what_jobs_have(change):
    program = f"{CHANGES[change]}\nfrom tools.manifests.admission.files import files\nprint(files(), end='')"
    words = [sys.executable, "-c", program]
    changed = subprocess.run(words, capture_output=True, text=True, check=True, cwd=PROJECT).stdout
    written = (PROJECT / "k8s" / "components" / "policy" / "policy.yaml").read_text()
    assert repr(written)[1:-1] not in changed


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("nvidia.com/gpu", True),
        ("nvidia.com/gpu.shared", True),
        ("nvidia.com/mig-1g.10gb", True),
        ("nvidia.com/mig-1g.5gb.me", True),
        ("nvidia.com/mig-3g.40gb.shared", True),
        ("nvidia.com/gpu.other", False),
        ("nvidia.com/mig", False),
        ("anvidia.com/gpu", False),
        ("smarter-devices/fuse", False),
    ],
)
def test_gpus_are_told_from_other_devices_by_their_names(name, is_one):
    """A device plugin may give a pod any device of its node, and the policy knows GPUs alone."""
    assert (re.fullmatch(NVIDIA_GPUS, name) is not None) == is_one
    expressions = {one["name"]: one["expression"] for one in jobs.policy()["spec"]["variables"]}
    assert expressions["gpus"] == "[]"
    for variable in ("training", "handingOut"):
        for field in ("requests", "limits"):
            assert f"?resources.?{field}.orValue" in expressions[variable]
    assert f"matches('^{NVIDIA_GPUS}$') || key in variables.gpus" in expressions["training"]


@given(run_ids, requests, cluster_requests)
def test_the_fields_of_every_plan_are_in_the_sample(run_id, request, cluster):
    """Fields that the policy does not know are refused, so the sample has every field that a plan may have."""
    made, sample = build_job(make_plan(run_id, resolve(request), fitting(cluster, run_id))), samples.training()
    known = {variable["name"] for variable in samples.container_of(sample)["env"]}
    assert {variable["name"] for variable in samples.container_of(made)["env"]} <= known
    assert samples.container_of(made).keys() <= samples.container_of(sample).keys()
    volumes = {volume["name"] for volume in samples.pod_of(sample)["volumes"]}
    assert {volume["name"] for volume in samples.pod_of(made)["volumes"]} <= volumes
    words = samples.container_of(made)["args"]
    assert {word for word in words if word.startswith("-")} <= set(arguments.TRAIN)
    expression = {one["name"]: one["expression"] for one in jobs.policy()["spec"]["variables"]}["training"]
    for name in (*samples.pod_of(made), *made["spec"]):
        assert f"'{name}'" in expression


def test_literals_are_escaped_and_of_one_type():
    assert cel_literal("it's\n\\") == r"'it\'s\n\\'"
    assert cel_literal({"a": True, "b": 1}) == "{'a': dyn(true), 'b': dyn(1)}"
    assert cel_literal(["x", "y"]) == "['x', 'y']"
    assert cel_literal([{"a": "x"}]) == "[dyn({'a': 'x'})]"
