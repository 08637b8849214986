"""A release of the chart under its own policies and real controllers: runs of people and of the clock complete."""

import json

import pytest
from tests.chart.conftest import helm  # noqa: F401 - a fixture
from tests.on_cluster.lab.services.store import BUCKET
from tests.on_cluster.support.charts import ChartNamespace

from phase2.cluster.manifests.job import build_job
from phase2.cluster.plan import CACHE_CLAIM, make_plan
from phase2.cluster.request.image import Image
from phase2.cluster.request.quantities import parse_cpu, parse_memory
from phase2.cluster.request.resources import ClusterRequest
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.chart, pytest.mark.timeout(900)]

SUFFIX = "-chart-admission"
ALICE, BOB = ([f"--as={name}", "--as-group=phase2-submitters"] for name in ("alice", "bob"))
SETTINGS = {
    "admission.mutatingVersion": "v1beta1",
    "retention.enabled": "true",
    "page.enabled": "true",
    "observer.enabled": "true",
    "nightly.schedule": "* * * * *",
    "clusterSuffix": SUFFIX,
}


@pytest.fixture(scope="module")
def here(host, helm, image, runs, tmp_path_factory):  # noqa: F811
    """The namespace of the release, with the policies in force."""
    made = ChartNamespace(host, helm, "phase2-chart-admission", tmp_path_factory.mktemp("chart"))
    with made.set_up():
        values = made.values(image, f"s3://{BUCKET}/{runs.prefix}-admission")
        values += [word for name, value in SETTINGS.items() for word in ("--set", f"{name}={value}")]
        made.install(*values)
        host.wait(lambda: "not approved" in refusal(made, run(made, "other:1")), "the policies", "apiserver")
        yield made


def run(here, image):
    request = ClusterRequest(
        image=Image.parse(image),
        namespace=here.name,
        cache=CACHE_CLAIM,
        cpu=parse_cpu("250m"),
        memory=parse_memory("2Gi"),
    )
    asked = RunRequest(algorithm="cgcnn", level="smoke", max_samples=200, epochs=2)
    return build_job(make_plan("of-alice", resolve(asked), request))


def refusal(here, thing):
    """Why the server refuses an object of Alice; nothing is stored."""
    command = ["create", "--dry-run=server", "--filename=-", *ALICE]
    return here.cluster.kubectl(*command, "--namespace", here.name, stdin=json.dumps(thing), check=False).stderr


def test_the_run_of_a_person_completes_and_is_theirs(here, image):
    here.kubectl("create", "--filename=-", *ALICE, stdin=json.dumps(run(here, image)))
    owner = here.kubectl("get", "job/phase2-of-alice", r"--output=jsonpath={.metadata.annotations.phase2\.dev/owner}")
    assert owner == "alice"
    words = ["delete", "job/phase2-of-alice", "--namespace", here.name]
    assert "is of alice, and you are bob" in here.cluster.kubectl(*words, *BOB, check=False).stderr
    here.kubectl("wait", "job/phase2-of-alice", "--for=condition=Complete", "--timeout=400s")
    here.cluster.kubectl(*words, *ALICE)


def test_jobs_of_the_clock_have_pods(here):
    def has_pods():
        jobs = json.loads(here.kubectl("get", "jobs", "--output=json"))["items"]
        nightly = [one for one in jobs if one["metadata"]["name"].startswith("phase2-nightly-")]
        return any(one["status"].get("active") or one["status"].get("succeeded") for one in nightly)

    here.cluster.wait(has_pods, "the controller of CronJobs to start a run", "controller-manager", seconds=180)


@pytest.mark.parametrize("schedule", ["phase2-clean", "phase2-nightly-page"])
def test_a_job_by_hand_of_a_schedule_completes(here, schedule):
    name = f"{schedule}-by-hand"
    here.kubectl("create", "job", name, f"--from=cronjob/{schedule}")
    here.kubectl("wait", f"job/{name}", "--for=condition=Complete", "--timeout=300s")


def test_deployments_of_the_release_have_pods(here):
    rollout = here.kubectl("rollout", "status", "deployment/phase2-observer", "--timeout=120s")
    assert "successfully rolled out" in rollout


def test_the_tests_of_the_release_pass(here):
    assert "Phase:          Succeeded" in here.test().stdout
