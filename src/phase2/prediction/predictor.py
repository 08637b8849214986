"""Predictions of a trained model, for crystals and for structure files."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from phase2.data.batching import Batch, collate
from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.elements import SYMBOLS
from phase2.data.graphs.packed import PackedGraphs
from phase2.data.graphs.packing import pack
from phase2.data.transforms import learned_factors
from phase2.errors import RequestError, UnknownNameError
from phase2.machine.hardware import thread_count
from phase2.models.files.modelfile import TrainedModel, load_model_file
from phase2.prediction.features import trained_features
from phase2.prediction.reading import GraphReader, ReadGraph, ReadStructure, split_by_atoms
from phase2.prediction.table import PredictedStructure, PredictionTable
from phase2.storage.progress import ProgressCallback

if TYPE_CHECKING:
    from phase2.prediction.inputs import StructureLike


@dataclass(frozen=True, slots=True, eq=False)
class Assessment:
    """Predictions for B crystals, and what is known about their errors.

    Attributes:
        values: Predictions, (B, P) float64, in the properties' units.
        difficulty: Expected errors up to a factor, (B, P) float64; None where the model does not know.
        novelty: Distance to the training crystals, (B,) float64; None where the model does not know.
        factors: What learned values are multiplied by, (B, P) float64; None for 1.
    """

    values: NDArray[np.float64]
    difficulty: NDArray[np.float64] | None
    novelty: NDArray[np.float64] | None
    factors: NDArray[np.float64] | None = None

    def crystals(self, columns: Sequence[int]) -> list[Assessment]:
        """Return the assessment of each crystal alone, with these columns of the properties."""
        index = list(columns)
        return [
            Assessment(
                self.values[k : k + 1, index],
                None if self.difficulty is None else self.difficulty[k : k + 1, index],
                None if self.novelty is None else self.novelty[k : k + 1],
                None if self.factors is None else self.factors[k : k + 1, index],
            )
            for k in range(len(self.values))
        ]


class Predictor:
    """Trained model, ready to predict.

    Attributes:
        model: The trained model.
        path: Its model file.
        device: Device to compute on.
    """

    def __init__(self, model: TrainedModel, path: Path, device: torch.device | str = "cpu") -> None:
        self.model = model
        self.path = path
        self.device = torch.device(device)
        self._network = model.model.to(self.device)

    @classmethod
    def load(cls, path: Path, device: torch.device | str = "cpu") -> Predictor:
        """Load a model file, which needs neither the training data nor another file.

        Args:
            path: The model file.
            device: Device to compute on.

        Raises:
            ModelFileError: The file is missing, damaged, unsafe or of a newer format.
        """
        return cls(load_model_file(path), path, device)

    def output_columns(self, keys: Sequence[str] | None) -> list[int]:
        """Return the columns of the requested properties in the model's output; all of them for None.

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
        if not keys or len(set(keys)) != len(keys):
            raise RequestError(
                "No property was requested." if not keys else f"A property is named twice in '{','.join(keys)}'.",
                fix=f"Name properties of this model, each once: {', '.join(known)}.",
            )
        return [known.index(key) for key in keys]

    def predict(self, crystals: Sequence[Crystal]) -> NDArray[np.float64]:
        """Predict the properties of crystals, as one batch.

        Returns:
            Predictions, shape (B, P), float64, in the properties' units.

        Raises:
            InvalidCrystalError: A crystal has overlapping atoms.
        """
        return self.predict_graphs(pack(crystals, self.model.config.data.graph))

    def predict_graphs(self, graphs: PackedGraphs) -> NDArray[np.float64]:
        """Predict the properties of crystals with known graphs, as one batch.

        Returns:
            Predictions, shape (B, P), float64, in the properties' units.
        """
        return self.assess_graphs(graphs).values

    def assess_graphs(self, graphs: PackedGraphs) -> Assessment:
        """Predict the properties of crystals with known graphs, as one batch, and how difficult and new they are."""
        batch = self._batch(graphs)
        with torch.inference_mode():
            embedded = self._network.embed(batch)
            normalised = self._network.heads(embedded)
        features = embedded.float().cpu().numpy()
        known, factors = self.model.uncertainty, learned_factors(graphs, self.model.properties)
        return Assessment(
            self.model.scaler.decode(normalised.double().cpu().numpy(), factors),
            difficulty=None if known is None else known.difficulty(features),
            novelty=None if known is None else known.novelty(features),
            factors=factors,
        )

    def embed_graphs(self, graphs: PackedGraphs) -> NDArray[np.float32]:
        """Compute the features of crystals that the heads read, as one batch, (B, C) float32."""
        batch = self._batch(graphs)
        with torch.inference_mode():
            features: NDArray[np.float32] = self._network.embed(batch).float().cpu().numpy()
        return features

    def _batch(self, graphs: PackedGraphs) -> Batch:
        """Gather crystals as one batch, with the features of a pretrained potential where the model reads them."""
        index = np.arange(len(graphs))
        features = trained_features(self.model, graphs, str(self.device))
        return collate(graphs, index, None, self._network.view, features).to(self.device)

    def unseen_elements_warning(self, species: NDArray[np.uint8]) -> str:
        """Return a warning that names the elements of a crystal that are not in the training set; "" for none."""
        unseen = sorted(set(species.tolist()) - set(self.model.species))
        if not unseen:
            return ""
        return f"not in the training set: {', '.join(SYMBOLS[z - 1] for z in unseen)}"


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
        for names, read in stack.enter_context(closing(batches)):
            rows += _predict_batch(predictor, names, read, columns)
            if progress:
                progress(len(rows), max(len(rows), len(structures)))
    return PredictionTable(tuple(predictor.model.properties[k] for k in columns), tuple(rows))


def _predict_batch(
    predictor: Predictor, names: Sequence[str], read: Sequence[ReadStructure], columns: Sequence[int]
) -> list[PredictedStructure]:
    graphs = [item.graph for item in read if isinstance(item, ReadGraph)]
    assessed = (one for batch in split_by_atoms(graphs) for one in predictor.assess_graphs(batch).crystals(columns))
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
