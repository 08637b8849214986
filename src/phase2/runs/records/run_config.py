"""The recorded configuration of a run, written first into its directory (``run_config.json``)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Self

from pydantic import AwareDatetime

from phase2.config.reproduce import reproducing_request
from phase2.config.resolve import ResolvedRun
from phase2.config.schema import RunConfig
from phase2.runs.layout import CONFIG, RunDirectory
from phase2.runs.records.lineage import Lineage
from phase2.storage.base import ObjectMissingError, Store
from phase2.storage.records import Counted, Record, parse_record, read_record, write_record


class RecordedConfig(Record):
    """The complete configuration of a run.

    Attributes:
        schema_version: Format of this file.
        run_id: Id of the run.
        created: When the run directory was created.
        command: The ``phase2 train`` command line that repeats the request.
        digest: SHA-256 of ``config``, by which ``--resume`` finds an unfinished run.
        config: Everything that determines the run's numbers.
        origins: Where each value of ``config`` comes from, by dotted path.
        lineage: What the run takes over from the model that it starts from; null for random weights.
    """

    schema_version: Counted = 1
    run_id: str
    created: AwareDatetime
    command: tuple[str, ...]
    digest: str
    config: RunConfig
    origins: dict[str, str]
    lineage: Lineage | None = None

    @classmethod
    def record(cls, run: RunDirectory, resolved: ResolvedRun, lineage: Lineage | None = None) -> Self:
        """Write the configuration of a new run into its directory.

        Raises:
            RequestError: The configuration was changed so that no command makes it again.
        """
        recorded = cls(
            run_id=run.run_id,
            created=datetime.now(UTC),
            command=tuple(reproducing_request(resolved).command()),
            digest=resolved.config.digest,
            config=resolved.config,
            origins=dict(resolved.origins),
            lineage=lineage,
        )
        write_record(run.run_config, recorded)
        return recorded

    @classmethod
    def read(cls, run: RunDirectory) -> Self:
        """Read the configuration of a run.

        Raises:
            ModelFileError: It is missing or damaged.
        """
        return read_record(run.run_config, cls)

    @classmethod
    def stored(cls, store: Store, prefix: str) -> Self | None:
        """Read the configuration of a run in a store; None where the run has none.

        Raises:
            ModelFileError: It is damaged.
        """
        key = f"{prefix}/{CONFIG}"
        try:
            return parse_record(store.read(key), cls, where=f"{store.url}/{key}")
        except ObjectMissingError:
            return None
