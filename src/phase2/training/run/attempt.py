"""One process' work on a run: from its last checkpoint, or from nothing, to its sealed directory."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import torch

from phase2.data.dataset import CrystalPropertyDataset
from phase2.errors import Phase2Error, PreemptedError
from phase2.machine.place import detect_place
from phase2.runs.attempts import Status, begin_attempt, end_attempt
from phase2.runs.layout import RunDirectory
from phase2.runs.manifest import RunManifest
from phase2.runs.remote.state import RemoteRun
from phase2.runs.run_config import RecordedConfig
from phase2.training.checkpoints.uploader import CheckpointUploader
from phase2.training.checkpoints.writer import CheckpointSchedule, SavedCheckpoint
from phase2.training.interruption import StopRequest
from phase2.training.progress import default_reporter
from phase2.training.result import TrainingFiles
from phase2.training.run.finalize import finalize_run
from phase2.training.trainer import Trainer


@dataclass(frozen=True, slots=True, eq=False)
class RunAttempt:
    """Everything that an attempt works with.

    Attributes:
        run: The run directory, locked by this process.
        recorded: What the run is for.
        dataset: Its data.
        stored: What the store holds of it; None without a store.
        plan: How often checkpoints are saved.
        accepted: Changes since the last checkpoint that are accepted.
        changed: Those found so far, in words.
        notify: Is told one line about each thing a user should know.
    """

    run: RunDirectory
    recorded: RecordedConfig
    dataset: CrystalPropertyDataset
    stored: RemoteRun | None
    plan: CheckpointSchedule
    accepted: Collection[str]
    changed: str
    notify: Callable[[str], None]

    def complete(self, stop: StopRequest) -> RunManifest:
        """Train to the end and close the run.

        Raises:
            ModelFileError: The checkpoint cannot be used; nothing was changed.
            PreemptedError: The run was asked to stop; its checkpoint is saved, here and in the store.
            RequestError: The training diverged.
        """
        with self._pusher() as pusher:
            trainer = self._trainer(pusher.offer if pusher else _nothing)
            self._begin(trainer)
            with self._ending(pusher):
                result = trainer.fit(stop)
                with stop.deferred_until_done():  # what is trained to the end is whole in a moment
                    return finalize_run(self.run, self.recorded, self.dataset, result, notify=self.notify)

    def _pusher(self) -> contextlib.AbstractContextManager[CheckpointUploader | None]:
        if self.stored is None:
            return contextlib.nullcontext()
        host = detect_place().pod or detect_place().host
        return CheckpointUploader(self.stored.checkpoints, host=host, plan=self.plan, notify=self.notify)

    def _trainer(self, on_saved: Callable[[SavedCheckpoint], None]) -> Trainer:
        run = self.run
        return Trainer(
            self.recorded.config,
            self.dataset,
            TrainingFiles(run.best, run.checkpoint, run.previous_checkpoint, run.history),
            run_id=run.run_id,
            device="cuda" if torch.cuda.is_available() else "cpu",
            reporter=default_reporter(),
            plan=self.plan,
            on_saved=on_saved,
        )

    def _begin(self, trainer: Trainer) -> None:
        resumed_from, changed = None, self.changed
        if self.run.checkpoint.exists() or self.run.previous_checkpoint.exists():
            code = trainer.resume(accepted=self.accepted)
            changed = "; ".join(filter(None, (changed, code)))
            resumed_from = f"epoch {trainer.epoch}, step {trainer.step}"
        self.notify(f"run: {self.run.path}" + (f" (continued from {resumed_from})" if resumed_from else ""))
        begin_attempt(self.run, host=detect_place().host, resumed_from=resumed_from, changed=changed)
        if self.stored is not None:
            self.stored.put_attempts(self.run)

    @contextlib.contextmanager
    def _ending(self, pusher: CheckpointUploader | None) -> Iterator[None]:
        """Record how the attempt ends, here and in the store."""
        try:
            yield
        except PreemptedError as error:
            self._end("interrupted", error.what)
            if pusher is not None and pusher.flush():
                self.notify("the checkpoint is in the store")
            raise
        except (Phase2Error, OSError) as error:
            self._end("failed", error.what if isinstance(error, Phase2Error) else str(error))
            raise

    def _end(self, outcome: Status, reason: str) -> None:
        # A full disk has no room for the reason, and a store that does not answer does not hear it.
        with contextlib.suppress(OSError, Phase2Error):
            end_attempt(self.run, outcome, reason=reason)
            if self.stored is not None:
                self.stored.put_attempts(self.run)


def _nothing(_: SavedCheckpoint) -> None:
    return
