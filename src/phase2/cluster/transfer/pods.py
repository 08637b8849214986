"""The pods of a transfer: started, waited for one by one, read, and deleted in every outcome."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from phase2.cluster.api.client import RunClient
from phase2.cluster.api.errors import ObjectGoneError
from phase2.cluster.objects import Object, name_of
from phase2.cluster.run_state import RunState
from phase2.cluster.status.pod import container_state, has_started
from phase2.cluster.transfer.job import KEEP_SECONDS
from phase2.errors import DataError, ModelFileError, Phase2Error, RequestError, TransientError

TextCallback = Callable[[str], None]
_INDEX_LABEL = "batch.kubernetes.io/job-completion-index"
_PAUSE_SECONDS = 0.5
_PATIENCE = 20
_KINDS: dict[int | None, type[Phase2Error]] = {
    kind.exit_code: kind for kind in (RequestError, DataError, ModelFileError)
}


@dataclass(frozen=True, slots=True)
class PodOutput:
    """What a pod of a transfer leaves.

    Attributes:
        lines: Lines of its log.
        message: Its termination message.
    """

    lines: list[str]
    message: str


class TransferPods:
    """Pods of one transfer's Job.

    Args:
        client: Client of the namespace's Jobs.
        name: Name of the Job.
        on_state: Callback receiving each new message about the state.
    """

    def __init__(self, client: RunClient, name: str, on_state: TextCallback) -> None:
        self._client = client
        self._name = name
        self._on_state = on_state
        self._last = ""

    def output(self, index: int) -> PodOutput:
        """Wait until the pod with a number has succeeded, and return what it leaves.

        Raises:
            RequestError: It failed for good: there is no such run, or the pod may not be started.
            DataError: The store's content is damaged.
            TransientError: The Job ended without it, or the cluster does not answer.
        """
        misses = 0
        while True:
            try:
                pod = self._succeeded(index)
                if pod is not None:
                    return PodOutput(self._client.log(name_of(pod)).splitlines(), _message(pod))
                misses = 0
            except TransientError as error:
                misses += 1
                if misses > _PATIENCE:
                    raise
                self._report(f"the cluster does not answer: {error.why or error.what}")
            time.sleep(_PAUSE_SECONDS)

    def _succeeded(self, index: int) -> Object | None:
        """Return the pod with a number that succeeded; None while there is none."""
        job = self._client.get(self._name)
        if job is None:
            raise ObjectGoneError(f"The Job {self._name} was deleted before it was done.", fix="Try again.")
        pods = self._client.pods(self._name)
        for pod in pods:
            its_index = (pod["metadata"].get("labels") or {}).get(_INDEX_LABEL)
            if its_index == str(index) and (pod.get("status") or {}).get("phase") == "Succeeded":
                return pod
        waits = not any(has_started(pod) for pod in pods)
        state = self._client.backend.state(job, pods, self._client.events() if waits else ())
        if state.state == "failed":
            raise _failure(state)
        if waits:
            self._report(f"the pod {state.message}")
        return None

    def _report(self, text: str) -> None:
        if text != self._last:
            self._last = text
            self._on_state(text)


@contextmanager
def running(client: RunClient, manifest: Object, *, on_state: TextCallback) -> Iterator[TransferPods]:
    """Run a Job for the duration of a block.

    Args:
        client: Client of the namespace's Jobs.
        manifest: The Job.
        on_state: Callback receiving each new message about the state.

    Raises:
        RequestError: The server rejects it.
        TransientError: The server does not answer.
    """
    name, may_exist = name_of(manifest), True
    try:
        try:
            client.create(manifest)
        except RequestError:
            may_exist = False
            raise
        yield TransferPods(client, name, on_state)
    finally:
        if may_exist:  # also where the response was lost, or a signal came before it
            _delete(client, name, on_state)


def _delete(client: RunClient, name: str, on_state: TextCallback) -> None:
    try:
        client.delete(name)
    except ObjectGoneError:
        return
    except Phase2Error as error:
        on_state(
            f"the Job {name} could not be deleted ({error.what}); the cluster removes it {KEEP_SECONDS} s after its end"
        )


def _failure(state: RunState) -> Phase2Error:
    kind = _KINDS.get(state.exit_code, TransientError)
    _, _, reason = state.message.partition(f"exit code {state.exit_code}: ")
    if kind is RequestError and "No such command" in state.message:
        return RequestError(
            "The image of this cluster cannot transfer runs.",
            why="It has an older phase2 than this machine.",
            fix="Have the installation updated.",
        )
    if state.exit_code is None:
        return TransientError("The pod did not start.", why=f"It {state.message}.", fix="Try again later.")
    return kind("The pod could not read the run.", why=reason or f"It {state.message}.", fix="")


def _message(pod: Object) -> str:
    return str((container_state(pod).get("terminated") or {}).get("message") or "")
