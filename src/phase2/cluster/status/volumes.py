"""Volumes that keep a pod from a node or from starting, according to events. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from phase2.cluster.objects import Object, event_message, namespace_of
from phase2.cluster.status.obstacles import Obstacle, claim_obstacle, mount_obstacle

_MOUNT_EVENTS = ("FailedMount", "FailedAttachVolume")
_AFTER_MOUNT = ("Pulling", "Pulled", "Created", "Started")
_CLAIM_EVENTS = ("FailedBinding", "ProvisioningFailed")
# The scheduler names the claims, or its plugin, when a volume keeps a pod from a node; an event says why.
_ABOUT_VOLUMES = re.compile(r"PersistentVolumeClaim|persistent volume|VolumeBinding|binding volumes")


def unbound_claim(pod: Object, message: str, events: Sequence[Object]) -> Obstacle | None:
    """Return which claim of an unscheduled pod is not bound, and why; None if no event says so.

    Args:
        pod: The pod.
        message: Why the scheduler found no node: an event about a claim may be older than its binding.
        events: Events of its namespace.
    """
    if _ABOUT_VOLUMES.search(message) is None:
        return None
    for volume in (pod.get("spec") or {}).get("volumes") or []:
        claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if claim is None:
            continue
        about = {"kind": "PersistentVolumeClaim", "metadata": {"name": claim, "namespace": namespace_of(pod)}}
        why = event_message(events, about, *_CLAIM_EVENTS)
        if why is not None:
            return claim_obstacle(str(claim), why)
    return None


def unmounted_volume(pod: Object, events: Sequence[Object]) -> Obstacle | None:
    """Return why the volumes of a scheduled pod cannot be mounted; None if they were, or no event says so.

    Args:
        pod: The pod.
        events: Events of its namespace.
    """
    why = event_message(events, pod, *_MOUNT_EVENTS)
    is_mounted = event_message(events, pod, *_AFTER_MOUNT) is not None  # what failed at first succeeded later
    return None if why is None or is_mounted else mount_obstacle(why, namespace_of(pod))
