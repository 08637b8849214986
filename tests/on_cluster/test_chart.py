"""``helm install`` on a real cluster: it works, upgrades keep runs and cache, and an uninstall removes the rest.

The tests of one release follow one another, as its life does.
"""

import copy
import json
from pathlib import Path

import pytest
import yaml
from tests.chart.conftest import helm  # noqa: F401 - a fixture
from tests.chart.rendering import CHART, RELEASED, pod_specs
from tests.on_cluster.lab.building import images
from tests.on_cluster.lab.permissions import bind_role
from tests.on_cluster.lab.services.argo_crds import definitions
from tests.on_cluster.lab.services.store import BUCKET
from tests.on_cluster.support.charts import RELEASE, SUFFIX, ChartNamespace

from phase2.cluster.manifests.job import build_job
from phase2.cluster.plan import make_plan
from phase2.cluster.request.image import Image
from phase2.cluster.request.resources import ClusterRequest
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.runs.catalog.index import list_runs
from phase2.runs.publish.reader import PublishedRun

pytestmark = [pytest.mark.cluster, pytest.mark.chart, pytest.mark.timeout(900)]

ARGO = ("--set", "argo.enabled=true")
JOB = "phase2-nightly-by-hand"
CLAIM = ("persistentvolumeclaim", "phase2-data-cache")
LEFT = {"PersistentVolumeClaim/phase2-data-cache", "Secret/phase2-s3"}
"""Objects that an uninstall keeps: the claim by policy, and the Secret that its administrator created."""


@pytest.fixture(scope="module")
def here(host, helm, tmp_path_factory):  # noqa: F811
    folder = tmp_path_factory.mktemp("chart")
    with ChartNamespace(host, helm, "phase2-chart", folder).set_up() as made:
        yield made


@pytest.fixture(scope="module")
def place(runs):
    """Prefix in the bucket of the runs of this release."""
    return f"{runs.prefix}-chart"


@pytest.fixture(scope="module")
def kept(in_bucket, place):
    return in_bucket(place)


@pytest.fixture(scope="module")
def values(here, image, place):
    return here.values(image, f"s3://{BUCKET}/{place}")


@pytest.fixture(scope="module")
def installed(here, values):
    """Output of Helm for the first installation, of the last release."""
    return here.install(*values, chart=RELEASED)


def revision(here):
    return json.loads(here("list", "--output", "json").stdout)[0]


def manifest(here, *words):
    """Return the objects that Helm installed, by kind and name."""
    things = yaml.safe_load_all(here("get", "manifest", RELEASE, *words).stdout)
    return {(one["kind"], one["metadata"]["name"]): one for one in things if one}


def template(here, *words):
    """Return the objects of `helm template`, by kind and name."""
    things = yaml.safe_load_all(here("template", RELEASE, CHART, "--no-hooks", *words).stdout)
    return {(one["kind"], one["metadata"]["name"]): one for one in things if one}


# The life of a release ------------------------------------------------------------------------------------------------


def test_it_is_installed_without_a_warning(here, installed):
    assert "Warning" not in installed.stderr
    assert f"helm test {RELEASE} -n {here.name}" in installed.stdout
    assert revision(here)["chart"] == RELEASED.name.removesuffix(".tgz")
    assert here.cluster_scoped() >= {f"PriorityClass/phase2-training{SUFFIX}"}


def test_helm_test_trains_in_the_cluster_and_leaves_no_run(here, installed, kept):
    assert "Phase:          Succeeded" in here.test().stdout
    assert "Pod/phase2-test" not in here.objects()
    assert list_runs(kept, rebuild=True) == []


def test_the_nightly_run_is_an_ordinary_run(here, installed, kept, runs):
    here.kubectl("create", "job", JOB, "--from=cronjob/phase2-nightly")
    here.kubectl("wait", f"job/{JOB}", "--for=condition=Complete", "--timeout=600s")
    (run,) = list_runs(kept, rebuild=True)
    assert (run.run_id, run.status, run.algorithm) == (JOB, "finished", "cgcnn")
    assert PublishedRun.open(kept, run.prefix).manifest.code.image_digest == runs.image.partition("@")[2]
    result = runs.phase2("status", JOB, "--namespace", here.name, "--json")
    assert (json.loads(result.out)["run_id"], json.loads(result.out)["state"]) == (JOB, "succeeded")


