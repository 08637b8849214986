"""State of an unfinished run in a store: what another machine needs to resume it."""

from __future__ import annotations

from phase2.errors import RequestError
from phase2.runs.layout import CONFIG, RunDirectory
from phase2.runs.records.attempts import Attempt, merge_attempts
from phase2.runs.remote.checkpoints import RemoteCheckpoints, attempts_key, live_key
from phase2.runs.remote.ids import claim_run_id
from phase2.storage.base import ObjectExistsError, ObjectMissingError, Store
from phase2.storage.disk.atomic import write_bytes
from phase2.storage.records import parse_rows


class RemoteRun:
    """Id, configuration, attempts and checkpoints of an unfinished run in a store.

    Args:
        store: The store.
        prefix: Prefix of the run: ``<family>/<name>``.

    Attributes:
        prefix: The same.
        checkpoints: Its checkpoints.
    """

    def __init__(self, store: Store, prefix: str) -> None:
        self.prefix = prefix
        self.checkpoints = RemoteCheckpoints(store, prefix)
        self._store = store

    @classmethod
    def claim(cls, store: Store, run: RunDirectory) -> RemoteRun:
        """Claim the run's id in a store; ``prefix`` is that of another run where the id is taken.

        Raises:
            RequestError: The store cannot be used.
            TransientError: The store does not answer.
        """
        return cls(store, claim_run_id(store, run.run_id, f"{run.family}/{run.name}"))

    @property
    def is_announced(self) -> bool:
        """Whether the store has the run's configuration."""
        return self._store.head(f"{self.prefix}/{CONFIG}") is not None

    def announce(self, run: RunDirectory) -> None:
        """Store the run's configuration, or replace the local one by that in the store, which was recorded first.

        Raises:
            RequestError: The run has no configuration here or there.
        """
        key = f"{self.prefix}/{CONFIG}"
        if run.run_config.exists():
            try:
                self._store.put(key, run.run_config, if_absent=True)
            except ObjectExistsError:
                write_bytes(run.run_config, self._store.read(key))
            return
        try:
            write_bytes(run.run_config, self._store.read(key))
        except ObjectMissingError:
            raise RequestError(
                f"The run '{self.prefix}' has no {CONFIG} here or in {self._store.url}.",
                why="It ended before its configuration was written.",
                fix="Remove it with 'phase2 runs delete', and start it again.",
            ) from None

    def restore_attempts(self, run: RunDirectory) -> None:
        """Merge the attempts in the store into those in the run's directory."""
        try:
            content = self._store.read(self._attempts)
        except ObjectMissingError:
            return
        merge_attempts(run, parse_rows(content, Attempt, where=self._attempts))

    def put_attempts(self, run: RunDirectory) -> None:
        """Store the attempts of the run's directory."""
        self._store.put(self._attempts, run.attempts)

    def put_progress(self, content: bytes) -> None:
        """Store the progress of the training, for those who watch it."""
        self._store.put(live_key(self.prefix), content)

    def finish(self) -> None:
        """Remove attempts, progress and checkpoints, which only an unfinished run needs."""
        self._store.delete(self._attempts)
        self.checkpoints.remove()

    @property
    def _attempts(self) -> str:
        return attempts_key(self.prefix)
