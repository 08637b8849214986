"""``kubectl apply -k k8s/...`` on a real API server: accepted without a warning, and then enforced."""

import json

import pytest
import yaml
from tests.on_cluster.lab.pods import restricted_pod
from tests.on_cluster.support.installation import IMAGE, NAMESPACE, STORE_NAMESPACE, installed
from tests.on_cluster.support.users import MAY_NOTHING, MAY_SUBMIT
from tests.on_cluster.support.users import NAMESPACE as USERS_NAMESPACE

from phase2.cli import main
from phase2.cluster.manifests.job import build_job
from phase2.cluster.plan import make_plan
from phase2.cluster.request.image import Image
from phase2.cluster.request.resources import ClusterRequest
from phase2.cluster.transfer.job import transfer_job
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve

pytestmark = pytest.mark.cluster

DIGEST = "sha256:" + "0" * 64
SUBMITTER = ["--as=somebody", "--as-group=phase2-submitters", "--as-group=system:authenticated"]


@pytest.fixture(scope="module")
def installed_output(host, tmp_path_factory):
    """Output of kubectl for the installation."""
    with installed(host, tmp_path_factory.mktemp("installed")) as output:
        # A policy is in force some moments after it was created.
        host.wait(lambda: refused(host, job(image="elsewhere/phase2:1")), "the policy", "apiserver")
        yield output


def job(*, image=f"{IMAGE}:1", **cluster):
    """Return a Job as ``phase2 submit`` builds it."""
    request = ClusterRequest(image=Image.parse(image), namespace=NAMESPACE, **cluster)
    return build_job(make_plan("installed-1", resolve(RunRequest(algorithm="e3nn", level="lite")), request))


def refused(cluster, thing, *words):
    """Return why the API server rejects an object; None if it accepts it."""
    options = ["--dry-run=server", "--namespace", NAMESPACE, *words]
    done = cluster.kubectl("create", *options, "-f", "-", stdin=json.dumps(thing), check=False)
    assert "Warning" not in done.stderr
    return done.stderr if done.returncode else None


def test_everything_is_created_without_a_warning(installed_output):
    assert "Warning" not in installed_output
    assert installed_output.count(" created") == len(installed_output.strip().splitlines())


def test_applying_again_changes_nothing(cluster, installed_output, tmp_path_factory):
    folder = next(tmp_path_factory.getbasetemp().glob("installed*")) / "overlay"
    again = cluster.kubectl("apply", "-k", str(folder)).stdout.strip().splitlines()
    assert [line for line in again if not line.endswith(" unchanged")] == []


def test_minio_comes_up_under_restricted_pod_security(cluster, installed_output):
    words = ["rollout", "status", "deployment/minio", "--namespace", STORE_NAMESPACE, "--timeout=180s"]
    assert "successfully rolled out" in cluster.kubectl(*words).stdout


def test_a_job_of_phase2_submit_is_accepted(cluster, installed_output):
    assert refused(cluster, job()) is None
    assert refused(cluster, job(image=f"{IMAGE}@{DIGEST}", priority="phase2-training-installed")) is None
    competition = make_plan(
        "installed-2",
        resolve(RunRequest(algorithm="cgcnn", competition=True)),
        ClusterRequest(image=Image.parse(f"{IMAGE}:1"), namespace=NAMESPACE),
    )
    assert refused(cluster, build_job(competition)) is None


def transfer(**fields):
    """Return the Job of ``phase2 pull --through-cluster``, with other fields of its container."""
    made = transfer_job("phase2-pull-1", ["offer", "fine"], namespace=NAMESPACE, image=f"{IMAGE}:1", secret="phase2-s3")
    made["spec"]["template"]["spec"]["containers"][0] |= fields
    return made


def test_a_job_that_hands_a_run_out_is_accepted(cluster, installed_output):
    assert refused(cluster, transfer(), *SUBMITTER) is None
    assert refused(cluster, transfer(args=["transfer", "part", "family/run", "--only=best.pt"])) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"args": ["train"]},
        {"args": ["transfer", "steal"]},
        {"command": ["sh", "-c", "env"]},
        {"env": [{"name": "PYTHONPATH", "value": "/work"}]},
        {"envFrom": [{"configMapRef": {"name": "another"}}]},
    ],
)
def test_a_job_of_that_component_does_nothing_else(cluster, installed_output, fields):
    assert "of the component transfer" in (refused(cluster, transfer(**fields), *SUBMITTER) or "it was accepted")