def refused(here, image, labels):
    """Return why the API server rejects a Job; nothing is stored."""
    installed = yaml.safe_load_all(here("get", "manifest", RELEASE).stdout)
    pod = pod_specs(installed)["CronJob/phase2-nightly"]
    pod["containers"][0]["image"] = image
    metadata = {"name": "by-hand", "labels": labels}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": {"spec": pod}}}
    words = ["create", "--dry-run=server", "--namespace", here.name, "-f", "-"]
    return here.cluster.kubectl(*words, stdin=json.dumps(job), check=False).stderr


def test_the_api_server_refuses_jobs_that_are_no_runs(here, installed, image):
    run = {
        "app.kubernetes.io/name": "phase2",
        "app.kubernetes.io/component": "training",
        "app.kubernetes.io/managed-by": "phase2",
        "phase2.dev/run-id": "by-hand",
        "phase2.dev/algorithm": "cgcnn",
        "phase2.dev/mode": "smoke",
        "phase2.dev/level": "smoke",
    }
    here.cluster.wait(lambda: refused(here, image, {}), "the policy to be in force", "apiserver")
    assert refused(here, image, run) == ""
    assert "is a run of phase2 and carries its labels" in refused(here, image, {})
    assert f"Image not approved: other:1. The policy phase2-jobs{SUFFIX} lists" in refused(here, "other:1", run)
    assert "named by its digest here" in refused(here, f"{image.partition('@')[0]}:1", run)


def with_a_shell(here, image):
    """Return why the API server rejects a run of a submitter whose pod prints its environment."""
    request = ClusterRequest(image=Image.parse(image), namespace=here.name)
    job = build_job(make_plan("by-hand", resolve(RunRequest(algorithm="cgcnn", level="smoke")), request))
    words = ["create", "--dry-run=server", "--as=somebody", "--as-group=phase2-submitters", "-f", "-"]
    assert here.cluster.kubectl(*words, stdin=json.dumps(job), check=False).stderr == ""
    job["spec"]["template"]["spec"]["containers"][0]["command"] = ["sh", "-c", "env"]
    return here.cluster.kubectl(*words, stdin=json.dumps(job), check=False).stderr


def test_an_upgrade_from_the_last_release_keeps_runs_and_claim(here, installed, values, kept, image):
    first = manifest(here)
    claim, runs_before = here.uid(*CLAIM), [run.run_id for run in list_runs(kept, rebuild=True)]
    more = ["--set", "retention.enabled=true", "--set-string", "quota.hard.pods=50"]
    here.install(*values, *more)
    assert manifest(here) == template(here, *values, *more) != first
    assert revision(here)["chart"] == f"phase2-runner-{yaml.safe_load((CHART / 'Chart.yaml').read_text())['version']}"
    assert here.uid(*CLAIM) == claim
    assert [run.run_id for run in list_runs(kept, rebuild=True)] == runs_before == [JOB]
    assert here.kubectl("get", "resourcequota", "phase2", "--output=jsonpath={.spec.hard.pods}") == "50"
    here.cluster.wait(lambda: "field by field" in with_a_shell(here, image), "the policies", "apiserver")
    here.kubectl("create", "job", "clean-by-hand", "--from=cronjob/phase2-clean")
    here.kubectl("wait", "job/clean-by-hand", "--for=condition=Complete", "--timeout=300s")
    assert [run.run_id for run in list_runs(kept, rebuild=True)] == [JOB]


def test_a_rollback_reverts_the_upgrade(here, installed, kept):
    claim, number = here.uid(*CLAIM), int(revision(here)["revision"])
    before = manifest(here, "--revision", str(number - 1))
    here("rollback", RELEASE, str(number - 1), "--wait", "--timeout", "5m")
    assert manifest(here) == before
    assert "CronJob/phase2-clean" not in here.objects()
    assert here.kubectl("get", "resourcequota", "phase2", "--output=jsonpath={.spec.hard.pods}") == "100"
    assert here.uid(*CLAIM) == claim
    (run,) = list_runs(kept, rebuild=True)
    assert not PublishedRun.open(kept, run.prefix).verify().damaged


