"""Pod spec of a plan: no privileges, no token, and a read-only root file system."""

from __future__ import annotations

from typing import Any

from phase2.cluster.manifests.group import group_pod, group_variables
from phase2.cluster.manifests.installed import (
    installed_variables,
    metrics_port,
    notification_variables,
    tracking_variables,
)
from phase2.cluster.manifests.protection import readiness
from phase2.cluster.plan import SERVICE_ACCOUNT, STORE_CONFIG_MAP, TERMINATION_LOG, WORK, Plan, Volume
from phase2.cluster.request.resources import ClusterRequest

CONTAINER = "train"
USER = 10001

_DOWNWARD = {
    "PHASE2_POD_NAME": "metadata.name",
    "PHASE2_POD_NAMESPACE": "metadata.namespace",
    "PHASE2_NODE_NAME": "spec.nodeName",
}


def pod_security() -> dict[str, Any]:
    """Return the security context of a pod under the Pod Security level ``restricted``."""
    return {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": USER,
        "fsGroup": USER,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def container_security() -> dict[str, Any]:
    """Return the security context of a container under the same level, with a read-only root file system."""
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def downward_api_variables() -> list[dict[str, Any]]:
    """Return the environment variables that hold the names of the pod, its namespace and its node."""
    return [{"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in _DOWNWARD.items()]


def pod_spec(plan: Plan) -> dict[str, Any]:
    """Build the pod spec of a plan; it satisfies the Pod Security level ``restricted``."""
    cluster = plan.cluster
    spec: dict[str, Any] = {
        "restartPolicy": "Never",
        "serviceAccountName": SERVICE_ACCOUNT,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": cluster.grace_seconds,
        "securityContext": pod_security(),
        "containers": [_container(plan)],
        "volumes": [_volume(volume) for volume in plan.volumes],
    }
    if cluster.priority is not None:
        spec["priorityClassName"] = cluster.priority
    return spec | group_pod(plan) | placement(cluster)


def placement(cluster: ClusterRequest) -> dict[str, Any]:
    """Return the fields of a pod spec that say which nodes it may run on, and how they run it."""
    fields: dict[str, Any] = {
        "runtimeClassName": cluster.runtime_class,
        "nodeSelector": dict(cluster.node_selector),
        "tolerations": [toleration.manifest() for toleration in cluster.tolerations],
        "affinity": dict(cluster.affinity or {}),
        "topologySpreadConstraints": list(cluster.topology_spread),
    }
    return {name: value for name, value in fields.items() if value}


def resources(cluster: ClusterRequest) -> dict[str, Any]:
    """Return the resources of the container that trains."""
    requests = {"cpu": cluster.cpu.text, "memory": cluster.memory.text}
    limits = {"memory": cluster.memory.text}
    if cluster.cpu_limit is not None:
        limits["cpu"] = cluster.cpu_limit.text
    if cluster.ephemeral_storage is not None:
        requests["ephemeral-storage"] = limits["ephemeral-storage"] = cluster.ephemeral_storage.text
    if cluster.gpus:
        requests[cluster.gpu_resource] = limits[cluster.gpu_resource] = str(cluster.gpus)
    return {"requests": requests, "limits": limits}


def _container(plan: Plan) -> dict[str, Any]:
    protected = plan.cluster.protect_hours
    return {
        "name": CONTAINER,
        "image": plan.cluster.image.reference,
        "imagePullPolicy": plan.cluster.pull_policy,
        "args": list(plan.command[1:]),  # the image's entry point is phase2
        "workingDir": WORK,
        "env": [
            *({"name": name, "value": value} for name, value in plan.environment.items()),
            *group_variables(plan),
            *downward_api_variables(),
            *installed_variables(),
            *tracking_variables(),
            *notification_variables(),
        ],
        "ports": [metrics_port()],
        "envFrom": [{"configMapRef": {"name": STORE_CONFIG_MAP}}, {"secretRef": {"name": plan.cluster.store_secret}}],
        "resources": resources(plan.cluster),
        "securityContext": container_security(),
        "terminationMessagePath": TERMINATION_LOG,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [_mount(volume) for volume in plan.volumes],
        **({} if protected is None else {"readinessProbe": readiness(protected)}),
    }


def _volume(volume: Volume) -> dict[str, Any]:
    sources: dict[str, dict[str, Any]] = {
        "folder": {"emptyDir": {}},
        "memory": {"emptyDir": {"medium": "Memory", **({} if volume.size is None else {"sizeLimit": volume.size})}},
        "claim": {"persistentVolumeClaim": {"claimName": volume.source}},
        "config": {"configMap": {"name": volume.source, "optional": True}},
    }
    return {"name": volume.name, **sources[volume.kind]}


def _mount(volume: Volume) -> dict[str, Any]:
    mount: dict[str, Any] = {"name": volume.name, "mountPath": volume.path}
    if volume.kind == "config":
        mount["readOnly"] = True
    return mount
