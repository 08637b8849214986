"""Prediction of structures: from what is read to rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import numpy as np
import torch

from phase2.data.graphs.packed import PackedGraphs
from phase2.machine.hardware import thread_count
from phase2.prediction.predictor import Assessment, Predictor
from phase2.prediction.reading import GraphReader, ReadGraph, ReadStructure, joined
from phase2.prediction.table import PredictedStructure, PredictionTable
from phase2.storage.progress import ProgressCallback

if TYPE_CHECKING:
    from phase2.prediction.inputs import StructureLike


def predict_structures(
    predictor: Predictor,
    structures: Sequence[StructureLike],
    *,
    properties: Sequence[str] | None = None,
    batch_size: int = 64,
    progress: ProgressCallback | None = None,
    reader: GraphReader | None = None,
) -> PredictionTable:
    """Predict the properties of structures; one that cannot be read becomes a row with the reason.

    Args:
        predictor: The model.
        structures: Paths of structure files, of one or many structures, crystals, pymatgen structures or ASE atoms.
        properties: Keys of the requested properties; all of the model's by default.
        batch_size: Number of structures per batch.
        progress: Callback receiving the number of structures done, and their number.
        reader: Reader of the structures; one with the default limits if None.

    Raises:
        UnknownNameError: The model was not trained for a property.
        RequestError: ``properties`` is empty or names a property twice.
    """
    torch.set_num_threads(thread_count())
    columns = predictor.output_columns(properties)
    rows: list[PredictedStructure] = []
    with ExitStack() as stack:
        source = reader or stack.enter_context(GraphReader())
        batches = source.batches(structures, predictor.model.config.data.graph, batch_size)
        for names, read in joined(stack.enter_context(closing(batches)), predictor.forward.window):
            rows += _predict_batch(predictor, names, read, columns, batch_size)
            if progress:
                progress(len(rows), max(len(rows), len(structures)))
    return PredictionTable(tuple(predictor.model.properties[k] for k in columns), tuple(rows))


def _predict_batch(
    predictor: Predictor,
    names: Sequence[str],
    read: Sequence[ReadStructure],
    columns: Sequence[int],
    batch_size: int,
) -> list[PredictedStructure]:
    graphs = [item.graph for item in read if isinstance(item, ReadGraph)]
    together = predictor.assess_graphs(PackedGraphs.concatenate(graphs), batch_size=batch_size)
    assessed = iter(together.crystals(columns))
    return [
        item if isinstance(item, PredictedStructure) else _row(predictor, name, item, next(assessed))
        for name, item in zip(names, read, strict=True)
    ]


def _row(predictor: Predictor, name: str, read: ReadGraph, assessed: Assessment) -> PredictedStructure:
    graph = read.graph
    formula, values, novelty = str(graph.formulas[0]), assessed.values[0], None
    warnings = [*read.remarks, predictor.unseen_elements_warning(graph.species)]
    if assessed.novelty is not None:
        novelty = float(assessed.novelty[0])
        warnings.append(novelty_warning(novelty))
    warning = "; ".join(filter(None, warnings))
    if not np.isfinite(values).all():
        return PredictedStructure(name, formula, None, error="The model's prediction is not finite.", warning=warning)
    difficulty = None if assessed.difficulty is None else assessed.difficulty[0]
    factors = None if assessed.factors is None else assessed.factors[0]
    return PredictedStructure(
        name, formula, values, warning=warning, difficulty=difficulty, novelty=novelty, factors=factors
    )


def novelty_warning(novelty: float) -> str:
    """Return a warning that a crystal is unlike the training crystals; "" for one that is not."""
    return f"unlike the training set: novelty {novelty:.2g}" if novelty > 1 else ""
