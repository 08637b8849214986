"""The contract of backends on a real cluster: Jobs that train, and Workflows that the API server only stores.

The Workflows are submitted by a user who has the Roles and no other permission.
"""

import json
from typing import Any

import pytest
from kubernetes import client
from tests.argo.manifests import TEMPLATES, of_kind
from tests.cluster.support.backend_contract import BackendContract, ClusterContract
from tests.cluster.support.harnesses import WorkflowHarness
from tests.cluster.support.stored_api import WORKFLOWS
from tests.on_cluster.lab.permissions import bind_role
from tests.on_cluster.lab.pods import restricted_pod
from tests.on_cluster.lab.services.argo_crds import GROUP, VERSION, install, remove
from tests.on_cluster.support.real_jobs import RealJobHarness
from tests.on_cluster.support.users import MAY_SUBMIT, NAMESPACE

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

ROLE = "phase2-workflow-submitter"


class StoredWorkflows:
    """Workflows of the users' namespace, whose status the test writes instead of Argo's controller."""

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
    """These tests run in the background of others, since they mostly wait for pods."""

    @pytest.fixture
    def harness(self, runs):
        return RealJobHarness(runs)

    def test_a_succeeded_run_is_not_started_again(self, contract_results):
        contract_results[BackendContract.test_a_succeeded_run_is_not_started_again].result()

    def test_another_request_with_the_same_id_is_refused(self, contract_results):
        contract_results[BackendContract.test_another_request_with_the_same_id_is_refused].result()

    def test_a_failed_run_is_started_again_and_resumes(self, contract_results):
        contract_results[BackendContract.test_a_failed_run_is_started_again_and_resumes].result()

    def test_a_cancelled_run_resumes_with_its_own_options(self, contract_results):
        contract_results[BackendContract.test_a_cancelled_run_resumes_with_its_own_options].result()


@pytest.fixture(scope="module")
def argo_namespace(users):
    """Cluster with Argo's kinds, and a users' namespace with what an administrator installs."""
    install(users.cluster)
    role = of_kind("Role")[ROLE]
    for one in (role, *TEMPLATES.values()):
        moved = {**one, "metadata": {**one["metadata"], "namespace": NAMESPACE}}
        users.cluster.kubectl("apply", "-f", "-", stdin=json.dumps(moved))
    account = f"--serviceaccount={NAMESPACE}:{MAY_SUBMIT}"
    bind_role(users.cluster, ROLE, f"--role={ROLE}", account, namespace=NAMESPACE)
    yield users.cluster
    users.kubectl("delete", "role,rolebinding", ROLE)
    remove(users.cluster)


def step_pod(workflow: str, name: str, image: str) -> dict[str, Any]:
    """Return a pod that prints its name, with the labels of a Workflow's pod."""
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
    def harness(self, argo_namespace, cli):
        yield WorkflowHarness(cli, StoredWorkflows(argo_namespace))
        argo_namespace.kubectl("delete", "workflows", "--all", "-n", NAMESPACE)

    def test_the_logs_of_its_pods_are_printed_step_by_step(self, harness, argo_namespace, image, cli):
        """Real pods with a second container, as Argo adds one: the log request has to name the container."""
        harness.begin("logged")
        names = [f"phase2-logged-{step}" for step in ("1-validate", "2-train")]
        for name in names:
            harness.api.put("", step_pod("phase2-logged", name, image))
        pods = [f"pod/{name}" for name in names]
        argo_namespace.kubectl(
            "wait", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=120s", "-n", NAMESPACE, *pods
        )
        assert cli("logs", "logged")[1].splitlines() == names
        assert cli("logs", "logged", "--tail", "1")[1].splitlines() == names[1:]
        harness.finish("logged")
        assert cli("logs", "logged", "--follow")[1].splitlines() == names
        argo_namespace.kubectl("delete", "-n", NAMESPACE, *pods)

    def test_the_server_refuses_what_argo_does_not_know(self, harness):
        """The contract would prove little on a server that accepts anything."""
        code, out, _ = harness.submit("odd", "--dry-run", "--json")
        manifest = json.loads(out)["manifest"]
        manifest["spec"]["retrys"] = 3
        done = harness.api.cluster.kubectl(
            "create", "--validate=strict", "--dry-run=server", "-f", "-", stdin=json.dumps(manifest), check=False
        )
        assert (code, done.returncode != 0, "retrys" in done.stderr) == (0, True, True)


@pytest.mark.argo
def test_without_the_template_nothing_is_created(argo_namespace, cli):
    argo_namespace.kubectl("delete", "workflowtemplate", "phase2-train", "-n", NAMESPACE)
    try:
        code, _, err = cli("submit", "--level", "smoke", "--backend", "argo", "--run-id", "no-template")
    finally:
        StoredWorkflows(argo_namespace).put("", TEMPLATES["phase2-train"] | {
            "metadata": TEMPLATES["phase2-train"]["metadata"] | {"namespace": NAMESPACE}
        })  # fmt: skip
    assert (code, "The WorkflowTemplate phase2-train is missing" in err) == (2, True)
