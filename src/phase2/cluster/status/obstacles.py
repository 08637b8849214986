"""What keeps a pod from being created or started, in words, and what to do about it. Pure.

The messages are those of the scheduler, the kubelet, the volume controllers and the API server. Argo repeats them in
the nodes of a Workflow, so that a Job and a Workflow have the same sentence for the same obstacle.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from phase2.cluster.request.quotas import quota_message

_PULL = {"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "RegistryUnavailable", "ImageInspectError"}
_CANNOT_START = {
    "CreateContainerError",
    "RunContainerError",
    "CreateContainerConfigError",
    "StartError",
    "PreStartHookError",
    "PreCreateHookError",
    "CrashLoopBackOff",
}
_PULL_CAUSES = (
    ("not found", "not found in the registry"),
    ("unauthorized", "the registry rejects the credentials"),
    ("authorization failed", "the registry rejects the credentials"),
    ("connection refused", "the registry does not answer (connection refused)"),
    ("no such host", "the registry's host name does not exist"),
    ("i/o timeout", "the registry does not answer (timeout)"),
    ("toomanyrequests", "the registry limits the rate of pulls"),
    ("x509:", "the registry's certificate is not trusted by the node"),
)

_MISSING = re.compile(r"\b(?P<kind>secret|configmap|persistentvolumeclaim) [\"'](?P<name>[^\"']+)[\"'] not found", re.I)
_MISSING_KEY = re.compile(r"couldn't find key (?P<key>\S+) in (?P<kind>Secret|ConfigMap) [^/\s]+/(?P<name>\S+)")
_KINDS = {"secret": "Secret", "configmap": "ConfigMap", "persistentvolumeclaim": "PersistentVolumeClaim"}
_SERVICE_ACCOUNT_SUFFIX = ".service-account-token"
_NO_CLASS = "no storage class is set"
_REJECTIONS = (
    "violates PodSecurity",
    "no PriorityClass with name",
    "error looking up service account",
    "admission webhook",
    "ValidatingAdmissionPolicy",
)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Something that keeps a pod from running until somebody acts.

    Attributes:
        message: What is wrong, to follow "it".
        fix: What to do about it, if there is something to say; a whole sentence is message and fix.
    """

    message: str
    fix: str = ""


def container_obstacle(reason: str, message: str, *, image: str | None, namespace: str) -> Obstacle | None:
    """Return why a container does not start; None if it is merely being started.

    Args:
        reason: Reason of its state ``waiting``.
        message: Message of that state, or a more detailed one of an event.
        image: Its image, if known.
        namespace: Namespace of the pod.
    """
    if reason in _PULL:
        which = "its image, which" if image is None else f"its image: {image}"
        return Obstacle(f"waits for {which} cannot be pulled: {_pull_error(message)}")
    if reason == "InvalidImageName":
        return Obstacle(f"cannot start: '{image or 'its image'}' is not a valid image name")
    if reason in _CANNOT_START:
        return missing_object(message, namespace) or Obstacle(f"cannot start: {_quoted(message) or reason}")
    return None


def mount_obstacle(message: str, namespace: str) -> Obstacle:
    """Return why the volumes of a pod cannot be mounted.

    Args:
        message: Message of an event ``FailedMount`` or ``FailedAttachVolume``.
        namespace: Namespace of the pod.
    """
    return missing_object(message, namespace) or Obstacle(f"waits for a volume: {flat(message)}")


def scheduling_obstacle(message: str, namespace: str) -> Obstacle:
    """Return why a pod has no node.

    Args:
        message: Message of the condition ``PodScheduled``.
        namespace: Namespace of the pod.
    """
    # "0/3 nodes are available: 3 Insufficient nvidia.com/gpu. preemption: ..." - the second sentence does not help.
    text = flat(message).partition(" preemption: ")[0].partition(" no new claims ")[0].rstrip(". ")
    return missing_object(text, namespace) or Obstacle(f"cannot be scheduled on any node: {text or 'no node fits'}")


def claim_obstacle(claim: str, message: str) -> Obstacle:
    """Return why a PersistentVolumeClaim is not bound.

    Args:
        claim: Name of the claim.
        message: Message of its event ``FailedBinding`` or ``ProvisioningFailed``.
    """
    what = f"waits for a volume: the PersistentVolumeClaim '{claim}' is not bound"
    if _NO_CLASS in message:
        return Obstacle(
            f"{what}: no volume fits, and the cluster has no default StorageClass",
            "name a StorageClass for the claim, or mark one as the default (kubectl get storageclass)",
        )
    return Obstacle(f"{what}: {_quoted(message).rstrip('.')}")


def creation_obstacle(message: str) -> Obstacle:
    """Return why the API server refuses to create a pod.

    Args:
        message: Message of an event ``FailedCreate`` of a Job, or of a node of a Workflow.
    """
    quota = quota_message(message)
    if quota is not None:
        return Obstacle(f"gets no pod: {quota}")
    text = flat(message).removeprefix("Error creating: ").rstrip(".")
    start = min((text.index(marker) for marker in _REJECTIONS if marker in text), default=0)
    return Obstacle(f"gets no pod: {text[start:]}")


def is_refused_creation(message: str) -> bool:
    """Whether a message says that the API server refused to create a pod."""
    return "is forbidden: " in message or "denied the request" in message or "denied request: " in message


def missing_object(message: str, namespace: str) -> Obstacle | None:
    """Return which Secret, ConfigMap or claim a message says is missing, and how to create it; None if it names none.

    Args:
        message: Message of any component.
        namespace: Namespace of the pod.
    """
    found = _MISSING.search(message)
    if found is not None:
        kind, name = _KINDS[found["kind"].lower()], found["name"]
        return Obstacle(
            f"cannot start: the {kind} '{name}' is missing in the namespace {namespace}",
            _creation(kind, name, namespace),
        )
    key = _MISSING_KEY.search(message)
    if key is None:
        return None
    what = f"cannot start: the {key['kind']} '{key['name']}' of the namespace {namespace} has no key {key['key']}"
    return Obstacle(what, f"add it: kubectl -n {namespace} edit {key['kind'].lower()} {key['name']}")


def flat(text: str) -> str:
    """Return a text in one line."""
    return " ".join(text.split())


def _creation(kind: str, name: str, namespace: str) -> str:
    if kind == "PersistentVolumeClaim":
        return f"have it created, as k8s/base and the chart do (kubectl -n {namespace} get pvc shows which there are)"
    if name.endswith(_SERVICE_ACCOUNT_SUFFIX):
        return "have the service accounts of argo/ or of the chart installed again"
    word = "secret generic" if kind == "Secret" else "configmap"
    return f"create it: kubectl -n {namespace} create {word} {name} --from-env-file=/dev/stdin"


def _pull_error(message: str) -> str:
    """Return the error of the registry, without the messages that kubelet and containerd wrap around it."""
    text = flat(message)
    known = (cause for pattern, cause in _PULL_CAUSES if pattern in text.lower())
    return next(known, None) or text.rstrip(". ") or "the registry does not say why"


def _quoted(message: str) -> str:
    return flat(message.replace('"', "'"))