def test_a_job_of_that_component_ends_soon(cluster, installed_output):
    thing = transfer()
    del thing["spec"]["activeDeadlineSeconds"]
    assert "of the component transfer" in (refused(cluster, thing, *SUBMITTER) or "it was accepted")
    run = transfer()
    run["metadata"]["labels"]["phase2.dev/run-id"] = "a-run"
    assert "of the component transfer" in (refused(cluster, run, *SUBMITTER) or "it was accepted")


def with_labels(**labels):
    thing = job()
    for name, value in labels.items():
        thing["metadata"]["labels"][f"phase2.dev/{name}"] = value
    return thing


def without_label(name):
    thing = job()
    del thing["metadata"]["labels"][name]
    return thing


def in_pod(**fields):
    thing = job()
    thing["spec"]["template"]["spec"].update(fields)
    return thing


def scheduled(*, owner="CronJob", **labels):
    """Return a Job as a CronJob creates it, with the labels of all its Jobs."""
    thing = without_label("phase2.dev/run-id")
    for name in ("algorithm", "mode", "level"):
        del thing["metadata"]["labels"][f"phase2.dev/{name}"]
    reference = {"apiVersion": "batch/v1", "kind": owner, "name": "nightly", "uid": "0" * 8}
    thing["metadata"]["ownerReferences"] = [reference]
    thing["metadata"]["labels"] |= labels
    return thing


def test_a_job_of_a_cron_job_needs_the_right_image_and_no_labels_of_a_run(cluster, installed_output):
    assert refused(cluster, scheduled()) is None
    assert refused(cluster, scheduled(**{"app.kubernetes.io/component": "maintenance"})) is None
    assert "missing: phase2.dev/run-id" in refused(cluster, scheduled(owner="Deployment"))
    assert "missing: phase2.dev/run-id" in refused(cluster, scheduled(), *SUBMITTER)  # anybody can say so
    other = scheduled()
    other["spec"]["template"]["spec"]["containers"][0]["image"] = "docker.io/other:1"
    assert "Image not approved: docker.io/other:1." in refused(cluster, other)


STRANGER = {
    "name": "other",
    "image": "docker.io/other:1",
    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
}

REFUSALS = [
    (lambda: with_labels(algorithm="e3n"), "Unknown algorithm e3n: it is one of e3nn, cgcnn."),
    (
        lambda: with_labels(mode="huge"),
        "Unknown mode huge: it is one of smoke, lite, std, pro, max, comp",
    ),
    (lambda: with_labels(level="std"), "phase2.dev/level repeats phase2.dev/mode"),
    (lambda: without_label("phase2.dev/run-id"), "missing: phase2.dev/run-id. Use phase2 submit."),
    (lambda: job(image="docker.io/other:1"), "Image not approved: docker.io/other:1."),
    (lambda: job(image=f"{IMAGE}-other:1"), f"Image not approved: {IMAGE}-other:1."),
    (lambda: in_pod(initContainers=[STRANGER]), "Image not approved: docker.io/other:1."),
    (lambda: in_pod(serviceAccountName="default"), "A run has the service account phase2-runner"),
    (lambda: in_pod(automountServiceAccountToken=True), "A run has no token of the API server"),
]


@pytest.mark.parametrize(("thing", "words"), REFUSALS, ids=[words for _, words in REFUSALS])
def test_other_jobs_are_refused_in_one_sentence(cluster, installed_output, thing, words):
    assert words in (refused(cluster, thing()) or "it was accepted")


def test_a_policy_that_requires_digests_refuses_tags(cluster, installed_output):
    by_digest = '[{"op": "replace", "path": "/spec/variables/1/expression", "value": "%s"}]'
    words = ["patch", "validatingadmissionpolicies", "phase2-jobs-installed", "--type=json", "--patch"]
    cluster.kubectl(*words, by_digest % "true")
    try:
        cluster.wait(lambda: refused(cluster, job()), "the policy to change", "apiserver")
        assert "An image is named by its digest here" in refused(cluster, job())
        assert refused(cluster, job(image=f"{IMAGE}@{DIGEST}")) is None
    finally:
        cluster.kubectl(*words, by_digest % "false")
        cluster.wait(lambda: refused(cluster, job()) is None, "the policy to change back", "apiserver")


def test_the_quota_refuses_gpus(cluster, installed_output):
    pod = restricted_pod("with-gpu", f"{IMAGE}:1", "true")
    pod["spec"]["containers"][0]["resources"] = {"limits": {"nvidia.com/gpu": "1", "memory": "1Gi"}}
    assert "exceeded quota: phase2, requested: requests.nvidia.com/gpu=1" in (
        refused(cluster, pod) or "it was accepted"
    )


