"""Details of an unfinished run: its configuration, its attempts, and its newest checkpoint."""

from __future__ import annotations

from typing import Self

from phase2.errors import RequestError
from phase2.runs.catalog.summary import RunStatus, RunSummary
from phase2.runs.records.attempts import Attempt
from phase2.runs.records.run_config import RecordedConfig
from phase2.runs.remote.checkpoints import RemoteCheckpoint, RemoteCheckpoints, attempts_key
from phase2.storage.base import ObjectMissingError, Store
from phase2.storage.records import Record, parse_rows


class UnfinishedRun(Record):
    """A run without a manifest.

    Attributes:
        prefix: Prefix of its keys in the store: ``<family>/<name>``.
        status: ``running`` while a process of this machine trains it, ``pruned`` where a study gave it up, else
            ``unfinished``.
        recorded: Its configuration.
        attempts: The processes that trained it, as far as the store knows.
        checkpoint: The newest checkpoint in the store; null without one.
    """

    prefix: str
    status: RunStatus
    recorded: RecordedConfig
    attempts: tuple[Attempt, ...]
    checkpoint: RemoteCheckpoint | None

    @classmethod
    def read(cls, store: Store, summary: RunSummary) -> Self:
        """Read what a store holds of a run.

        Raises:
            RequestError: It was removed in the meantime.
            ModelFileError: One of its records is damaged.
        """
        recorded = RecordedConfig.stored(store, summary.prefix)
        if recorded is None:
            raise RequestError(
                f"The run '{summary.prefix}' is gone from {store.url}.", fix="'phase2 runs list' shows all runs."
            )
        pointer = RemoteCheckpoints(store, summary.prefix).pointer()
        return cls(
            prefix=summary.prefix,
            status=summary.status,
            recorded=recorded,
            attempts=read_attempts(store, summary.prefix),
            checkpoint=pointer.newest if pointer else None,
        )


def read_attempts(store: Store, prefix: str) -> tuple[Attempt, ...]:
    """Return the attempts at a run without a manifest, as far as the store knows.

    Raises:
        ModelFileError: Their file is damaged.
    """
    # In a bucket they are stored with the checkpoints; in the models folder they are in the run directory itself.
    for key in (attempts_key(prefix), f"{prefix}/attempts.json"):
        try:
            return parse_rows(store.read(key), Attempt, where=key)
        except ObjectMissingError:
            continue
    return ()
