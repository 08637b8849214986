"""Quantities are numbers or texts, as Kubernetes takes them, and reach objects as they were meant."""

import pytest

from .rendering import named, pod_specs


def nightly(things):
    (container,) = pod_specs(things)["CronJob/phase2-nightly"]["containers"]
    return container["resources"]


@pytest.mark.parametrize(("given", "written"), [("1", "1"), ("0.5", "0.5"), ("500m", "500m")])
def test_cores_are_a_number_or_a_text(helm, given, written):
    assert nightly(helm.objects("default", "--set", f"pods.cpu={given}"))["requests"]["cpu"] == written


def test_numbers_of_a_file_are_written_as_they_are(helm, tmp_path):
    """Helm reads numbers of files as floats, which templates print as 1e+06."""
    values = tmp_path / "values.yaml"
    values.write_text(
        "priorityClass: {value: 100000000}\ntest: {maxSamples: 1000000}\npods: {cpu: 1.5, memory: 8589934592}\n"
        "quota: {hard: {pods: 20000000, requests.cpu: 64}}\ndataCache: {size: 21474836480}\n"
        "limitRange: {cpu: 0.5, memory: 1073741824}\n"
    )
    things = helm.objects("default", "--values", values)
    assert named(things, "PriorityClass", "phase2-training")["value"] == 100_000_000
    assert "--max-samples 1000000 " in str(things).replace("', '", " ")
    assert nightly(things)["requests"] == {"cpu": "1.5", "memory": "8589934592"}
    hard = named(things, "ResourceQuota")["spec"]["hard"]
    assert (hard["pods"], hard["requests.cpu"], hard["limits.memory"]) == ("20000000", "64", "256Gi")
    claim = named(things, "PersistentVolumeClaim", "phase2-data-cache")
    assert claim["spec"]["resources"]["requests"]["storage"] == "21474836480"
    (limit,) = named(things, "LimitRange")["spec"]["limits"]
    assert limit["defaultRequest"] == {"cpu": "0.5", "memory": "1073741824"}


def test_no_gpu_in_the_quota_is_a_number_too(helm):
    words = ["--set", r"quota.hard.requests\.nvidia\.com/gpu=0", "--set", "pods.gpus=1"]
    assert "quota.hard allows no GPU" in helm.refusal(*words)


def test_disk_is_asked_for_and_limited(helm):
    words = ["--set", "pods.ephemeralStorage=20Gi", "--set", "pods.workSizeLimit=10Gi"]
    things = helm.objects("default", *words, "--set", "dataCache.enabled=false")
    asked = nightly(things)
    assert asked["requests"]["ephemeral-storage"] == asked["limits"]["ephemeral-storage"] == "20Gi"
    volumes = {one["name"]: one for one in pod_specs(things)["CronJob/phase2-nightly"]["volumes"]}
    assert volumes["work"]["emptyDir"] == volumes["cache"]["emptyDir"] == {"sizeLimit": "10Gi"}
    assert volumes["tmp"]["emptyDir"] == {}


def test_affinity_and_spread_are_those_of_a_pod(helm, tmp_path):
    values = tmp_path / "values.yaml"
    term = "{matchExpressions: [{key: zone, operator: In, values: [a]}]}"
    required = f"requiredDuringSchedulingIgnoredDuringExecution: {{nodeSelectorTerms: [{term}]}}"
    spread = "{maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway}"
    values.write_text(f"pods:\n  affinity: {{nodeAffinity: {{{required}}}}}\n  topologySpreadConstraints: [{spread}]\n")
    things = helm.objects("default", "--values", values)
    for name, spec in pod_specs(things).items():
        assert "nodeAffinity" in spec["affinity"], name
        assert spec["topologySpreadConstraints"][0]["maxSkew"] == 1, name
