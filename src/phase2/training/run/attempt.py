"""One attempt of a run: from its newest checkpoint, or its first step, to its sealed directory."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

import torch

from phase2.baselines.fitting import fit_baselines
from phase2.data.dataset import CrystalPropertyDataset
from phase2.errors import Phase2Error, PreemptedError
from phase2.machine.place import detect_place
from phase2.runs.layout import RunDirectory
from phase2.runs.records.attempts import Status, begin_attempt, end_attempt
from phase2.runs.records.baselines import PropertyBaseline
from phase2.runs.records.history import EpochRow
from phase2.runs.records.manifest import RunManifest
from phase2.runs.records.run_config import RecordedConfig
from phase2.runs.remote.state import RemoteRun
from phase2.training.callbacks.base import AttemptBegin, Callback
from phase2.training.callbacks.composite import CompositeCallback
from phase2.training.checkpoints.uploader import CheckpointUploader
from phase2.training.checkpoints.writer import CheckpointSchedule, SavedCheckpoint
from phase2.training.fine_tuning.start import StartingPoint
from phase2.training.interruption import StopRequest
from phase2.training.parallel.group import WorkerGroup
from phase2.training.result import TrainingFiles
from phase2.training.run.finalize import finalize_run
from phase2.training.telemetry.live import live_record
from phase2.training.trainer import Trainer


@dataclass(frozen=True, slots=True, eq=False)
class RunAttempt:
    """One process that trains a run.

    Attributes:
        run: The run directory, locked by this process.
        recorded: Recorded configuration of the run.
        dataset: Its data.
        remote: Its state in the store; None without a store.
        schedule: How often checkpoints are saved.
        accepted: Changes since the last checkpoint that are accepted.
        changed: Accepted changes of the settings, described.
        notify: Callback receiving one line for the user.
        callback: Receives the progress of the training.
        device: Device of the model.
        with_baselines: Whether gradient boosting is fitted beside the network, at the end.
        group: The processes that train together, of which this is the first.
    """

    run: RunDirectory
    recorded: RecordedConfig
    dataset: CrystalPropertyDataset
    remote: RemoteRun | None
    schedule: CheckpointSchedule
    accepted: Collection[str]
    changed: str
    notify: Callable[[str], None]
    callback: Callback
    device: torch.device
    with_baselines: bool = True
    group: WorkerGroup = field(default_factory=WorkerGroup)

    def complete(self, stop: StopRequest) -> RunManifest:
        """Train to the end and finalize the run.

        Raises:
            ModelFileError: The checkpoint cannot be used; nothing was changed.
            CallbackError: A callback raised; the checkpoint is saved.
            PreemptedError: A stop was requested; the checkpoint is saved, here and in the store.
            RequestError: The training diverged.
            TransientError: Another process that trained the run has ended.
        """
        processes = self.group.size
        upload = None if self.remote is None else self.remote.put_progress
        with self._uploader() as uploader, live_record(self.run.progress, upload) as live:
            callback = CompositeCallback((live, self.callback))
            trainer = self._trainer(callback, uploader.offer if uploader else _ignore)
            number = self._begin(trainer)
            with self._recorded_end(uploader, trainer, stop):
                callback.on_attempt_begin(self._begun(number, uploader, trainer.history))
                result = trainer.fit(stop)
                baselines = self._baselines(stop)
                with stop.deferred_until_done():  # finalizing takes a moment
                    return finalize_run(
                        self.run,
                        self.recorded,
                        self.dataset,
                        result,
                        device=self.device,
                        notify=self.notify,
                        baselines=baselines,
                        processes=processes,
                    )

    def _baselines(self, stop: StopRequest) -> tuple[PropertyBaseline, ...]:
        """Fit the baselines; a stop ends this at once, and the resumed run comes back to it."""
        if not self.with_baselines:
            return ()
        return fit_baselines(self.dataset, notify=self.notify, check_stop=stop.check)

    def _uploader(self) -> contextlib.AbstractContextManager[CheckpointUploader | None]:
        if self.remote is None:
            return contextlib.nullcontext()
        host = detect_place().pod or detect_place().host
        return CheckpointUploader(self.remote.checkpoints, host=host, schedule=self.schedule, notify=self.notify)

    def _trainer(self, callback: Callback, on_saved: Callable[[SavedCheckpoint], None]) -> Trainer:
        run, recorded = self.run, self.recorded
        return Trainer(
            recorded.config,
            self.dataset,
            TrainingFiles(run.best, run.checkpoint, run.previous_checkpoint, run.history),
            run_id=run.run_id,
            device=self.device,
            callback=callback,
            schedule=self.schedule,
            on_saved=on_saved,
            start=StartingPoint.of(recorded.config, recorded.lineage, with_weights=not self._has_checkpoint),
            group=self.group,
        )

    @property
    def _has_checkpoint(self) -> bool:
        return self.run.checkpoint.exists() or self.run.previous_checkpoint.exists()

    def _begin(self, trainer: Trainer) -> int:
        resumed_from, changed = None, self.changed
        if self._has_checkpoint:
            code = trainer.resume(accepted=self.accepted)
            changed = "; ".join(filter(None, (changed, code)))
            resumed_from = f"epoch {trainer.epoch}, step {trainer.step}"
        self.notify(f"run: {self.run.path}" + (f" (continued from {resumed_from})" if resumed_from else ""))
        number = begin_attempt(self.run, host=detect_place().host, resumed_from=resumed_from, changed=changed)
        if self.remote is not None:
            self.remote.put_attempts(self.run)
        return number

    def _begun(self, number: int, uploader: CheckpointUploader | None, history: tuple[EpochRow, ...]) -> AttemptBegin:
        config = self.recorded.config
        return AttemptBegin(
            run_id=self.run.run_id,
            algorithm=config.algorithm,
            mode=config.mode,
            attempt=number,
            device=str(self.device),
            checkpoint=self.run.checkpoint,
            uploads=uploader,
            config=config,
            data_fingerprint=self.dataset.fingerprint,
            history=history,
        )

    @contextlib.contextmanager
    def _recorded_end(self, uploader: CheckpointUploader | None, trainer: Trainer, stop: StopRequest) -> Iterator[None]:
        """Record how the attempt ended, here and in the store."""
        try:
            yield
        except PreemptedError as error:
            self._end("interrupted", error.what, pruned_at=trainer.epoch if stop.gives_up else None)
            if uploader is not None and uploader.flush():
                self.notify("the checkpoint is in the store")
            raise
        except (Phase2Error, OSError) as error:
            self._end("failed", error.what if isinstance(error, Phase2Error) else str(error))
            raise

    def _end(self, outcome: Status, reason: str, *, pruned_at: int | None = None) -> None:
        # Recorded if possible: the disk may be full, and the store may not answer.
        with contextlib.suppress(OSError, Phase2Error):
            end_attempt(self.run, outcome, reason=reason, pruned_at=pruned_at)
            if self.remote is not None:
                self.remote.put_attempts(self.run)


def _ignore(_: SavedCheckpoint) -> None:
    return
