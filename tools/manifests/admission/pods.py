"""The pod of a Job, compared field by field with the one that phase2 makes."""

from collections.abc import Mapping
from typing import Any

from phase2.cluster.manifests.pod import CONTAINER
from phase2.cluster.request.resources import NVIDIA_GPUS, PULL_POLICIES
from tools.manifests.cel import cel_literal
from tools.manifests.yaml_text import Manifest

from . import samples
from .comparison import equal, must, only, text_in, whole

_POD = "spec.template.spec."
_CONTAINER = f"{_POD}containers[0]."
_MAX_GRACE = 3600
_SAME_IN_POD = ("restartPolicy", "serviceAccountName", "automountServiceAccountToken", "enableServiceLinks")
_PLACED = (
    "nodeSelector", "tolerations", "affinity", "topologySpreadConstraints", "priorityClassName", "runtimeClassName",
)  # fmt: skip
_DEFAULTED = {"dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler"}
_SAME_IN_CONTAINER = ("workingDir", "securityContext", "terminationMessagePath", "terminationMessagePolicy")
_CONTAINER_FIELDS = ("name", "image", "imagePullPolicy", "args", "env", "envFrom", "resources", "volumeMounts")
_RESOURCES = ("cpu", "memory", "ephemeral-storage")
_MODE = 0o644
_HOURS = "^[0-9]{1,3}([.][0-9]{1,9})?$"


def pod_differences(job: Manifest) -> list[str]:
    """Return expressions of the paths where ``variables.pod`` is not the pod of a Job.

    Args:
        job: The Job that phase2 makes.
    """
    pod = samples.pod_of(job)
    place = "variables.pod"
    known = [*_SAME_IN_POD, *_PLACED, *_DEFAULTED, "serviceAccount", "securityContext", "containers", "volumes"]
    named: list[str] = []
    if "subdomain" in pod:  # of a group alone
        known.append("subdomain")
        expected = f"{place}.?subdomain.orValue('') == (variables.together ? '{pod['subdomain']}' : '')"
        named = [must(expected, f"{_POD}subdomain")]
    return [
        *named,
        only((*known, "terminationGracePeriodSeconds"), place, _POD),
        *(equal(place, field, pod[field], _POD) for field in (*_SAME_IN_POD, "securityContext")),
        *(equal(place, field, value, _POD) for field, value in _DEFAULTED.items()),
        whole(place, "terminationGracePeriodSeconds", 1, _MAX_GRACE, _POD),
        # A class of Kubernetes itself would drive out everybody's runs.
        must(f"!{place}.?priorityClassName.orValue('').startsWith('system-')", f"{_POD}priorityClassName"),
        # One that the administrator does not name could be a weaker sandbox than that of the installation.
        must(
            f"!has({place}.runtimeClassName) || {place}.runtimeClassName in variables.runtimeClasses",
            f"{_POD}runtimeClassName",
        ),
        must(f"{place}.containers.size() == 1", f"{_POD}containers"),
        f"{place}.?volumes.orValue([]).filter(v, !({_one_of_volumes(pod)})).map(v, '{_POD}volumes.' + v.name)",
    ]


def container_differences(job: Manifest, arguments: str, variables: Mapping[str, str]) -> list[str]:
    """Return expressions of the paths where ``variables.container`` is not the container of a Job.

    Args:
        job: The Job that phase2 makes.
        arguments: Condition of the arguments.
        variables: Condition of the value of each variable that has one, by its name.
    """
    container, place = samples.container_of(job), "variables.container"
    known = [*_CONTAINER_FIELDS, *_SAME_IN_CONTAINER]
    checks = [
        equal(place, "name", CONTAINER, _CONTAINER),
        must(f"{place}.imagePullPolicy in {cel_literal(list(PULL_POLICIES))}", f"{_CONTAINER}imagePullPolicy"),
        *(equal(place, field, container[field], _CONTAINER) for field in _SAME_IN_CONTAINER),
        must(f"has({place}.args) && {arguments}", f"{_CONTAINER}args"),
        only(("requests", "limits"), f"{place}.?resources.orValue({{}})", f"{_CONTAINER}resources."),
        *(_resources(f"{place}.?resources.?{field}.orValue({{}})", field) for field in ("requests", "limits")),
        f"{place}.?env.orValue([]).filter(e, !({_one_of_variables(container, variables)}))"
        f".map(e, '{_CONTAINER}env.' + e.name)",
        must(_env_from(container), f"{_CONTAINER}envFrom"),
        f"{place}.?volumeMounts.orValue([]).filter(m, !(m in {cel_literal(container['volumeMounts'])}))"
        f".map(m, '{_CONTAINER}volumeMounts.' + m.name)",
    ]
    if "ports" in container:
        known.append("ports")
        ports = [{**port, "protocol": "TCP"} for port in container["ports"]]
        checks.append(equal(place, "ports", ports, _CONTAINER))
    if "readinessProbe" in container:
        known.append("readinessProbe")
        checks.append(must(_probe(container["readinessProbe"]), f"{_CONTAINER}readinessProbe"))
    return [only(known, place, _CONTAINER), *checks]


