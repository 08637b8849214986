"""Nodes of a Workflow, read from its status: which steps ran or are running, and how each attempt ended. Pure."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from phase2.cluster.objects import Object

POD_NODE_ANNOTATION = "workflows.argoproj.io/node-name"

# Argo names the attempts of a step step(0), step(1), ..., and an item of a list step(0:run-id:a-0,...).
_ATTEMPT = re.compile(r"\((\d+)\)$")
_ITEM = re.compile(r"\(\d+:(?:.*?run-id:([^,)]+))?.*\)$")
_ENDED = re.compile(r"(?:main: )?(?P<reason>\w+) \(exit code (?P<code>\d+)\)(?:: (?P<text>.*))?", re.DOTALL)
_EXIT_HANDLER = ".onExit"
_KILLED, _STOPPED = 137, 143


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
    def summary(self) -> str:
        """How it ended, to follow "it"."""
        found = _ENDED.match(self.message)
        text = " ".join(((found["text"] if found else None) or "").split())
        if found is not None and found["reason"] == "OOMKilled":
            how, text = "ran out of its memory and was killed", ""
        elif self.code is None or (found is None and self.message):
            how, text = "was lost", " ".join(self.message.split())
        elif self.code == _KILLED:  # the text is the end of its log, not a reason
            how, text = "was killed (SIGKILL)", ""
        elif self.code == _STOPPED:
            how = "was stopped (SIGTERM)"
        else:
            how = f"failed with exit code {self.code}"
        return f"{how} in the step {self.step}{f': {text}' if text else ''}"


def nodes_of(workflow: Object) -> list[Node]:
    """Return the nodes of a Workflow that are pods or wait for one, in the order of their start."""
    status = workflow.get("status") or {}
    nodes = status.get("nodes") or _decompressed(str(status.get("compressedNodes") or ""))
    parsed = [_node(node) for node in nodes.values() if node.get("type") in {"Pod", "Retry"}]
    return sorted(parsed, key=lambda node: (node.started, node.name))


def last_ended(nodes: Sequence[Node]) -> Node | None:
    """Return the attempt that ended last, without the exit handler; None before the first."""
    ended = [node for node in nodes if node.is_pod and node.finished and not node.is_exit_handler]
    return max(ended, key=lambda node: node.finished, default=None)


def last_failed(nodes: Sequence[Node]) -> Node | None:
    """Return the attempt that failed last; one of the exit handler only if no other failed."""
    failed = [node for node in nodes if node.is_pod and node.has_failed]
    return max(failed, key=lambda node: (not node.is_exit_handler, node.finished), default=None)


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
    if recorded.isdigit():
        return int(recorded)
    found = _ENDED.match(message)
    return int(found["code"]) if found else None
