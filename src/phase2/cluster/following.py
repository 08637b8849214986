"""Following a run in the cluster to its end: its state whenever that changes, and what its pods print."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from phase2.cluster.api_objects import Object, name_of
from phase2.cluster.client import Change, JobClient
from phase2.cluster.log_reader import LogReader
from phase2.cluster.pod import CONTAINER
from phase2.cluster.refusals import WatchExpiredError
from phase2.cluster.status import RunState, run_state
from phase2.errors import Phase2Error, RequestError, TransientError

Say = Callable[[str], None]

# Why a pod waits is told by events, which come without a change of the pod.
_LOOK_AGAIN_SECONDS = 5.0
_PATIENCE_SECONDS = 300.0
_LONGEST_PAUSE = 10.0
_BREATH_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class _News:
    kind: Literal["job", "pod", "line", "end of log", "trouble"]
    change: Change | None = None
    text: str = ""
    error: Phase2Error | None = None


class Follower:
    """Follows one run.

    Args:
        client: The cluster.
        job: Name of the run's Job.
        on_state: Is told each sentence about the state that differs from the last one.
        on_line: Is told each line that a pod prints.
    """

    def __init__(self, client: JobClient, job: str, *, on_state: Say, on_line: Say) -> None:
        self._client = client
        self._name = job
        self._on_state = on_state
        self._on_line = on_line
        self._news: queue.Queue[_News] = queue.Queue()
        self._over = threading.Event()
        self._job: Object | None = None
        self._pods: dict[str, Object] = {}
        self._read: set[str] = set()
        self._reading = 0
        self._said = ""

    def follow(self) -> RunState:
        """Return the run's state once it has ended and all that its pods printed was told.

        Raises:
            RequestError: The Job was deleted, or may not be read.
            TransientError: The cluster did not answer for minutes; the run goes on without anybody watching.
        """
        self._start(self._watching("job", lambda: self._client.watch_job(self._name)))
        self._start(self._watching("pod", lambda: self._client.watch_pods(self._name)))
        try:
            while True:
                self._take(self._next())
                state = self._state()
                if state is not None and state.has_ended and not self._reading and not self._unread():
                    return state
        finally:
            self._over.set()

    def _next(self) -> _News | None:
        try:
            return self._news.get(timeout=_LOOK_AGAIN_SECONDS)
        except queue.Empty:
            return None

    def _take(self, news: _News | None) -> None:
        if news is None:
            return
        if news.error is not None:
            raise news.error
        if news.kind == "line":
            self._on_line(news.text)
        elif news.kind == "trouble":
            self._say(news.text)
        elif news.kind == "end of log":
            self._reading -= 1
        elif news.change is not None:
            self._note(news.kind, news.change)

    def _note(self, kind: str, change: Change) -> None:
        if kind == "pod":
            self._pods[name_of(change.object)] = change.object
        elif change.is_deleted:
            raise RequestError(
                f"The Job {self._name} was deleted.",
                why="Somebody removed it, or its time to be kept was over.",
                fix="'phase2 runs show' says what of it is in the store.",
            )
        else:
            self._job = change.object
        for name in self._unread():
            self._read.add(name)
            self._reading += 1
            self._start(self._reading_log(name))

    def _unread(self) -> list[str]:
        return [name for name, pod in self._pods.items() if name not in self._read and _has_log(pod)]

    def _state(self) -> RunState | None:
        if self._job is None or not self._news.empty():
            return None
        state = run_state(self._job, list(self._pods.values()))
        if state.state in {"waiting", "blocked", "retrying"}:
            with suppress(Phase2Error):  # who may not read events is told less
                state = run_state(self._job, list(self._pods.values()), self._client.events())
        if state.state != "running" or not self._said.startswith("running"):
            self._say(f"{state.state}: {state.sentence}")
        return state

    def _say(self, text: str) -> None:
        if text != self._said:
            self._on_state(text)
            self._said = text

    def _start(self, news: Iterator[_News]) -> None:
        def tell() -> None:
            for one in news:
                if self._over.is_set():
                    return
                self._news.put(one)

        threading.Thread(target=tell, daemon=True).start()

    def _watching(self, kind: Literal["job", "pod"], watch: Callable[[], Iterator[Change]]) -> Iterator[_News]:
        """What a watch sees, taken up again whenever it ends or breaks."""

        def changes() -> Iterator[_News]:
            yield from (_News(kind, change) for change in watch())

        while not self._over.is_set():
            yield from self._patiently(changes)

    def _reading_log(self, pod: str) -> Iterator[_News]:
        """What a pod prints, taken up again where it broke off; a pod that is gone has nothing more to say."""
        reader = LogReader(self._client, pod)

        def lines() -> Iterator[_News]:
            yield from (_News("line", text=text) for text in reader.lines())

        while not self._over.is_set():
            for news in self._patiently(lines):
                if isinstance(news.error, RequestError):
                    yield _News("end of log")
                    return
                yield news
            if not _is_running(self._pods[pod]):
                yield _News("end of log")
                return
            self._over.wait(_BREATH_SECONDS)  # the log ended with the container's runtime, not with the container

    def _patiently(self, attempt: Callable[[], Iterator[_News]]) -> Iterator[_News]:
        """Try again while the cluster does not answer, and give up after some minutes."""
        silent_since, pause = time.monotonic(), 0.5
        while not self._over.is_set():
            try:
                for news in attempt():
                    silent_since, pause = time.monotonic(), 0.5
                    yield news
            except WatchExpiredError:
                continue
            except TransientError as error:
                if time.monotonic() - silent_since > _PATIENCE_SECONDS:
                    yield _News("trouble", error=error)
                    return
                yield _News("trouble", text=f"the cluster does not answer: {error.why or error.what}")
                self._over.wait(pause)
                pause = min(_LONGEST_PAUSE, 2 * pause)
                continue
            except Phase2Error as error:
                yield _News("trouble", error=error)
            return


def _has_log(pod: Object) -> bool:
    return bool({"running", "terminated"} & _container_state(pod).keys())


def _is_running(pod: Object) -> bool:
    return "running" in _container_state(pod)


def _container_state(pod: Object) -> Object:
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    return next((one.get("state") or {} for one in statuses if one.get("name") == CONTAINER), {})
