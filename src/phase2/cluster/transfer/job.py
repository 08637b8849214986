"""Job manifest of a transfer. Pure.

Its pods have the labels of pods that train, since network policies let those reach the store; the Job itself has
another component, so that it is in no list of runs. The admission policy phase2-jobs accepts no other Job of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from phase2.cluster.labels import COMPONENT_LABEL, NAME_LABEL
from phase2.cluster.manifests.job import FINAL_EXIT_CODES
from phase2.cluster.manifests.pod import CONTAINER, container_security, pod_security
from phase2.cluster.plan import (
    CA_CONFIG_MAP,
    CA_FOLDER,
    SERVICE_ACCOUNT,
    STORE_CONFIG_MAP,
    TERMINATION_LOG,
    WORK,
)

COMPONENT = "transfer"
PARALLEL = 2
KEEP_SECONDS = 120
"""Time after which the cluster removes a Job that ended and was not deleted."""

# A node may have to pull the image first.
_START_SECONDS, _PART_SECONDS = 900, 20
_RETRIES = 3
_RESOURCES = {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"memory": "512Mi"}}


def transfer_job(
    name: str, arguments: Sequence[str], *, namespace: str, image: str, secret: str, parts: int = 1
) -> dict[str, Any]:
    """Build the Job whose pods run ``phase2 transfer``.

    Args:
        name: Name of the Job.
        arguments: Arguments of ``phase2 transfer``.
        namespace: Namespace of the installation.
        image: Reference of the container image.
        secret: Secret with the access keys of the store.
        parts: Number of pods, each of which has a number from 0 on.
    """
    labels = {NAME_LABEL: "phase2", "app.kubernetes.io/managed-by": "phase2", "app.kubernetes.io/part-of": "phase2"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": namespace, "labels": {**labels, COMPONENT_LABEL: COMPONENT}},
        "spec": {
            "completionMode": "Indexed",
            "completions": parts,
            "parallelism": min(parts, PARALLEL),
            "backoffLimit": _RETRIES,
            "activeDeadlineSeconds": _START_SECONDS + _PART_SECONDS * parts,
            "ttlSecondsAfterFinished": KEEP_SECONDS,
            "podFailurePolicy": {"rules": _failure_rules()},
            "template": {
                "metadata": {"labels": {**labels, COMPONENT_LABEL: "training"}},
                "spec": _pod(["transfer", *arguments], image, secret),
            },
        },
    }


def _failure_rules() -> list[dict[str, Any]]:
    codes = {"containerName": CONTAINER, "operator": "In", "values": list(FINAL_EXIT_CODES)}
    return [
        {"action": "FailJob", "onExitCodes": codes},
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
    ]


def _pod(arguments: list[str], image: str, secret: str) -> dict[str, Any]:
    return {
        "restartPolicy": "Never",
        "serviceAccountName": SERVICE_ACCOUNT,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 5,
        "securityContext": pod_security(),
        "containers": [
            {
                "name": CONTAINER,
                "image": image,
                "imagePullPolicy": "IfNotPresent",
                "args": arguments,
                "workingDir": WORK,
                "env": [
                    {"name": "PHASE2_TERMINATION_LOG", "value": TERMINATION_LOG},
                    {"name": "HOME", "value": "/tmp"},  # noqa: S108 - a volume of the pod
                ],
                "envFrom": [{"configMapRef": {"name": STORE_CONFIG_MAP}}, {"secretRef": {"name": secret}}],
                "resources": _RESOURCES,
                "securityContext": container_security(),
                "terminationMessagePath": TERMINATION_LOG,
                "terminationMessagePolicy": "FallbackToLogsOnError",
                "volumeMounts": [
                    {"name": "work", "mountPath": WORK},
                    {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - likewise
                    {"name": "ca", "mountPath": CA_FOLDER, "readOnly": True},
                ],
            }
        ],
        "volumes": [
            {"name": "work", "emptyDir": {"sizeLimit": "64Mi"}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
            {"name": "ca", "configMap": {"name": CA_CONFIG_MAP, "optional": True}},
        ],
    }