@pytest.mark.slow
def test_templates_are_installed_where_the_cluster_has_argo(here, installed, values, image):
    assert "this cluster has no Argo Workflows" in here.install(*values, *ARGO, check=False).stderr
    assert not any("Workflow" in one for one in here.objects())
    names = [f"crd/{definition['metadata']['name']}" for definition in definitions()]
    for definition in definitions():
        here.cluster.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(definition))
    try:
        # kubectl's own wait fails where a definition has no condition yet.
        plurals = {definition["spec"]["names"]["plural"] for definition in definitions()}
        here.cluster.wait(lambda: plurals <= served(here), "the kinds of Argo to be served", "apiserver")
        here.install(*values, *ARGO)
        assert manifest(here) == template(here, *values, *ARGO)
        there = here.objects()
        assert "CronWorkflow/phase2-nightly" in there
        assert "CronJob/phase2-nightly" not in there
        stored = json.loads(here.kubectl("get", "workflowtemplate", "phase2-train", "--output=json"))
        assert stored["spec"]["templateDefaults"]["container"]["image"] == "{{workflow.parameters.image}}"
        workflow = yaml.safe_load((Path(__file__).parents[2] / "argo" / "phase2.yaml").read_text())
        here.cluster.wait(lambda: "not approved" in submitted(here, workflow, image="other:1"), "policies", "apiserver")
        assert "named by its digest here" in submitted(here, workflow, image=image.partition("@")[0])
        assert "level=huge: choose one of" in submitted(here, workflow, image=image, level="huge")
        assert submitted(here, workflow, image=image) == ""
        here.install(*values)
        assert manifest(here) == template(here, *values)
        assert not any("Workflow" in one for one in here.objects())
    finally:
        here.cluster.kubectl("delete", "--ignore-not-found", *names)


def served(here):
    """Return the plurals of the kinds of Argo that the API server serves."""
    asked = here.cluster.kubectl("get", "--raw", "/apis/argoproj.io/v1alpha1", check=False)
    return {one["name"] for one in json.loads(asked.stdout)["resources"]} if asked.returncode == 0 else set()


def submitted(here, workflow, **parameters):
    """Return why the API server rejects a Workflow; nothing is stored."""
    made = copy.deepcopy(workflow)
    made["metadata"]["namespace"] = here.name
    made["spec"]["arguments"] = {"parameters": [{"name": name, "value": parameters[name]} for name in parameters]}
    done = here.cluster.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(made), check=False)
    return done.stderr if done.returncode else ""


def test_an_uninstall_keeps_only_the_documented_objects(here, installed, kept):
    claim = here.uid(*CLAIM)
    result = here("uninstall", RELEASE, "--wait", "--timeout", "5m")
    assert "phase2-data-cache" in result.stdout + result.stderr
    here.cluster.wait(lambda: here.objects() == LEFT, f"only {LEFT} to be left", "controller-manager")
    assert here.cluster_scoped() == set()
    assert here.uid(*CLAIM) == claim
    assert [run.run_id for run in list_runs(kept, rebuild=True)] == [JOB]


def test_a_new_installation_adopts_the_kept_objects(here, installed, values):
    claim = here.uid(*CLAIM)
    here.install(*values)
    assert here.uid(*CLAIM) == claim
    here("uninstall", RELEASE, "--wait", "--timeout", "5m")
    here.install(*values, "--set", "dataCache.keep=false")
    here("uninstall", RELEASE, "--wait", "--timeout", "5m")
    here.cluster.wait(lambda: here.objects() == {"Secret/phase2-s3"}, "everything to be gone", "controller-manager")


