"""The steps of a Workflow, read from its status: what ran, what is at work, and how each attempt ended. Pure."""

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

# An attempt of a step that may be retried is named step(0), step(1), ...; an item of a list step(0:run-id:a-0,...).
_ATTEMPT = re.compile(r"\((\d+)\)$")
_ITEM = re.compile(r"\(\d+:(?:.*?run-id:([^,)]+))?.*\)$")
_ENDED = re.compile(r"(?:main: )?(?P<reason>\w+) \(exit code (?P<code>\d+)\)(?:: (?P<text>.*))?", re.DOTALL)
_EXIT_HANDLER = ".onExit"
_KILLED, _STOPPED = 137, 143


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A pod of a Workflow, or a step that waits for one.

    Attributes:
        name: Its full name in the Workflow, which its pod is annotated with.
        step: The step, and the run that it trains where there are several.
        attempt: Which attempt of the step it is, from 1.
        is_pod: Whether it is an attempt; the other nodes stand for all attempts of a step.
        is_exit_handler: Whether it runs when all is over.
        phase: ``Pending``, ``Running``, ``Succeeded``, ``Failed``, ``Error``, ``Omitted``, ...
        message: What Argo says of it.
        started: When it began.
        finished: When it ended.
        code: Exit code of its container; None where it has none.
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
        """Whether it ended badly."""
        return self.phase in {"Failed", "Error"}

    @property
    def words(self) -> str:
        """How it ended, to follow "it"."""
        found = _ENDED.match(self.message)
        text = " ".join(((found["text"] if found else None) or "").split())
        if found is not None and found["reason"] == "OOMKilled":
            how, text = "ran out of its memory and was killed", ""
        elif self.code is None or (found is None and self.message):
            how, text = "was lost", " ".join(self.message.split())
        elif self.code == _KILLED:  # it could not say why: the text is the end of its log
            how, text = "was killed (SIGKILL)", ""
        elif self.code == _STOPPED:
            how = "was stopped (SIGTERM)"
        else:
            how = f"failed with exit code {self.code}"
        return f"{how} in the step {self.step}{f': {text}' if text else ''}"


def nodes_of(workflow: Object) -> list[Node]:
    """The nodes of a Workflow that are pods, or wait for one, in the order in which they began."""
    status = workflow.get("status") or {}
    every = status.get("nodes") or _unpacked(str(status.get("compressedNodes") or ""))
    found = [_node(one) for one in every.values() if one.get("type") in {"Pod", "Retry"}]
    return sorted(found, key=lambda node: (node.started, node.name))


def last_ended(nodes: Sequence[Node]) -> Node | None:
    """The attempt that ended last, besides those of the exit handler; None before the first."""
    ended = [node for node in nodes if node.is_pod and node.finished and not node.is_exit_handler]
    return max(ended, key=lambda node: node.finished, default=None)


def last_failed(nodes: Sequence[Node]) -> Node | None:
    """The attempt that failed last, besides those of the exit handler where there are others."""
    failed = [node for node in nodes if node.is_pod and node.has_failed]
    return max(failed, key=lambda node: (not node.is_exit_handler, node.finished), default=None)


def _unpacked(text: str) -> dict[str, Any]:
    """The nodes of a large Workflow, which Argo packs to fit into the API; some that it keeps elsewhere are unknown."""
    try:
        nodes = json.loads(gzip.decompress(base64.b64decode(text))) if text else {}
    except (ValueError, OSError, EOFError):
        return {}
    return nodes if isinstance(nodes, dict) else {}


def _node(one: Object) -> Node:
    display = str(one.get("displayName") or one.get("name") or "")
    attempt = _ATTEMPT.search(display)
    step = _ATTEMPT.sub("", display)
    is_exit_handler = _EXIT_HANDLER in step
    item = _ITEM.search(step)
    if is_exit_handler:
        step = str(one.get("templateName") or step)
    elif item is not None:
        step = step[: item.start()] + (f" of {item[1]}" if item[1] else "")
    message = str(one.get("message") or "")
    return Node(
        name=str(one.get("name") or ""),
        step=step,
        attempt=1 + (int(attempt[1]) if attempt else 0),
        is_pod=one.get("type") == "Pod",
        is_exit_handler=is_exit_handler,
        phase=str(one.get("phase") or "Pending"),
        message=message,
        started=str(one.get("startedAt") or ""),
        finished=str(one.get("finishedAt") or ""),
        code=_exit_code(one, message),
    )


def _exit_code(one: Object, message: str) -> int | None:
    word = str((one.get("outputs") or {}).get("exitCode") or "")
    if word.isdigit():
        return int(word)
    found = _ENDED.match(message)
    return int(found["code"]) if found else None
