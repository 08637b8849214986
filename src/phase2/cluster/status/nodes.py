"""Nodes of a Workflow, read from its status: which steps ran or are running, and how each attempt ended. Pure."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from phase2.cluster.manifests.workflow import FIRST_STEP, OTHERS_STEP
from phase2.cluster.objects import Object, name_of
from phase2.cluster.status.group import LOST_ANOTHER
from phase2.cluster.status.obstacles import creation_obstacle, flat, is_refused_creation

POD_NODE_ANNOTATION = "workflows.argoproj.io/node-name"

ENDED_PHASES = ("Succeeded", "Failed", "Error")

# Argo names the attempts of a step step(0), step(1), ..., and an item of a list step(0:run-id:a-0,...).
_ATTEMPT = re.compile(r"\((\d+)\)$")
_ITEM = re.compile(r"\(\d+:(?:.*?run-id:([^,)]+))?.*\)$")
_ENDED = re.compile(
    r"(?:(?P<container>[\w-]+): )?(?P<reason>\w+) \(exit code (?P<code>\d+)\)(?:: (?P<text>.*))?", re.DOTALL
)
_EXIT_HANDLER = ".onExit"
_KILLED, _STOPPED = 137, 143
# Containers that Argo adds to a pod: their failures are not those of phase2.
_HELPERS = {"init": "could not load its inputs", "wait": "could not save its outputs"}
# Messages of a node or a Workflow that met a time limit (operator.go, exec_control.go; the last one is the kubelet's).
_DEADLINE = re.compile(
    r"exceeded its deadline|exceeded workflow deadline|Max duration limit exceeded|exceed max duration limit|"
    r"longer than the specified deadline"
)
_STOPPED_BY = re.compile(r"Stopped with strategy|workflow shutdown with strategy")
_BACKOFF = re.compile(r"Backoff for (?P<time>.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Node of a Workflow: a pod, or a step that waits for one.

    Attributes:
        name: Full name in the Workflow, which is an annotation of its pod.
        step: Name of the step, with the run that it trains if there are several.
        attempt: Number of the attempt, from 1.
        is_pod: Whether it is one attempt; other nodes stand for all attempts of a step.
        is_exit_handler: Whether it belongs to the exit handler.
        phase: ``Pending``, ``Running``, ``Succeeded``, ``Failed``, ``Error``, ``Omitted``, ...
        message: Message of Argo.
        started: Start time.
        finished: End time.
        code: Exit code of its container; None if it has none.
    """

    name: str
    step: str
    attempt: int
    is_pod: bool
    is_exit_handler: bool
    phase: str
    message: str
    started: str
    finished: str
    code: int | None

    @property
    def is_active(self) -> bool:
        """Whether it has not ended."""
        return self.phase in {"Pending", "Running"}

    @property
    def has_failed(self) -> bool:
        """Whether it failed."""
        return self.phase in {"Failed", "Error"}

    @property
    def met_deadline(self) -> bool:
        """Whether a time limit ended it, and not its own program."""
        return is_deadline(self.message)

    @property
    def was_stopped(self) -> bool:
        """Whether it was stopped from outside, by a request or a deadline, without a cause of its own."""
        return self.met_deadline or bool(_STOPPED_BY.match(self.message)) or self.code == _STOPPED

    @property
    def is_follower(self) -> bool:
        """Whether it trains a run together with the pod that leads, and is ended when that one is."""
        return self.step == OTHERS_STEP

    @property
    def lost_another(self) -> bool:
        """Whether it ended because another pod that trained the run had."""
        return self.step in {FIRST_STEP, OTHERS_STEP} and self.code == LOST_ANOTHER

    @property
    def backoff(self) -> str | None:
        """Time until its next attempt, in words; None if it does not wait for one."""
        found = _BACKOFF.fullmatch(self.message)
        return found["time"] if found else None

    @property
    def summary(self) -> str:
        """How it ended, to follow "it"."""
        how, text = self._end()
        return f"{how} in the step {self.step}{f': {text}' if text else ''}"

    def _end(self) -> tuple[str, str]:
        """Return how it ended, and the reason that its program gave."""
        found = _ENDED.match(self.message)
        if found is None and (self.message or self.code is None):
            return self._end_without_program()
        text = flat((found["text"] if found else None) or "")
        if found is not None and found["container"] in _HELPERS:
            return _HELPERS[found["container"]], text
        if found is not None and found["reason"] == "OOMKilled":
            return "ran out of its memory and was killed", ""
        if self.code == _KILLED:  # the text is the end of its log, not a reason
            return "was killed (SIGKILL)", ""
        return "was stopped (SIGTERM)" if self.code == _STOPPED else f"failed with exit code {self.code}", text

    def _end_without_program(self) -> tuple[str, str]:
        """Return how it ended according to Argo, where no container tells."""
        if is_refused_creation(self.message):
            how, _, text = creation_obstacle(self.message).message.partition(": ")
            return how.replace("gets", "got"), text
        return ("was stopped", "") if _STOPPED_BY.match(self.message) else ("was lost", flat(self.message))


