"""What gives structures features: a trained model, or a pretrained potential."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from phase2.config.schema import GraphSpec
from phase2.data.graphs.packed import PackedGraphs
from phase2.foundation.featurizer import featurizer
from phase2.prediction.forward.planning import consecutive_batches
from phase2.prediction.predictor import Predictor


class ModelEmbedder:
    """Features that the heads of a trained model read.

    Args:
        predictor: The model.
    """

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor

    @property
    def spec(self) -> GraphSpec:
        """Graphs that it reads."""
        return self._predictor.model.config.data.graph

    @property
    def window(self) -> int:
        """Batches that are best handed over together."""
        return self._predictor.forward.window

    def embed_graphs(self, graphs: PackedGraphs, *, batch_size: int) -> NDArray[np.float32]:
        """Compute the features of all crystals, (B, C) float32, in batches of this many."""
        return self._predictor.embed_graphs(graphs, batch_size=batch_size)

    def refusal(self, graphs: PackedGraphs, crystal: int) -> str:
        """Say why a crystal has no features; "" where that is not known."""
        return self._predictor.refusal(graphs.take(np.array([crystal])))


class PotentialEmbedder:
    """Features of a pretrained potential: means and spreads over the atoms of what its layers give.

    Args:
        name: Its name: ``sevennet-0``.
        device: Device to compute on.

    Raises:
        UnknownNameError: There is none of this name.
        MissingExtraError: Its package is not installed.
    """

    spec = GraphSpec()  # of which it reads positions, lattice and species alone
    window = 1

    def __init__(self, name: str, device: torch.device | str = "cpu") -> None:
        self._model = featurizer(name, str(device))

    def embed_graphs(self, graphs: PackedGraphs, *, batch_size: int) -> NDArray[np.float32]:
        """Compute the features of all crystals, (B, F) float32; NaN for those that it refuses."""
        batches = consecutive_batches(np.diff(graphs.atom_offset), batch_size)
        return np.concatenate([self._model.features(graphs, batch) for batch in batches])

    def refusal(self, graphs: PackedGraphs, crystal: int) -> str:
        """Say why a crystal has no features; "" where that is not known."""
        return self._model.refusal(graphs, crystal)