def is_gpu(word: str) -> str:
    """Return the condition that a resource of nodes is a GPU: by NVIDIA's names, or those of ``variables.gpus``."""
    return f"({word}.matches({cel_literal(f'^{NVIDIA_GPUS}$')}) || {word} in variables.gpus)"


def _resources(place: str, field: str) -> str:
    """Return the expression of resources that no run has: a device plugin may give a pod any device of its node."""
    known = cel_literal(list(_RESOURCES))
    return f"{place}.filter(key, !(key in {known} || {is_gpu('key')})).map(key, '{_CONTAINER}resources.{field}.' + key)"


def _one_of_volumes(pod: Manifest) -> str:
    """Return the condition that ``v`` is a volume of the pod, or an empty folder instead of the cache."""
    exact: list[dict[str, Any]] = []
    claims: list[str] = []
    memory: list[str] = []
    for volume in pod["volumes"]:
        if "persistentVolumeClaim" in volume:
            claims.append(volume["name"])
        elif volume.get("emptyDir", {}).get("medium") == "Memory":
            exact.append({"name": volume["name"], "emptyDir": {"medium": "Memory"}})
            memory.append(volume["name"])
        elif "configMap" in volume:
            exact.append({"name": volume["name"], "configMap": {**volume["configMap"], "defaultMode": _MODE}})
        else:
            exact.append(volume)
    claim = "{'name': v.name, 'persistentVolumeClaim': dyn({'claimName': name})}"
    of_claim = f" || v.name in {cel_literal(claims)} && variables.claims.exists(name, v == {claim})" if claims else ""
    size = "dyn({'medium': dyn('Memory'), 'sizeLimit': v.emptyDir.sizeLimit})"
    sized = f" || v.name in {cel_literal(memory)} && has(v.emptyDir) && has(v.emptyDir.sizeLimit)"
    of_memory = f"{sized} && v == {{'name': v.name, 'emptyDir': {size}}}" if memory else ""
    return f"v in {cel_literal(exact)}{of_claim}{of_memory}"


def _one_of_variables(container: Manifest, values: Mapping[str, str]) -> str:
    """Return the condition that ``e`` is a variable of the container."""
    sources = [_defaulted(one) for one in container["env"] if "valueFrom" in one]
    conditions = [f"e.name == '{name}' && e == {{'name': e.name, 'value': e.?value.orValue('')}} && ({text})"
                  for name, text in values.items()]  # fmt: skip
    return " || ".join([f"e in {cel_literal(sources)}", *conditions])


def _defaulted(variable: dict[str, Any]) -> dict[str, Any]:
    """Return a variable as the API server completes it."""
    source = dict(variable["valueFrom"])
    if "fieldRef" in source:
        source["fieldRef"] = {"apiVersion": "v1", **source["fieldRef"]}
    return {"name": variable["name"], "valueFrom": source}


def _env_from(container: Manifest) -> str:
    """Return the condition that the environment is that of the store: its ConfigMap, and a Secret that is allowed."""
    settings, _ = container["envFrom"]
    return (
        "has(variables.container.envFrom) && variables.container.envFrom.size() == 2"
        f" && variables.container.envFrom[0] == {cel_literal(settings)}"
        " && variables.secrets.exists(name, variables.container.envFrom[1] == {'secretRef': {'name': name}})"
    )


def _probe(probe: Manifest) -> str:
    """Return the condition of the readiness probe, whose last word alone may vary."""
    *words, _ = probe["exec"]["command"]
    place = "variables.container.readinessProbe"
    fixed = {"periodSeconds", "timeoutSeconds", "failureThreshold"}
    expected = cel_literal({**{key: probe[key] for key in sorted(fixed)}, "successThreshold": 1})
    command = f"{place}.exec.command"
    return (
        f"!has(variables.container.readinessProbe) || {place}.filter(key, key != 'exec').all(key, "
        f"key in {expected} && {place}[key] == {expected}[key]) && has({place}.exec)"
        f" && {command}.size() == {len(words) + 1} && {command}[{len(words)}].matches('{_HOURS}')"
        f" && {cel_literal(words)} == [{', '.join(f'{command}[{index}]' for index in range(len(words)))}]"
    )


def value_conditions(container: Manifest, shapes: Mapping[str, str]) -> dict[str, str]:
    """Return the condition of the value of each variable of a container: a shape, or the very value.

    Args:
        container: The container.
        shapes: Conditions of the values that a request sets, by the name of the variable.
    """
    given = {one["name"]: one["value"] for one in container["env"] if "value" in one}
    return {name: shapes.get(name, f"e.value == {cel_literal(value)}") for name, value in given.items()}


def text_shape(*patterns: str) -> str:
    """Return the condition that a variable's value has a shape."""
    return text_in("e.value", patterns)
