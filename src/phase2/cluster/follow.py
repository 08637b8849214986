"""Following a run in the cluster to its end: its state whenever that changes, and what its pods print."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from phase2.cluster.api.client import Change, RunClient
from phase2.cluster.api.logs import LogReader
from phase2.cluster.api.refusals import ObjectGoneError
from phase2.cluster.api.streams import Streams
from phase2.cluster.objects import Object, name_of, newest_first
from phase2.cluster.run_state import RunState
from phase2.cluster.status.pod import container_state
from phase2.errors import Phase2Error, RequestError, TransientError

Say = Callable[[str], None]

# Why a pod waits is told by events, which come without a change of the pod.
_LOOK_AGAIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _News:
    kind: Literal["object", "pod", "line", "end of log"]
    change: Change | None = None
    text: str = ""


class Follower:
    """Follows one run.

    Args:
        client: The cluster, and what carries the run.
        name: Name of the object that carries it.
        on_state: Is told each sentence about the state that differs from the last one.
        on_line: Is told each line that a pod prints.
    """

    def __init__(self, client: RunClient, name: str, *, on_state: Say, on_line: Say) -> None:
        self._client = client
        self._name = name
        self._on_state = on_state
        self._on_line = on_line
        self._streams: Streams[_News] = Streams(lambda why: self._say(f"the cluster does not answer: {why}"))
        self._object: Object | None = None
        self._pods: dict[str, Object] = {}
        self._read: set[str] = set()
        self._told: set[str] = set()
        self._reading = 0
        self._said = ""
        self._known: tuple[str, str | None] = ("", None)

    def follow(self) -> RunState:
        """Return the run's state once it has ended and all that its pods printed was told.

        Raises:
            RequestError: The object was deleted, or may not be read.
            TransientError: The cluster did not answer for minutes; the run goes on without anybody watching.
        """
        with suppress(TransientError):  # the watches are more patient
            for pod in newest_first(self._client.pods(self._name))[::-1]:
                self._note_pod(pod)
                # What has ended is told before what came after it.
                while "terminated" in container_state(pod) and name_of(pod) not in self._told:
                    self._take(self._streams.next(_LOOK_AGAIN_SECONDS))
        self._watch("object", lambda: self._client.watch(self._name))
        self._watch("pod", lambda: self._client.watch_pods(self._name))
        try:
            while True:
                self._take(self._streams.next(_LOOK_AGAIN_SECONDS))
                state = self._state()
                if state is not None and state.has_ended and self._all_is_told():
                    return state
        finally:
            self._streams.close()

    def _watch(self, kind: Literal["object", "pod"], watch: Callable[[], Iterator[Change]]) -> None:
        self._streams.start(lambda: (_News(kind, change) for change in watch()), again=lambda: True)

    def _take(self, news: _News | None) -> None:
        if news is None:
            return
        if news.kind == "line":
            self._on_line(news.text)
        elif news.kind == "end of log":
            self._reading -= 1
        elif news.change is not None and news.kind == "object":
            self._note_object(news.change)
        elif news.change is not None:
            self._note_pod(news.change.object, is_deleted=news.change.is_deleted)

    def _note_object(self, change: Change) -> None:
        if change.is_deleted:
            raise RequestError(
                f"The {self._client.carrier.kind} {self._name} was deleted.",
                why="Somebody removed it, or its time to be kept was over.",
                fix="'phase2 runs show' says what of it is in the store.",
            )
        self._object = change.object

    def _note_pod(self, pod: Object, *, is_deleted: bool = False) -> None:
        name, state = name_of(pod), container_state(pod)
        if is_deleted and "terminated" not in state:
            self._pods.pop(name, None)  # gone without a word
            return
        self._pods[name] = pod
        if state.keys() & {"running", "terminated"} and name not in self._read:
            self._read.add(name)
            self._reading += 1
            reader = LogReader(self._client, name)
            self._streams.start(lambda: self._log(reader, name), again=lambda: name not in self._told)

    def _log(self, reader: LogReader, pod: str) -> Iterator[_News]:
        """What a pod prints; a pod that is gone has nothing more to say."""
        with suppress(ObjectGoneError):
            yield from (_News("line", text=text) for text in reader.lines())
        # A log also ends with the container's runtime, while the container goes on.
        if "running" not in container_state(self._pods.get(pod, {})):
            self._told.add(pod)
            yield _News("end of log")

    def _all_is_told(self) -> bool:
        """Whether every pod was read to its end, also one that the watch has not told of yet."""
        if self._reading:
            return False
        known = len(self._read)
        for pod in self._client.pods(self._name):
            self._note_pod(pod)
        return len(self._read) == known

    def _state(self) -> RunState | None:
        if self._object is None or not self._streams.is_quiet:
            return None
        pods = list(self._pods.values())
        state = self._client.carrier.state(self._object, pods)
        if state.state in {"waiting", "blocked", "retrying"}:
            with suppress(Phase2Error):  # who may not read events is told less
                state = self._client.carrier.state(self._object, pods, self._client.events())
        # How long it has been running is no news; another step is.
        is_news = state.state != "running" or (state.state, state.step) != self._known
        self._known = (state.state, state.step)
        if is_news:
            self._say(f"{state.state}: {state.sentence}")
        return state

    def _say(self, text: str) -> None:
        if text != self._said:
            self._on_state(text)
            self._said = text
