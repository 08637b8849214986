"""Several models asked for the same structures: their mean, and how far apart they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from phase2.errors import RequestError
from phase2.prediction.predictor import Predictor, predict_structures
from phase2.prediction.table import PredictedStructure, PredictionTable
from phase2.storage.progress import ProgressCallback

if TYPE_CHECKING:
    from phase2.prediction.inputs import StructureLike


def predict_ensemble(
    predictors: Sequence[Predictor],
    structures: Sequence[StructureLike],
    *,
    properties: Sequence[str] | None = None,
    batch_size: int = 64,
    progress: ProgressCallback | None = None,
) -> PredictionTable:
    """Predict structures with every model, and give mean and standard deviation of each property.

    Deep ensembles (Lakshminarayanan et al., NeurIPS 2017): models that differ in their seed alone disagree most where
    they know least. The standard deviation is that of a sample (n - 1); it is no calibrated error bar.

    Args:
        predictors: Two or more models; all know the asked properties.
        structures: Paths of structure files, crystals, pymatgen structures or ASE atoms.
        properties: Keys of the wanted properties; all of the first model's by default.
        batch_size: Structures read and predicted at a time.
        progress: Called with (structures done by all models, structures times models).

    Raises:
        UnknownNameError: A model was not trained for a property.
        RequestError: There is only one model.
    """
    if len(predictors) < 2:
        raise RequestError("One model is no ensemble.", why="It has no spread.", fix="Name two models or more.")
    keys = [p.key for p in predictors[0].model.properties] if properties is None else properties
    for predictor in predictors:
        predictor.output_columns(keys)  # refuses, before hours are spent on the others
    total = len(structures) * len(predictors)
    tables = []
    for number, predictor in enumerate(predictors):

        def report(done: int, _: int | None, before: int = number * len(structures)) -> None:
            if progress:
                progress(before + done, total)

        tables.append(
            predict_structures(predictor, structures, properties=keys, batch_size=batch_size, progress=report)
        )
    return combined(tables)


def combined(tables: Sequence[PredictionTable]) -> PredictionTable:
    """Mean and standard deviation over the tables of several models for the same structures and properties.

    A structure that one of them has no prediction for has none.
    """
    rows = tuple(_combined(rows) for rows in zip(*(table.rows for table in tables), strict=True))
    return PredictionTable(tables[0].properties, rows, members=len(tables))


def _combined(rows: Sequence[PredictedStructure]) -> PredictedStructure:
    first = next((row for row in rows if row.values is None), rows[0])
    warning = "; ".join(dict.fromkeys(row.warning for row in rows if row.warning))
    values = [row.values for row in rows if row.values is not None]
    if len(values) < len(rows):
        return PredictedStructure(first.file, first.formula, None, error=first.error, warning=warning)
    stack = np.stack(values)
    return PredictedStructure(
        first.file, first.formula, stack.mean(axis=0), warning=warning, spread=stack.std(axis=0, ddof=1)
    )
