"""Data that several runs of one process share."""

from __future__ import annotations

from collections.abc import Callable

from phase2.config.schema import RunConfig
from phase2.data.dataset import CrystalPropertyDataset


class SharedData:
    """The data of the last run, kept for runs that differ in their seed alone."""

    def __init__(self) -> None:
        self._key: str | None = None
        self._dataset: CrystalPropertyDataset | None = None

    def get(self, config: RunConfig, load: Callable[[], CrystalPropertyDataset]) -> CrystalPropertyDataset:
        """Return the data of a run, and load them unless the last run had the same.

        Args:
            config: The run.
            load: Loads its data.
        """
        key = config.model_copy(update={"seed": 0}).model_dump_json()
        if self._dataset is None or key != self._key:
            self._key, self._dataset = key, load()
        return self._dataset
