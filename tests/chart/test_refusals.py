"""Wrong values are refused before anything is installed, and it is said which and why."""

import pytest

# (what is given, words that must be said)
WRONG = [
    ("imgae.tag=1", ["additional properties 'imgae' not allowed"]),
    ("image.digset=x", ["/image", "additional properties 'digset' not allowed"]),
    ("image.repository=Registry/Phase2", ["/image/repository", "does not match pattern"]),
    ("image.digest=sha256:12", ["/image/digest", "'sha256:12' does not match pattern"]),
    ("image.pullPolicy=Sometimes", ["/image/pullPolicy", "'IfNotPresent', 'Always', 'Never'"]),
    ("store.url=/data", ["/store/url", "does not match pattern"]),
    ("store.url=s3://key:word@bucket", ["/store/url", "does not match pattern"]),
    ("store.endpoint=https://key:word@s3.example.com", ["/store/endpoint", "does not match pattern"]),
    ("store.pathStyle=yes", ["/store/pathStyle", "'auto', 'always', 'never'"]),
    ("store.existingSecret=My_Keys", ["/store/existingSecret", "does not match pattern"]),
    ("serviceAccount.create=perhaps", ["/serviceAccount/create", "got string, want boolean"]),
    ("submitters.groups=phase2-submitters", ["/submitters/groups", "got string, want array"]),
    ("dataCache.size=large", ["/dataCache/size", "does not match pattern"]),
    ("dataCache.accessModes={ReadOnlyMany}", ["/dataCache/accessModes/0", "'ReadWriteOnce', 'ReadWriteMany'"]),
    ("dataCache.accessModes=null", ["/dataCache", "missing property 'accessModes'"]),
    ("network.storePorts={0}", ["/network/storePorts/0", "minimum: got 0, want 1"]),
    ("network.storeCIDRs={s3.example.com}", ["/network/storeCIDRs/0", "does not match pattern"]),
    ("network.storePort=https", ["/network/storePort", "got string, want integer"]),
    ("network.nameServerNamespace=Kube", ["/network/nameServerNamespace", "does not match pattern"]),
    ("quota.hard.pods=many", ["/quota/hard/pods", "does not match pattern"]),
    ("quota.hard.pods=-1", ["/quota/hard/pods", "minimum: got -1, want 0"]),
    ("quota.hard.pods=true", ["/quota/hard/pods", "got boolean, want number or string"]),
    ("limitRange.memory=8GB", ["/limitRange/memory", "does not match pattern"]),
    ("priorityClass.value=2000000000", ["/priorityClass/value", "maximum: got 2×10⁰⁹"]),
    ("admission.byDigest=true", ["/admission/byDigest", "'auto', 'always', 'never'"]),
    ("argo.enabled=auto", ["/argo/enabled", "got string, want boolean"]),
    ("argo.parallel=0", ["/argo/parallel", "minimum: got 0, want 1"]),
    ("argo.controllers={argo}", ["/argo/controllers/0", "does not match pattern"]),
    ("admission.exemptGroups={o'hara}", ["/admission/exemptGroups/0", "does not match pattern"]),
    ("kueue.queue=My_Queue", ["/kueue/queue", "does not match pattern"]),
    ("nightly.level=huge", ["/nightly/level", "'smoke', 'lite', 'std', 'pro', 'max'"]),
    ("nightly.algorithm=gcn", ["/nightly/algorithm", "'e3nn', 'cgcnn'"]),
    ("nightly.schedule=at night", ["/nightly/schedule", "does not match pattern"]),
    ("retention.olderThan=30", ["/retention/olderThan", "got number, want string"]),
    ("retention.keepBest=-1", ["/retention/keepBest", "minimum: got -1, want 0"]),
    ("test.epochs=0.5", ["/test/epochs", "want integer"]),
    ("runs.prices.coreHour=-1", ["/runs/prices/coreHour", "minimum: got -1, want 0"]),
    ("runs.prices.coreHour=1", ["/runs/prices", "'currency'"]),
    ("runs.prices.gpuHour.gpu=1", ["/runs/prices", "'gpu' does not match pattern"]),
    ("runs.prices.gpuHours=1", ["/runs/prices", "additional properties 'gpuHours' not allowed"]),
    ("pods.gpuResource=gpu", ["/pods/gpuResource", "does not match pattern"]),
    ("pods.gpus=17", ["/pods/gpus", "maximum: got 17, want 16"]),
    ("pods.memory=8", ["/pods/memory", "minimum: got 8, want 6.4×10⁰⁷"]),
    ("pods.affinity.nodeAfinity=x", ["/pods/affinity", "additional properties 'nodeAfinity' not allowed"]),
    ("pods.workSizeLimit=much", ["/pods/workSizeLimit", "does not match pattern"]),
    ("image.registry=https://registry.example.com", ["/image/registry", "does not match pattern"]),
    ("nameOverride=Materials", ["/nameOverride", "does not match pattern"]),
    ("commonAnnotations.team=1", ["/commonAnnotations/team", "got number, want string"]),
    ("pods.tolerations[0].effect=NoSchedul", ["/pods/tolerations/0/effect", "'NoSchedule'"]),
    ("pods.tolerations[0].kye=gpu", ["/pods/tolerations/0", "additional properties 'kye' not allowed"]),
    ("minio.secretAccessKey=short", ["/minio/secretAccessKey", "does not match pattern"]),
    ("clusterSuffix=second", ["/clusterSuffix", "does not match pattern"]),
    ("commonLabels.team=a b", ["/commonLabels/team", "does not match pattern"]),
]