def test_a_container_without_resources_gets_a_default_limit(cluster, installed_output):
    pod = restricted_pod("asks-nothing", f"{IMAGE}:1", "true")
    words = ["create", "--dry-run=server", "--namespace", NAMESPACE, "--output=yaml", "-f", "-"]
    made = yaml.safe_load(cluster.kubectl(*words, stdin=json.dumps(pod)).stdout)
    assert made["spec"]["containers"][0]["resources"]["limits"] == {"memory": "8Gi"}


@pytest.mark.parametrize(
    ("verb", "what", "may"),
    [
        ("create", "jobs.batch", True),
        ("patch", "jobs.batch", True),
        ("get", "pods/log", True),
        ("watch", "events", True),
        ("delete", "pods", False),
        ("create", "pods", False),
        ("get", "secrets", False),
        ("create", "pods/exec", False),
        ("update", "configmaps", False),
        ("delete", "persistentvolumeclaims", False),
    ],
)
def test_submitters_have_the_permissions_that_submitting_needs(cluster, installed_output, verb, what, may):
    asked = cluster.kubectl("auth", "can-i", verb, what, "--namespace", NAMESPACE, *SUBMITTER, check=False)
    assert asked.stdout.strip() == ("yes" if may else "no")


def test_submitters_may_submit(cluster, installed_output):
    assert refused(cluster, job(), *SUBMITTER) is None


def test_the_runner_has_no_permissions(cluster, installed_output):
    runner = f"--as=system:serviceaccount:{NAMESPACE}:phase2-runner"
    for what in ("pods", "jobs.batch", "secrets", "configmaps"):
        asked = cluster.kubectl("auth", "can-i", "get", what, "--namespace", NAMESPACE, runner, check=False)
        assert asked.stdout.strip() == "no"


def test_the_doctor_in_a_pod_sees_its_limits_and_the_bucket(pods, image):
    pod = restricted_pod("doctor", image, "phase2", "doctor", "--json")
    pod["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "500m", "memory": "1Gi"}}
    ended = pods.run(pod)
    report = json.loads(ended.log[: ended.log.rindex("}") + 1])
    found = {one["name"]: one["value"] for one in report["findings"]}
    assert ended.code == 0, ended.log
    assert (found["CPU limit"], found["threads"], found["memory limit"]) == ("0.5 cores", "1", "1.0 GiB")
    assert found["runs"].startswith("/work/models: ")
    assert found["If-None-Match"] == "honoured"


def test_the_doctor_reads_the_installation(cluster, installed_output, monkeypatch, capsys):
    monkeypatch.setenv("KUBECONFIG", cluster.kubeconfig)
    bound = ["--for=jsonpath={.status.phase}=Bound", "persistentvolumeclaim/phase2-data-cache"]
    cluster.kubectl("wait", *bound, "--namespace", NAMESPACE, "--timeout=60s")
    code = main(["doctor", "--namespace", NAMESPACE, "--json"])
    report = json.loads(capsys.readouterr().out)
    found = {f"{one['topic']} {one['name']}": one for one in report["findings"]}
    errors = {name: one["problem"] for name, one in found.items() if one["problem"] and one["problem"]["exit_code"]}
    assert (code, errors) == (0, {})
    assert found["store access keys"]["value"] == "the Secret phase2-s3 has them"
    assert found["pods Pod Security"]["value"] == "restricted"
    policies = [f"phase2-{name}-installed" for name in ("jobs", "owners", "workloads")]
    assert found["policies admission"]["value"] == ", ".join(policies)
    assert found["pods quota phase2"]["value"].startswith("has room")
    assert not found["policies network"]["problem"]


def test_the_doctor_says_what_a_user_may_not_read(cli):
    for user, enough in ((MAY_SUBMIT, True), (MAY_NOTHING, False)):
        code, out, err = cli("doctor", "--namespace", USERS_NAMESPACE, "--json", user=user)
        found = {f"{one['topic']} {one['name']}": one for one in json.loads(out)["findings"]}
        assert "Traceback" not in err
        assert found["store access keys"]["value"].startswith("may not be read: The cluster knows you as")
        assert found["policies admission"]["value"].startswith("may not be read: The cluster knows you as")
        assert (found["rights Jobs"]["value"] == "enough to submit") is enough
        # The user with the role sees that this namespace has no ConfigMap of the store; the other one sees nothing.
        assert code == (2 if enough else 0)
