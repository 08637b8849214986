"""Check that data can be divided into every fold, before the first is trained on."""

from __future__ import annotations

from collections.abc import Sequence

from phase2.config.schema import DataConfig
from phase2.config.settings import cache_dir
from phase2.data.dataset import assign_crystals, open_graph_store
from phase2.storage.base import Store
from phase2.storage.progress import ProgressCallback


def check_folds(
    folds: Sequence[DataConfig],
    *,
    stored_in: Store | None = None,
    workers: int | None = None,
    progress: ProgressCallback | None = None,
) -> None:
    """Divide a data set once for each fold; its graphs are built and cached on the way, as a training would.

    Args:
        folds: Settings of the data of each run; they differ in the split alone.
        stored_in: Store that has the data set, where it is one of a store; that of the environment by default.
        workers: Processes that build the graphs; one per core by default.
        progress: Callback receiving the number of crystals done while they are built.

    Raises:
        DataError: The data cannot be read, or there are too few groups of crystals for one of the folds.
    """
    store = open_graph_store(folds[0], stored_in=stored_in, workers=workers, progress=progress)
    for config in folds:
        assign_crystals(config, store, cache=cache_dir(), stored_in=stored_in, workers=workers, progress=progress)