# What each value alone may be, and together they may not.
CONTRADICTIONS = [
    (["store.accessKeyId=key"], "store.accessKeyId and store.secretAccessKey go together"),
    (["store.accessKeyId=key", "store.secretAccessKey=word"], "add --set store.existingSecret="),
    (["store.existingSecret="], "Nothing says how the store is opened"),
    (["minio.enabled=true", "store.endpoint=https://s3.example.com"], "minio.enabled brings a store of its own"),
    (["minio.enabled=true"], "minio.enabled needs a key, and none is made while rendering"),
    (["minio.enabled=true", "minio.secretAccessKey=long-enough", "minio.existingSecret=keys"], "exclude each other"),
    (["minio.enabled=true", "minio.existingSecret=keys", "store.existingSecret="], "pods need the same keys"),
    (["admission.byDigest=always"], "Give image.digest."),
    (["admission.images={other/phase2}"], "admission.images does not have the image's repository (localhost/phase2)"),
    (["kueue.clusterQueue=research"], "name the LocalQueue that is to be made"),
    (["pods.gpus=1"], "quota.hard allows no GPU"),
    (["store.endpoint=https://s3.example.com:9443"], "store.endpoint is on port 9443"),
    (["store.endpoint=http://minio.minio.svc:9000"], "network.storeNamespace"),
    (["store.endpoint=http://s3.example.com"], "store.endpoint is on port 80"),
    ([r"quota.hard.limits\.cpu=64"], "requests.cpu limits the cores"),
    (["monitoring.podMonitor.create=true"], "set monitoring.enabled or observer.enabled"),
    (
        ["pods.gpus=1", "pods.gpuResource=amd.com/gpu", r"quota.hard.requests\.amd\.com/gpu=0"],
        "raise requests.amd.com/gpu there",
    ),
]


@pytest.mark.parametrize(("given", "words"), WRONG, ids=[given for given, _ in WRONG])
def test_a_wrong_value_is_refused_with_its_place_and_what_would_do(helm, given, words):
    said = helm.refusal("--set", given)
    assert "values don't meet the specifications of the schema" in said
    for word in words:
        assert word in said


@pytest.mark.parametrize(("given", "words"), CONTRADICTIONS, ids=[",".join(given) for given, _ in CONTRADICTIONS])
def test_values_that_contradict_each_other_are_refused_in_one_sentence(helm, given, words):
    said = helm.refusal(*(word for one in given for word in ("--set", one)))
    assert words in said


def test_an_old_cluster_is_refused(helm):
    assert "kubeVersion: >=1.31.0-0" in helm.refusal("--kube-version", "1.30.0")


_CONNECTED = ["--api-versions", "apiregistration.k8s.io/v1/APIService", "--set", "argo.enabled=true"]


def test_a_cluster_without_argo_is_told_to_install_it_first(helm):
    """Every cluster serves APIServices; ``helm template`` by itself knows of no cluster, and takes argo.enabled."""
    assert "this cluster has no Argo Workflows" in helm.refusal(*_CONNECTED)
    assert helm.objects("default", *_CONNECTED, "--api-versions", "argoproj.io/v1alpha1/WorkflowTemplate")
