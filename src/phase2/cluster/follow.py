"""Following a run in the cluster to its end: each change of its state, and the logs of its pods."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from phase2.cluster.api.client import Change, RunClient
from phase2.cluster.api.errors import ObjectGoneError
from phase2.cluster.api.logs import LogReader
from phase2.cluster.api.streams import Streams
from phase2.cluster.objects import Object, name_of, newest_first
from phase2.cluster.run_state import RunState
from phase2.cluster.status.group import of_rank, rank_of
from phase2.cluster.status.pod import container_state, has_started
from phase2.errors import Phase2Error, RequestError, TransientError

TextCallback = Callable[[str], None]

# Events explain why a pod waits, and arrive without a change of the pod.
_POLL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Update:
    kind: Literal["object", "pod", "line", "end of log"]
    change: Change | None = None
    text: str = ""


class Follower:
    """Follower of one run.

    Args:
        client: Client of the backend that executes the run.
        name: Name of the object that executes it.
        on_state: Callback receiving each new message about the state.
        on_line: Callback receiving each line that a pod prints.
        rank: Rank of the pods whose logs are read, where several train the run together.
    """

    def __init__(
        self, client: RunClient, name: str, *, on_state: TextCallback, on_line: TextCallback, rank: int = 0
    ) -> None:
        self._client = client
        self._name = name
        self._on_state = on_state
        self._on_line = on_line
        self._rank = rank
        self._streams: Streams[_Update] = Streams(lambda why: self._report(f"the cluster does not answer: {why}"))
        self._object: Object | None = None
        self._pods: dict[str, Object] = {}
        self._opened: set[str] = set()  # pods whose logs are read, or were
        self._completed: set[str] = set()  # pods whose logs were read to the end
        self._open_logs = 0
        self._last_message = ""
        self._last_state: tuple[str, str | None] = ("", None)

    def follow(self) -> RunState:
        """Return the run's state once it has ended and the logs of its pods are complete.

        Raises:
            RequestError: The object was deleted, or may not be read.
            TransientError: The cluster did not answer for minutes; the run itself continues.
        """
        with suppress(TransientError):  # the watches below retry for longer
            for pod in newest_first(of_rank(self._client.pods(self._name), self._rank))[::-1]:
                self._update_pod(pod)
                # The log of an ended pod is reported before that of a later one.
                while "terminated" in container_state(pod) and name_of(pod) not in self._completed:
                    self._process(self._streams.next(_POLL_SECONDS))
        self._watch("object", lambda: self._client.watch(self._name))
        self._watch("pod", lambda: self._client.watch_pods(self._name))
        try:
            while True:
                self._process(self._streams.next(_POLL_SECONDS))
                state = self._report_state()
                if state is not None and state.has_ended and self._logs_are_complete():
                    return state
        finally:
            self._streams.close()

    def _watch(self, kind: Literal["object", "pod"], watch: Callable[[], Iterator[Change]]) -> None:
        self._streams.start(lambda: (_Update(kind, change) for change in watch()), again=lambda: True)

    def _process(self, update: _Update | None) -> None:
        if update is None:
            return
        if update.kind == "line":
            self._on_line(update.text)
        elif update.kind == "end of log":
            self._open_logs -= 1
        elif update.change is not None and update.kind == "object":
            self._update_object(update.change)
        elif update.change is not None:
            self._update_pod(update.change.object, is_deleted=update.change.is_deleted)

    def _update_object(self, change: Change) -> None:
        if change.is_deleted:
            raise RequestError(
                f"The {self._client.backend.kind} {self._name} was deleted.",
                why="Somebody deleted it, or its time to live after its end was over.",
                fix="'phase2 runs show' says what of it is in the store.",
            )
        self._object = change.object

    def _update_pod(self, pod: Object, *, is_deleted: bool = False) -> None:
        name = name_of(pod)
        if is_deleted and "terminated" not in container_state(pod):
            self._pods.pop(name, None)  # deleted without an exit code
            return
        self._pods[name] = pod
        if has_started(pod) and rank_of(pod) == self._rank and name not in self._opened:
            self._opened.add(name)
            self._open_logs += 1
            reader = LogReader(self._client, name)
            self._streams.start(lambda: self._log(reader, name), again=lambda: name not in self._completed)

    def _log(self, reader: LogReader, pod: str) -> Iterator[_Update]:
        """Yield the lines of a pod's log; that of a deleted pod is complete."""
        with suppress(ObjectGoneError):
            yield from (_Update("line", text=text) for text in reader.lines())
        # The container runtime also ends a log when it restarts, while the container keeps running.
        if "running" not in container_state(self._pods.get(pod, {})):
            self._completed.add(pod)
            yield _Update("end of log")

    def _logs_are_complete(self) -> bool:
        """Whether the log of every pod was read to its end, including pods that the watch has not reported yet."""
        if self._open_logs:
            return False
        known = len(self._opened)
        for pod in self._client.pods(self._name):
            self._update_pod(pod)
        return len(self._opened) == known

    def _report_state(self) -> RunState | None:
        if self._object is None or not self._streams.is_quiet:
            return None
        pods = list(self._pods.values())
        state = self._client.backend.state(self._object, pods)
        if state.state in {"queued", "waiting", "blocked", "retrying"}:
            with suppress(Phase2Error):  # without the right to read events, the message is less specific
                state = self._client.backend.state(self._object, pods, self._client.events())
        # While a run is running its message changes with the time; only another step is reported.
        if state.state != "running" or (state.state, state.step) != self._last_state:
            self._report(f"{state.state}: {state.message}")
        self._last_state = (state.state, state.step)
        return state

    def _report(self, message: str) -> None:
        if message != self._last_message:
            self._on_state(message)
            self._last_message = message
