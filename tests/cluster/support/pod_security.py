"""The Pod Security level "restricted" (https://kubernetes.io/docs/concepts/security/pod-security-standards/)."""

from collections.abc import Iterator
from typing import Any

VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}


def violations(pod: dict[str, Any]) -> Iterator[str]:
    """Yield what a pod does that "restricted" forbids."""
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(name):
            yield name
    for volume in pod.get("volumes", ()):
        if kinds := set(volume) - {"name"} - VOLUMES:
            yield f"volume of kind {', '.join(kinds)}"
    shared = pod.get("securityContext", {})
    for container in (*pod.get("containers", ()), *pod.get("initContainers", ())):
        own = container.get("securityContext", {})
        yield from (f"{container['name']}: {found}" for found in _of_container(container, shared | own, own))


def _of_container(container: dict[str, Any], context: dict[str, Any], own: dict[str, Any]) -> Iterator[str]:
    if own.get("privileged"):
        yield "privileged"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "may escalate privileges"
    if own.get("capabilities", {}).get("drop") != ["ALL"] or own.get("capabilities", {}).get("add"):
        yield "keeps capabilities"
    if context.get("runAsNonRoot") is not True or context.get("runAsUser") == 0:
        yield "may run as root"
    if context.get("seccompProfile", {}).get("type") not in {"RuntimeDefault", "Localhost"}:
        yield "has no seccomp profile"
    if any("hostPort" in port for port in container.get("ports", ())):
        yield "takes a port of the host"
