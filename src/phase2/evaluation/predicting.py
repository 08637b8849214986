"""Predictions of one model or of an ensemble for crystals of a graph store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from phase2.data.dataset import open_graph_store
from phase2.errors import DataError
from phase2.evaluation.data import LabelledData
from phase2.prediction.agreement import joint_columns

if TYPE_CHECKING:
    from phase2.data.graphs.packed import PackedGraphs
    from phase2.prediction.predictor import Predictor
    from phase2.storage.base import Store
    from phase2.storage.progress import ProgressCallback


def predict_crystals(
    predictors: Sequence[Predictor],
    data: LabelledData,
    keys: Sequence[str],
    *,
    batch_size: int = 64,
    stored_in: Store | None = None,
    progress: ProgressCallback | None = None,
) -> NDArray[np.float64]:
    """Predict crystals with each model, and average.

    Args:
        predictors: One model or more, all trained for the properties.
        data: The crystals, with the graphs of the first model.
        keys: Keys of the properties.
        batch_size: Crystals per batch.
        stored_in: Store that has the data set, where it is one of a store.
        progress: Callback receiving the number of predictions done, and their number: crystals times models.

    Returns:
        Mean predictions, (B, P) float64, in the properties' units, NaN where a model gives no finite number.

    Raises:
        UnknownNameError: A model was not trained for a property.
        RequestError: The models define a property differently.
        DataError: The data set changed between two models.
    """
    columns = joint_columns(predictors, keys)  # refuses before anything is computed
    members = []
    total = len(predictors) * len(data.index)
    for number, predictor in enumerate(predictors):
        graphs = _graphs_for(predictor, data, stored_in)

        def report(done: int, before: int = number * len(data.index)) -> None:
            if progress:
                progress(before + done, total)

        found = predictor.predict_graphs(graphs, data.index, batch_size=batch_size, progress=report)
        values = found[:, columns[number]]
        members.append(np.where(np.isfinite(values), values, np.nan))
    mean: NDArray[np.float64] = np.stack(members).mean(axis=0)
    return mean


def _graphs_for(predictor: Predictor, data: LabelledData, stored_in: Store | None) -> PackedGraphs:
    """Return the graphs that a model reads, of the same crystals in the same order."""
    spec = predictor.model.config.data.graph
    if spec == data.config.graph:
        return data.store.graphs
    graphs = open_graph_store(data.config.model_copy(update={"graph": spec}), stored_in=stored_in).graphs
    if not np.array_equal(graphs.ids, data.store.graphs.ids):
        raise DataError(f"{data.source} changed while it was read.", fix="Try again when it is complete.")
    return graphs
