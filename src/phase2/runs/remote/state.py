"""An unfinished run as a store knows it: its id, configuration, attempts and checkpoints."""

from __future__ import annotations

from phase2.errors import RequestError
from phase2.runs.attempts import Attempt, merge_attempts
from phase2.runs.layout import CONFIG, RunDirectory
from phase2.runs.remote.checkpoints import RemoteCheckpoints, attempts_key
from phase2.runs.remote.ids import claim_run_id
from phase2.storage.base import ObjectExistsError, ObjectMissingError, Store
from phase2.storage.disk.atomic import write_bytes
from phase2.storage.records import parse_rows


class RemoteRun:
    """What a store holds of a run that is not finished, so that any machine can go on with it.

    Args:
        store: The store.
        prefix: Where the run lies in it: ``<family>/<name>``.

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
        """Take the run's id in a store; its ``prefix`` is another run's where that one has the id already.

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
        """Store the run's configuration, or bring the stored one here: it is the same request's, but made once.

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
                why="It ended before it wrote what it is for.",
                fix="Remove it with 'phase2 runs delete', and start it again.",
            ) from None

    def bring_attempts(self, run: RunDirectory) -> None:
        """Add the attempts that the store knows of to those in the run's directory."""
        try:
            content = self._store.read(self._attempts)
        except ObjectMissingError:
            return
        merge_attempts(run, parse_rows(content, Attempt, where=self._attempts))

    def put_attempts(self, run: RunDirectory) -> None:
        """Store the attempts of the run's directory."""
        self._store.put(self._attempts, run.attempts)

    def finish(self) -> None:
        """Remove what only an unfinished run needs."""
        self._store.delete(self._attempts)
        self.checkpoints.remove()

    @property
    def _attempts(self) -> str:
        return attempts_key(self.prefix)
