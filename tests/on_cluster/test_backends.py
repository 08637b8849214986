"""The contract of backends on a real cluster: Jobs that train, and Workflows that the API server only stores.

These are submitted by a person who has the Roles and no other right.
"""

import json
from typing import Any

import pytest
from kubernetes import client
from tests.argo.manifests import TEMPLATES, of_kind
from tests.cluster.support.backend_contract import BackendContract, ClusterContract
from tests.cluster.support.harnesses import WorkflowHarness
from tests.cluster.support.stored_api import WORKFLOWS
from tests.on_cluster.lab.argo_crds import GROUP, VERSION, install, remove
from tests.on_cluster.lab.pods import restricted_pod
from tests.on_cluster.support.real_jobs import RealJobs
from tests.on_cluster.support.users import MAY_SUBMIT, NAMESPACE

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

ROLE = "phase2-workflow-submitter"


class StoredWorkflows:
    """The Workflows of the people's namespace, in the hands of whoever plays Argo's controller."""

    def __init__(self, cluster) -> None:
        self.cluster = cluster
        self._api = client.CustomObjectsApi(cluster.api)

    def all(self, kind: str) -> list[dict[str, Any]]:
        assert kind == WORKFLOWS
        return self._api.list_namespaced_custom_object(GROUP, VERSION, NAMESPACE, "workflows")["items"]

    def get(self, kind: str, name: str) -> dict[str, Any]:
        assert kind == WORKFLOWS
        return self._api.get_namespaced_custom_object(GROUP, VERSION, NAMESPACE, "workflows", name)

    def put(self, kind: str, one: dict[str, Any]) -> None:
        self.cluster.kubectl("apply", "-n", NAMESPACE, "-f", "-", stdin=json.dumps(one))

    def patch(self, kind: str, name: str, change: dict[str, Any]) -> dict[str, Any]:
        words = ["patch", "workflow", name, "-n", NAMESPACE, "--type=merge", "-o", "json", "-p", json.dumps(change)]
        return json.loads(self.cluster.kubectl(*words).stdout)


@pytest.mark.slow
class TestJob(BackendContract):
    """The laws whose runs train are tried beside other tests, since most of their time is waiting for pods."""

    @pytest.fixture
    def place(self, runs):
        return RealJobs(runs)

    def test_a_run_that_has_succeeded_is_not_begun_again(self, tried):
        tried[BackendContract.test_a_run_that_has_succeeded_is_not_begun_again].result()

    def test_another_request_under_the_same_id_is_refused(self, tried):
        tried[BackendContract.test_another_request_under_the_same_id_is_refused].result()

    def test_a_run_that_failed_is_begun_again_and_goes_on(self, tried):
        tried[BackendContract.test_a_run_that_failed_is_begun_again_and_goes_on].result()

    def test_a_run_that_was_stopped_goes_on_with_its_own_words(self, tried):
        tried[BackendContract.test_a_run_that_was_stopped_goes_on_with_its_own_words].result()


@pytest.fixture(scope="module")
def argo_of_people(people):
    """Argo's kinds, and in the people's namespace what an administrator installs there."""
    install(people.cluster)
    role = of_kind("Role")[ROLE]
    for one in (role, *TEMPLATES.values()):
        moved = {**one, "metadata": {**one["metadata"], "namespace": NAMESPACE}}
        people.cluster.kubectl("apply", "-f", "-", stdin=json.dumps(moved))
    account = f"--serviceaccount={NAMESPACE}:{MAY_SUBMIT}"
    people.kubectl("create", "rolebinding", ROLE, f"--role={ROLE}", account)
    yield people.cluster
    people.kubectl("delete", "role,rolebinding", ROLE)
    remove(people.cluster)


def step_pod(workflow: str, name: str, image: str) -> dict[str, Any]:
    """A pod that says its name, labelled as Argo labels those of a Workflow."""
    pod = restricted_pod(name, image, "echo", name)
    (main,) = pod["spec"]["containers"]
    del main["envFrom"]
    pod["spec"]["containers"] = [{**main, "name": "wait", "command": ["echo", "wait"]}, {**main, "name": "main"}]
    labels = {f"app.kubernetes.io/{key}": word for key, word in (("name", "phase2"), ("component", "training"))}
    pod["metadata"]["labels"] = labels | {"workflows.argoproj.io/workflow": workflow}
    pod["metadata"]["annotations"] = {"workflows.argoproj.io/node-name": f"{workflow}[0].{name}(0)"}
    return pod


@pytest.mark.argo
class TestWorkflow(ClusterContract):
    @pytest.fixture
    def place(self, argo_of_people, say):
        yield WorkflowHarness(say, StoredWorkflows(argo_of_people))
        argo_of_people.kubectl("delete", "workflows", "--all", "-n", NAMESPACE)

    def test_the_logs_of_its_pods_are_told_step_by_step(self, place, argo_of_people, image, say):
        """Real pods, with a second container as Argo adds one; without its name the server would not know which."""
        place.begin("logged")
        names = [f"phase2-logged-{step}" for step in ("1-validate", "2-train")]
        for name in names:
            place.api.put("", step_pod("phase2-logged", name, image))
        pods = [f"pod/{name}" for name in names]
        argo_of_people.kubectl(
            "wait", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=120s", "-n", NAMESPACE, *pods
        )
        assert say("logs", "logged")[1].splitlines() == names
        assert say("logs", "logged", "--tail", "1")[1].splitlines() == names[1:]
        place.finish("logged")
        assert say("logs", "logged", "--follow")[1].splitlines() == names
        argo_of_people.kubectl("delete", "-n", NAMESPACE, *pods)

    def test_the_server_refuses_what_argo_does_not_know(self, place):
        """The contract would be worth little on a server that takes anything."""
        code, out, _ = place.submit("odd", "--dry-run", "--json")
        manifest = json.loads(out)["manifest"]
        manifest["spec"]["retrys"] = 3
        done = place.api.cluster.kubectl(
            "create", "--validate=strict", "--dry-run=server", "-f", "-", stdin=json.dumps(manifest), check=False
        )
        assert (code, done.returncode != 0, "retrys" in done.stderr) == (0, True, True)


@pytest.mark.argo
def test_without_the_template_nothing_is_made(argo_of_people, say):
    argo_of_people.kubectl("delete", "workflowtemplate", "phase2-train", "-n", NAMESPACE)
    try:
        code, _, err = say("submit", "--level", "smoke", "--backend", "argo", "--run-id", "no-template")
    finally:
        StoredWorkflows(argo_of_people).put("", TEMPLATES["phase2-train"] | {
            "metadata": TEMPLATES["phase2-train"]["metadata"] | {"namespace": NAMESPACE}
        })  # fmt: skip
    assert (code, "The WorkflowTemplate phase2-train is missing" in err) == (2, True)
