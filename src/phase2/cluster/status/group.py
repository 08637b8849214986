"""State of the pods that train one run together, one for each rank. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from phase2.cluster.labels import GROUP, GROUP_LABEL, RANK_LABEL
from phase2.cluster.manifests.workflow import given_parameters
from phase2.cluster.objects import Object, newest_first
from phase2.cluster.status.pod import PodState, pod_state

_INDEX = "batch.kubernetes.io/job-completion-index"
LOST_ANOTHER = 75
"""Exit code of a process that cannot go on because another one has ended."""


def group_size(obj: Object) -> int:
    """Return the number of pods that train the run of an object together; a JobSet has it in its only Job."""
    spec = obj.get("spec") or {}
    if "workflowTemplateRef" in spec:
        nodes = given_parameters(obj).get("nodes", "")
        return int(nodes) if nodes.isdecimal() else 1
    if "trainer" in spec:
        return int(spec["trainer"].get("numNodes") or 1)
    for replicated in spec.get("replicatedJobs") or ():
        spec = replicated["template"]["spec"]
    return int(spec.get("completions") or 1) if spec.get("completionMode") == "Indexed" else 1


def rank_of(pod: Object) -> int:
    """Return the rank of a pod in its group; 0 where it trains alone."""
    metadata = pod["metadata"]
    found: Mapping[str, str] = {**(metadata.get("annotations") or {}), **(metadata.get("labels") or {})}
    number = found.get(RANK_LABEL, found.get(_INDEX))
    return int(number) if number is not None and str(number).isdecimal() else 0


def is_of_group(pod: Object) -> bool:
    """Whether a pod trains a run together with others."""
    return (pod["metadata"].get("labels") or {}).get(GROUP_LABEL) == GROUP


def of_rank(pods: Sequence[Object], rank: int) -> list[Object]:
    """Select the pods of one rank, the attempts of one another."""
    return [pod for pod in pods if rank_of(pod) == rank]


def group_attempts(size: int, pods: Sequence[Object], *counts: int) -> int:
    """Return the number of the newest attempt of a group.

    Args:
        size: Number of pods of the group.
        pods: The pods that are listed.
        counts: Numbers of pods that other sources know.
    """
    listed = max((len(of_rank(pods, rank)) for rank in {rank_of(pod) for pod in pods}), default=0)
    return max(listed, *(math.ceil(count / size) for count in counts))


def group_states(size: int, pods: Sequence[Object], events: Sequence[Object]) -> list[PodState]:
    """Return the states of a run's attempts: what the group does now, then how pods of it failed.

    Args:
        size: Number of pods of the group.
        pods: Its pods, of all attempts.
        events: Events of its namespace.
    """
    newest = {rank: newest_first(of_rank(pods, rank))[0] for rank in sorted({rank_of(pod) for pod in pods})}
    current = {rank: pod_state(pod, events) for rank, pod in newest.items()}
    failed = [_named(rank_of(pod), pod_state(pod, events)) for pod in _last_failures(pods)]
    now = _now(size, current, newest)
    return [*([] if now is None else [now]), *failed]


def _now(size: int, current: Mapping[int, PodState], pods: Mapping[int, Object]) -> PodState | None:
    """Return what the group does; None where it has no pod, or all have failed."""
    if current.get(0, PodState("waiting", "")).phase == "succeeded":
        return current[0]
    by_phase = {phase: [rank for rank, state in current.items() if state.phase == phase] for phase in _ORDER}
    if not current or len(by_phase["failed"]) == len(current) == size:
        return None
    for phase in ("blocked", "stopping", "waiting"):
        if by_phase[phase]:
            rank = by_phase[phase][0]
            of = f"{len(by_phase['running'])} of {size} pods run; " if by_phase["running"] else ""
            return replace(current[rank], message=f"{of}pod {rank} {current[rank].message}", exit_code=None)
    missing = [rank for rank in range(size) if rank not in current or current[rank].phase == "failed"]
    if missing:
        return PodState("waiting", f"waits for {len(missing)} of its {size} pods to be created")
    return PodState("running", _running(size, current, pods))


_ORDER = ("blocked", "stopping", "waiting", "running", "succeeded", "failed")


def _running(size: int, current: Mapping[int, PodState], pods: Mapping[int, Object]) -> str:
    for rank, state in current.items():
        if "does not answer" in state.message:
            return f"runs as {size} pods; pod {rank} {state.message}"
    nodes = dict.fromkeys(str((pod.get("spec") or {}).get("nodeName") or "?") for pod in pods.values())
    return f"runs as {size} pods on {', '.join(nodes)}"


def _last_failures(pods: Sequence[Object]) -> list[Object]:
    """Return the failed pods, the newest of each rank before all others, and in front the one that ended the group."""
    failed = [pod for pod in newest_first(pods) if pod_state(pod).phase == "failed"]
    newest = {rank: of_rank(failed, rank)[0] for rank in {rank_of(pod) for pod in failed}}
    last = sorted(newest.values(), key=_blame)
    return [*last, *(pod for pod in failed if pod not in last)]


def _blame(pod: Object) -> tuple[bool, str, int]:
    """Order failed pods of one attempt: first those that failed by themselves, the earliest in front."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    ends = [str(((one.get("state") or {}).get("terminated") or {}).get("finishedAt") or "") for one in statuses]
    return pod_state(pod).exit_code == LOST_ANOTHER, max(ends, default=""), rank_of(pod)


def _named(rank: int, state: PodState) -> PodState:
    return replace(state, message=f"{state.message} (pod {rank})")