# Others ---------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_render_is_applied_twice_without_a_conflict_or_a_change(host, helm, image, tmp_path):  # noqa: F811
    """What Argo CD and Flux do: `helm template`, then server-side apply under a field manager of their own."""
    space = ChartNamespace(host, helm, "phase2-chart-gitops", tmp_path)
    with space.set_up():
        values = [*space.values(image, f"s3://{BUCKET}/gitops"), "--set-string", f"clusterSuffix={SUFFIX}-gitops"]
        text = space("template", RELEASE, CHART, "--no-hooks", *values).stdout
        names = {f"{one['kind']}/{one['metadata']['name']}" for one in yaml.safe_load_all(text) if one}
        manager = ["--server-side", "--field-manager=gitops", "--filename=-"]
        try:
            first = host.kubectl("apply", *manager, stdin=text).stdout
            assert first.count("serverside-applied") == len(names)
            difference = host.kubectl("diff", *manager, stdin=text, check=False)
            assert (difference.returncode, difference.stdout) == (0, ""), difference.stderr
            assert host.kubectl("apply", *manager, stdin=text).stdout == first
            assert {name for name in names if "phase2-test" not in name} <= space.objects() | space.cluster_scoped(
                f"{SUFFIX}-gitops"
            )
        finally:
            host.kubectl("delete", "--ignore-not-found", "--wait=false", "--filename=-", stdin=text)


@pytest.mark.slow
def test_a_user_without_cluster_permissions_installs_in_a_namespace(host, helm, image, tmp_path):  # noqa: F811
    space = ChartNamespace(host, helm, "phase2-chart-user", tmp_path)
    with space.set_up():
        space.kubectl("create", "serviceaccount", "installer")
        account = f"--serviceaccount={space.name}:installer"
        bind_role(host, "installer", "--clusterrole=admin", account, namespace=space.name)
        values = [*space.values(image, f"s3://{BUCKET}/user"), "--values", CHART / "ci" / "namespaced-values.yaml"]
        before = space.objects()
        with space.acting_as(kubeconfig(space, tmp_path)):
            refused = space.install(*values, "--set", "priorityClass.create=true", check=False)
            assert refused.returncode != 0
            assert "forbidden" in refused.stderr
            space("uninstall", RELEASE, "--ignore-not-found", "--wait", "--timeout", "2m")
            space.install(*values)
            assert "Role/phase2-submitter" in space.objects()
            assert "Phase:          Succeeded" in space.test().stdout
            space("uninstall", RELEASE, "--wait", "--timeout", "2m")
        left = before | {"PersistentVolumeClaim/phase2-data-cache"}
        host.wait(lambda: space.objects() == left, f"only {left} to be left", "controller-manager")


def kubeconfig(space, folder):
    """Return the kubeconfig of the user who installs."""
    settings = json.loads(Path(space.cluster.kubeconfig).read_text())
    authority = Path(space.cluster.kubeconfig).with_name("ca.crt")
    token = space.kubectl("create", "token", "installer").strip()
    settings["users"] = [{"name": "installer", "user": {"token": token}}]
    name = settings["contexts"][0]["name"]
    where = {"cluster": settings["clusters"][0]["name"], "user": "installer", "namespace": space.name}
    settings["contexts"] = [{"name": name, "context": where}]
    settings["current-context"] = name
    settings["clusters"][0]["cluster"]["certificate-authority"] = str(authority)
    file = folder / "installer.conf"
    file.write_text(json.dumps(settings))
    return file


@pytest.mark.slow
def test_the_local_profile_includes_a_store(host, helm, image, tmp_path):  # noqa: F811
    space = ChartNamespace(host, helm, "phase2-chart-local", tmp_path)
    repository, _, digest = image.partition("@")
    values = ["--values", CHART / "ci" / "kind-values.yaml", "--set", f"image.repository={repository}"]
    values += ["--set", f"image.digest={digest}", "--set", f"minio.image={images.minio_image(host.folders)}"]
    # The cluster of the tests makes no volumes by itself.
    values += ["--set", "minio.size=", "--set", f"clusterSuffix={SUFFIX}-local"]
    values += ["--set", "pods.cpu=250m"]
    with space.set_up(keys=False):
        space.install(*values)
        assert "Phase:          Succeeded" in space.test().stdout
        server = space.kubectl("get", "pod", "--selector=app.kubernetes.io/name=minio", "--output=name")
        space.install(*values, "--set", "nightly.enabled=false")
        assert space.kubectl("get", "pod", "--selector=app.kubernetes.io/name=minio", "--output=name") == server
        space("uninstall", RELEASE, "--wait", "--timeout", "5m")
        host.wait(lambda: space.objects() == set(), "everything to be gone", "controller-manager")
