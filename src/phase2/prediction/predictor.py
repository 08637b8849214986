"""A trained model, ready to predict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from phase2.config.schema import GraphSpec
from phase2.data.batching import collate
from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.elements import SYMBOLS
from phase2.data.crystals.readers import read_structure
from phase2.data.graphs.packed import PackedGraphs
from phase2.data.graphs.packing import pack
from phase2.errors import DataError, UnknownNameError
from phase2.machine.environment import threads
from phase2.models.files.modelfile import TrainedModel, load_model_file
from phase2.prediction.table import PredictedStructure, PredictionTable, readable_name
from phase2.properties import select_properties
from phase2.storage.progress import ProgressCallback


class Predictor:
    """A trained model, ready to predict.

    Attributes:
        model: The model file's content.
        path: The model file.
    """

    def __init__(self, model: TrainedModel, path: Path) -> None:
        self.model = model
        self.path = path

    @classmethod
    def load(cls, path: Path) -> Predictor:
        """Load a model file; it needs neither the training data nor any file beside it.

        Raises:
            ModelFileError: The file is missing, damaged, unsafe or of a newer format.
        """
        return cls(load_model_file(path), path)

    def output_columns(self, keys: Sequence[str] | None) -> list[int]:
        """Columns of the asked properties in the model's output; all of them for None.

        Raises:
            UnknownNameError: The model was not trained for a property.
            RequestError: The list is empty or names a property twice.
        """
        known = [p.key for p in self.model.properties]
        if keys is None:
            return list(range(len(known)))
        unknown = [key for key in keys if key not in known]
        if unknown:
            raise UnknownNameError.of("property of this model", unknown[0], known)
        select_properties(keys)  # refuses none and twice the same
        return [known.index(key) for key in keys]

    def predict(self, crystals: Sequence[Crystal]) -> NDArray[np.float64]:
        """Predict crystals as one batch.

        Returns:
            Predictions in the properties' units, shape (n, P).

        Raises:
            InvalidCrystalError: A crystal has overlapping atoms.
        """
        return self.predict_graphs(pack(crystals, self.model.config.data.graph))

    def predict_graphs(self, graphs: PackedGraphs) -> NDArray[np.float64]:
        """Predict crystals whose graphs are at hand, as one batch; shape (n, P), in the properties' units."""
        batch = collate(graphs, np.arange(len(graphs)), None, self.model.model.view)
        with torch.inference_mode():
            normalised = self.model.model(batch)
        return self.model.scaler.decode(normalised.double().numpy())

    def unseen_elements_warning(self, species: NDArray[np.uint8]) -> str:
        """Say which of a crystal's elements the training set did not have; "" for none."""
        unseen = sorted(set(species.tolist()) - set(self.model.species))
        if not unseen:
            return ""
        return f"not in the training set: {', '.join(SYMBOLS[z - 1] for z in unseen)}"


def predict_files(
    predictor: Predictor,
    files: Sequence[Path],
    *,
    properties: Sequence[str] | None = None,
    batch_size: int = 64,
    progress: ProgressCallback | None = None,
) -> PredictionTable:
    """Predict structures from files; a file that cannot be read becomes a row with the reason.

    Args:
        predictor: The model.
        files: CIF, POSCAR or JARVIS JSON files.
        properties: Keys of the wanted properties; all of the model's by default.
        batch_size: Files read and predicted at a time.
        progress: Called with (files done, files in all).

    Raises:
        UnknownNameError: The model was not trained for a property.
        RequestError: ``properties`` is empty or names a property twice.
    """
    torch.set_num_threads(threads())
    columns = predictor.output_columns(properties)
    rows: list[PredictedStructure] = []
    for start in range(0, len(files), batch_size):
        rows += _predict_batch(predictor, files[start : start + batch_size], columns)
        if progress:
            progress(len(rows), len(files))
    return PredictionTable(tuple(predictor.model.properties[k] for k in columns), tuple(rows))


def _predict_batch(predictor: Predictor, files: Sequence[Path], columns: Sequence[int]) -> list[PredictedStructure]:
    read = [_read(file, predictor.model.config.data.graph) for file in files]
    graphs = [item for item in read if isinstance(item, PackedGraphs)]
    values = iter(predictor.predict_graphs(PackedGraphs.concatenate(graphs))[:, columns] if graphs else ())
    return [
        item if isinstance(item, PredictedStructure) else _row(predictor, file, item, next(values))
        for file, item in zip(files, read, strict=True)
    ]


def _row(predictor: Predictor, file: Path, graph: PackedGraphs, values: NDArray[np.float64]) -> PredictedStructure:
    name, formula, warning = (
        readable_name(file),
        str(graph.formulas[0]),
        predictor.unseen_elements_warning(graph.species),
    )
    if not np.isfinite(values).all():
        return PredictedStructure(name, formula, None, error="The model's prediction is not finite.", warning=warning)
    return PredictedStructure(name, formula, values, warning=warning)


def _read(file: Path, spec: GraphSpec) -> PackedGraphs | PredictedStructure:
    try:
        return pack([read_structure(file)], spec)
    except (DataError, OSError) as error:
        # Names within the message may be no UTF-8, and parsers break their messages into lines.
        reason = " ".join(str(error).split()).encode(errors="backslashreplace").decode()
        return PredictedStructure(readable_name(file), "", None, error=reason)
