"""What is known of a run that is not finished: what it is for, who worked on it, and how far it is saved."""

from __future__ import annotations

from typing import Self

from phase2.errors import RequestError
from phase2.runs.attempts import Attempt
from phase2.runs.catalog.summary import RunStatus, RunSummary
from phase2.runs.remote.checkpoints import RemoteCheckpoint, RemoteCheckpoints, attempts_key
from phase2.runs.run_config import RecordedConfig
from phase2.storage.base import ObjectMissingError, Store
from phase2.storage.records import Record, parse_rows


class UnfinishedRun(Record):
    """A run without a manifest.

    Attributes:
        prefix: Where it lies in its store: ``<family>/<name>``.
        status: ``running`` while a process of this machine works on it, else ``unfinished``.
        recorded: What it was begun for.
        attempts: The processes that worked on it, as far as the store was told.
        checkpoint: The newest checkpoint in the store; null where none is kept there.
    """

    prefix: str
    status: RunStatus
    recorded: RecordedConfig
    attempts: tuple[Attempt, ...]
    checkpoint: RemoteCheckpoint | None

    @classmethod
    def gather(cls, store: Store, summary: RunSummary) -> Self:
        """Read what a store has of a run.

        Raises:
            RequestError: It was removed in the meantime.
            ModelFileError: A record of it is damaged.
        """
        recorded = RecordedConfig.stored(store, summary.prefix)
        if recorded is None:
            raise RequestError(f"The run '{summary.prefix}' is gone from {store.url}.", fix="List what there is.")
        pointer = RemoteCheckpoints(store, summary.prefix).pointer()
        return cls(
            prefix=summary.prefix,
            status=summary.status,
            recorded=recorded,
            attempts=_attempts(store, summary.prefix),
            checkpoint=pointer.newest if pointer else None,
        )


def _attempts(store: Store, prefix: str) -> tuple[Attempt, ...]:
    # A bucket is told in the folder of the checkpoints, the models folder is where they are written.
    for key in (attempts_key(prefix), f"{prefix}/attempts.json"):
        try:
            return parse_rows(store.read(key), Attempt, where=key)
        except ObjectMissingError:
            continue
    return ()
