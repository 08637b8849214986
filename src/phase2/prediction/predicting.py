"""Prediction of structures: from what is read to rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import numpy as np
import torch

from phase2.config.schema import GraphSpec
from phase2.data.graphs.packed import PackedGraphs
from phase2.machine.hardware import thread_count
from phase2.prediction.predictor import Assessment, Predictor
from phase2.prediction.reading.graph_reader import GraphReader, ReadGraph, ReadStructure, joined
from phase2.prediction.table import PredictedStructure, PredictionTable
from phase2.storage.progress import ProgressCallback

if TYPE_CHECKING:
    from phase2.prediction.reading.inputs import StructureLike


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
    columns = predictor.output_columns(properties)
    (table,) = predict_by_each(
        [predictor], [columns], structures, batch_size=batch_size, progress=progress, reader=reader
    )
    return table


def predict_by_each(
    predictors: Sequence[Predictor],
    columns: Sequence[Sequence[int]],
    structures: Sequence[StructureLike],
    *,
    batch_size: int = 64,
    progress: ProgressCallback | None = None,
    reader: GraphReader | None = None,
) -> list[PredictionTable]:
    """Predict structures by several models, each alone; what models with the same graphs read is read once.

    Args:
        predictors: The models.
        columns: Columns of the requested properties in the output of each model.
        structures: Paths of structure files, of one or many structures, crystals, pymatgen structures or ASE atoms.
        batch_size: Number of structures per batch.
        progress: Callback receiving the number of predictions done, and their number: structures times models.
        reader: Reader of the structures; one with the default limits if None.
    """
    torch.set_num_threads(thread_count())
    rows: list[list[PredictedStructure]] = [[] for _ in predictors]
    done = 0
    with ExitStack() as stack:
        source = reader or stack.enter_context(GraphReader())
        for spec, members in _by_graphs(predictors).items():
            batches = stack.enter_context(closing(source.batches(structures, spec, batch_size)))
            for names, read in joined(batches, max(predictors[k].forward.window for k in members)):
                for k in members:
                    rows[k] += _predict_batch(predictors[k], names, read, columns[k], batch_size)
                    done += len(names)
                    if progress:
                        progress(done, max(done, len(predictors) * len(structures)))
    return [
        PredictionTable(tuple(one.model.properties[k] for k in chosen), tuple(found))
        for one, chosen, found in zip(predictors, columns, rows, strict=True)
    ]


def _by_graphs(predictors: Sequence[Predictor]) -> dict[GraphSpec, list[int]]:
    members: dict[GraphSpec, list[int]] = {}
    for k, one in enumerate(predictors):
        members.setdefault(one.model.config.data.graph, []).append(k)
    return members


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
    warnings = [*read.remarks, predictor.unseen_elements_warning(graph.species), *assessed.packing]
    if assessed.novelty is not None:
        novelty = float(assessed.novelty[0])
        warnings.append(novelty_warning(novelty))
    refusal = predictor.refusal(graph)
    if refusal and not _reads_features_alone(predictor):
        warnings.append(f"{refusal}, and means of the training crystals stand for them")
    warning = "; ".join(filter(None, warnings))
    if refusal and _reads_features_alone(predictor):
        return PredictedStructure(name, formula, None, error=f"{refusal}.", warning=warning)
    if not np.isfinite(values).all():
        return PredictedStructure(name, formula, None, error="The model's prediction is not finite.", warning=warning)
    difficulty = None if assessed.difficulty is None else assessed.difficulty[0]
    factors = None if assessed.factors is None else assessed.factors[0]
    return PredictedStructure(
        name, formula, values, warning=warning, difficulty=difficulty, novelty=novelty, factors=factors
    )


def _reads_features_alone(predictor: Predictor) -> bool:
    """Return whether all that a model reads of a crystal are the features of a pretrained potential."""
    foundation = predictor.model.config.foundation
    return foundation is not None and foundation.use == "alone"


def unpredicted(rows: Sequence[PredictedStructure]) -> PredictedStructure | None:
    """Return the row of a structure that one of several models has no prediction for; None if all of them have.

    Args:
        rows: What each model says of the structure.
    """
    first = next((row for row in rows if row.values is None), None)
    if first is None:
        return None
    return PredictedStructure(first.file, first.formula, None, error=first.error, warning=joint_warning(rows, None))


def novelties(rows: Sequence[PredictedStructure]) -> list[float]:
    """Return the novelty of a structure to each of several models; nothing where one of them does not know it."""
    found = [row.novelty for row in rows if row.novelty is not None]
    return found if len(found) == len(rows) else []


def joint_warning(rows: Sequence[PredictedStructure], novelty: float | None) -> str:
    """Return the warnings of several models about one structure, each once, with one of their joint novelty.

    Args:
        rows: What each model says of the structure.
        novelty: Its novelty to all of them; None leaves the warnings of each.
    """
    own = {novelty_warning(row.novelty) for row in rows if row.novelty is not None and novelty is not None}
    found = [part for row in rows for part in row.warning.split("; ") if part and part not in own]
    joint = [] if novelty is None else [novelty_warning(novelty)]
    return "; ".join(filter(None, dict.fromkeys([*found, *joint])))


def novelty_warning(novelty: float) -> str:
    """Return a warning that a crystal is unlike the training crystals; "" for one that is not."""
    return f"unlike the training set: novelty {novelty:.2g}" if novelty > 1 else ""