def nodes_of(workflow: Object) -> list[Node]:
    """Return the nodes of a Workflow that are pods or wait for one, in the order of their start."""
    parsed = [_node(node) for node in _all_nodes(workflow).values() if node.get("type") in {"Pod", "Retry"}]
    return sorted(parsed, key=lambda node: (node.started, node.name))


def entry_phase(workflow: Object) -> str | None:
    """Return the phase of all steps together, without the exit handler; None before the first step."""
    phase = (_all_nodes(workflow).get(name_of(workflow)) or {}).get("phase")
    return None if phase is None else str(phase)


def is_deadline(message: str) -> bool:
    """Whether a message of Argo says that a time limit is over; a program's own message about one does not count."""
    return _ENDED.match(message) is None and _DEADLINE.search(message) is not None


def last_ended(nodes: Sequence[Node]) -> Node | None:
    """Return the attempt that ended last, without the exit handler and what ends with another; None before one has."""
    ended = [n for n in nodes if n.is_pod and n.finished and not n.is_exit_handler and not n.is_follower]
    return max(ended, key=lambda node: node.finished, default=None)


def last_failed(nodes: Sequence[Node], *, of_exit_handler: bool = False) -> Node | None:
    """Return the attempt that failed last, of the steps or of the exit handler; None if a later one made each good.

    Of pods that train a run together it is the one that failed by itself.
    """
    pods = [node for node in nodes if node.is_pod and node.is_exit_handler == of_exit_handler]
    done = {_ATTEMPT.sub("", node.name) for node in pods if node.phase == "Succeeded"}
    failed = [node for node in pods if node.has_failed and _ATTEMPT.sub("", node.name) not in done]
    return max(failed, key=lambda node: (not node.lost_another, node.finished), default=None)


def _all_nodes(workflow: Object) -> dict[str, Any]:
    status = workflow.get("status") or {}
    return status.get("nodes") or _decompressed(str(status.get("compressedNodes") or ""))


def _decompressed(text: str) -> dict[str, Any]:
    """Return the nodes of a large Workflow, which Argo compresses; nodes offloaded to a database are not available."""
    try:
        nodes = json.loads(gzip.decompress(base64.b64decode(text))) if text else {}
    except (ValueError, OSError, EOFError):
        return {}
    return nodes if isinstance(nodes, dict) else {}


def _node(node: Object) -> Node:
    display = str(node.get("displayName") or node.get("name") or "")
    attempt = _ATTEMPT.search(display)
    step = _ATTEMPT.sub("", display)
    is_exit_handler = _EXIT_HANDLER in step
    item = _ITEM.search(step)
    if is_exit_handler:
        step = str(node.get("templateName") or step)
    elif item is not None:
        step = step[: item.start()] + (f" of {item[1]}" if item[1] else "")
    message = str(node.get("message") or "")
    return Node(
        name=str(node.get("name") or ""),
        step=step,
        attempt=1 + (int(attempt[1]) if attempt else 0),
        is_pod=node.get("type") == "Pod",
        is_exit_handler=is_exit_handler,
        phase=str(node.get("phase") or "Pending"),
        message=message,
        started=str(node.get("startedAt") or ""),
        finished=str(node.get("finishedAt") or ""),
        code=_exit_code(node, message),
    )


def _exit_code(node: Object, message: str) -> int | None:
    recorded = str((node.get("outputs") or {}).get("exitCode") or "")
    found = _ENDED.match(message)
    if found is not None and found["container"] in _HELPERS:  # that of phase2 may have succeeded
        return None
    if recorded.isdigit():
        return int(recorded)
    return int(found["code"]) if found else None
