"""Predictions of a trained model, for crystals and for structure files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.elements import SYMBOLS
from phase2.data.graphs.geometry import packing
from phase2.data.graphs.packed import PackedGraphs
from phase2.data.graphs.packing import pack
from phase2.data.transforms import learned_factors
from phase2.models.files.modelfile import TrainedModel, load_model_file
from phase2.models.recording.recorder import Recorder
from phase2.prediction.features import refusal_of_features, trained_features
from phase2.prediction.forward.passes import ForwardPass
from phase2.prediction.requested import check_requested


@dataclass(frozen=True, slots=True, eq=False)
class Assessment:
    """Predictions for B crystals, and what is known about their errors.

    Attributes:
        values: Predictions, (B, P) float64, in the properties' units.
        difficulty: Expected errors up to a factor, (B, P) float64; None where the model does not know.
        novelty: Distance to the training crystals, (B,) float64; None where the model does not know.
        factors: What learned values are multiplied by, (B, P) float64; None for 1.
        packing: Of each crystal, how its atoms are packed otherwise than in the training crystals, "" for alike.
    """

    values: NDArray[np.float64]
    difficulty: NDArray[np.float64] | None
    novelty: NDArray[np.float64] | None
    factors: NDArray[np.float64] | None = None
    packing: Sequence[str] = ()

    def crystals(self, columns: Sequence[int]) -> list[Assessment]:
        """Return the assessment of each crystal alone, with these columns of the properties."""
        index = list(columns)
        return [
            Assessment(
                self.values[k : k + 1, index],
                None if self.difficulty is None else self.difficulty[k : k + 1, index],
                None if self.novelty is None else self.novelty[k : k + 1],
                None if self.factors is None else self.factors[k : k + 1, index],
                self.packing[k : k + 1],
            )
            for k in range(len(self.values))
        ]


class Predictor:
    """Trained model, ready to predict.

    Args:
        model: The trained model.
        path: Its model file.
        device: Device to compute on.
        padding_buckets: Most sizes that batches are padded to; 0 pads none; None is four on a GPU and none elsewhere.
        resident: Keep packed graphs on the device; None does so on a GPU that has room for them.
        recorder: Records forward passes; by default that of the device.

    Attributes:
        forward: The forward pass of its network.
    """

    def __init__(
        self,
        model: TrainedModel,
        path: Path,
        device: torch.device | str = "cpu",
        *,
        padding_buckets: int | None = None,
        resident: bool | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self.model = model
        self.path = path
        self.device = torch.device(device)
        self.forward = ForwardPass(
            model.model.to(self.device),
            self.device,
            potential=None if model.config.foundation is None else self._trained_features,
            padding_buckets=padding_buckets,
            resident=resident,
            recorder=recorder,
        )

    @classmethod
    def load(cls, path: Path, device: torch.device | str = "cpu", *, padding_buckets: int | None = None) -> Predictor:
        """Load a model file, which needs neither the training data nor another file.

        Args:
            path: The model file.
            device: Device to compute on.
            padding_buckets: Most sizes that batches are padded to; 0 pads none; None is four on a GPU and none
                elsewhere.

        Raises:
            ModelFileError: The file is missing, damaged, unsafe or of a newer format.
        """
        return cls(load_model_file(path), path, device, padding_buckets=padding_buckets)

    def output_columns(self, keys: Sequence[str] | None) -> list[int]:
        """Return the columns of the requested properties in the model's output; all of them for None.

        Raises:
            UnknownNameError: The model was not trained for a property.
            RequestError: The list is empty or names a property twice.
        """
        known = [p.key for p in self.model.properties]
        if keys is None:
            return list(range(len(known)))
        check_requested(keys, known, "this model")
        return [known.index(key) for key in keys]

    def predict(self, crystals: Sequence[Crystal]) -> NDArray[np.float64]:
        """Predict the properties of crystals, as one batch.

        Returns:
            Predictions, shape (B, P), float64, in the properties' units.

        Raises:
            InvalidCrystalError: A crystal has overlapping atoms.
        """
        return self.predict_graphs(pack(crystals, self.model.config.data.graph))

    def predict_graphs(
        self,
        graphs: PackedGraphs,
        index: NDArray[np.int64] | None = None,
        *,
        batch_size: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> NDArray[np.float64]:
        """Predict the properties of crystals with known graphs.

        Args:
            graphs: Graphs of the crystals, and of others.
            index: The crystals, rows of the graphs, (B,) int64; all of them if None.
            batch_size: Most crystals per batch; None computes all as one batch.
            progress: Callback receiving the number of crystals done.

        Returns:
            Predictions, shape (B, P), float64, in the properties' units.
        """
        index = np.arange(len(graphs)) if index is None else index
        normalised = np.empty((len(index), len(self.model.properties)))
        done = 0
        for rows, outputs in self._outputs(graphs, index, batch_size):
            normalised[rows] = outputs[:, self._channels :]
            done += len(rows)
            if progress:
                progress(done)
        factors = learned_factors(graphs, self.model.properties)
        return self.model.scaler.decode(normalised, None if factors is None else factors[index])

    def assess_graphs(self, graphs: PackedGraphs, *, batch_size: int | None = None) -> Assessment:
        """Predict the properties of crystals with known graphs, and how difficult and new they are.

        Args:
            graphs: Graphs of the crystals.
            batch_size: Most crystals per batch; None computes all as one batch.
        """
        known, shape = self.model.uncertainty, (len(graphs), len(self.model.properties))
        normalised, difficulty, novelty = np.empty(shape), np.empty(shape), np.empty(len(graphs))
        for rows, outputs in self._outputs(graphs, np.arange(len(graphs)), batch_size):
            normalised[rows] = outputs[:, self._channels :]
            if known is not None:
                features = outputs[:, : self._channels]
                difficulty[rows], novelty[rows] = known.difficulty(features), known.novelty(features)
        factors = learned_factors(graphs, self.model.properties)
        usual = None if known is None else known.packing
        return Assessment(
            self.model.scaler.decode(normalised, factors),
            difficulty=None if known is None else difficulty,
            novelty=None if known is None else novelty,
            factors=factors,
            packing=() if usual is None else usual.remarks(packing(graphs)),
        )

    def embed_graphs(self, graphs: PackedGraphs, *, batch_size: int | None = None) -> NDArray[np.float32]:
        """Compute the features of crystals that the heads read, (B, C) float32.

        Args:
            graphs: Graphs of the crystals.
            batch_size: Most crystals per batch; None computes all as one batch.
        """
        features = np.empty((len(graphs), self._channels), np.float32)
        for rows, outputs in self._outputs(graphs, np.arange(len(graphs)), batch_size):
            features[rows] = outputs[:, : self._channels]
        return features

    def _trained_features(self, graphs: PackedGraphs) -> NDArray[np.float32]:
        return trained_features(self.model, str(self.device), graphs)

    def refusal(self, graphs: PackedGraphs) -> str:
        """Say why the pretrained potential gives a crystal no features; "" where it does, or the model reads none."""
        return refusal_of_features(self.model, str(self.device), graphs)

    @property
    def _channels(self) -> int:
        return self.model.model.heads.features

    def _outputs(
        self, graphs: PackedGraphs, index: NDArray[np.int64], batch_size: int | None
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        if batch_size is None:
            return iter([(np.arange(len(index)), self.forward.compute(graphs, index))])
        return self.forward.batches(graphs, index, batch_size)

    def unseen_elements_warning(self, species: NDArray[np.uint8]) -> str:
        """Return a warning that names the elements of a crystal that are not in the training set; "" for none."""
        unseen = sorted(set(species.tolist()) - set(self.model.species))
        if not unseen:
            return ""
        return f"not in the training set: {', '.join(SYMBOLS[z - 1] for z in unseen)}"
