"""Starting point of a training that begins with the weights of a trained model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from phase2.config.schema import FineTuningConfig, RunConfig
from phase2.data.crystals.elements import SYMBOLS
from phase2.data.dataset import CrystalPropertyDataset
from phase2.data.targets import TargetScaler
from phase2.errors import ModelFileError
from phase2.models.base import CrystalModel
from phase2.models.build import build_network
from phase2.models.files.modelfile import TrainedModel, load_model_file
from phase2.runs.ancestry.model_header import read_model_header
from phase2.runs.ancestry.record import source_file
from phase2.runs.records.lineage import Lineage
from phase2.training.fine_tuning.weights import copy_weights, find_property_rows
from phase2.training.loader import species_in


@dataclass(frozen=True, slots=True, eq=False)
class StartingPoint:
    """What a training takes over from a trained model.

    Attributes:
        settings: How it is trained further.
        lineage: What was taken over, as the run recorded it.
        source: The trained model; None where the training continues from a checkpoint, which has the weights.
    """

    settings: FineTuningConfig
    lineage: Lineage
    source: TrainedModel | None

    @classmethod
    def of(cls, config: RunConfig, lineage: Lineage | None, *, with_weights: bool) -> StartingPoint | None:
        """Return the starting point of a run; None where its weights are drawn.

        Args:
            config: Configuration of the run.
            lineage: What it recorded.
            with_weights: Load the model, for the first step.

        Raises:
            ModelFileError: The model file is missing, damaged or another one.
            RequestError: There is no such run.
            DataError: The model file is damaged in the store.
            TransientError: The store does not answer.
        """
        if config.fine_tuning is None or lineage is None:
            return None
        return cls(config.fine_tuning, lineage, _load(config.fine_tuning, lineage) if with_weights else None)

    def initialise(self, model: CrystalModel, properties: Sequence[str]) -> None:
        """Copy the weights of the source into an untrained model that predicts these properties.

        Raises:
            ModelFileError: The source is of another network.
        """
        source = self.source
        if source is None:
            return
        theirs = [p.key for p in source.properties]
        columns = [(k, theirs.index(key)) for k, key in enumerate(properties) if key in self.lineage.kept]
        rows = find_property_rows(lambda n: build_network(source.config, n, source.mean_neighbors))
        copy_weights(model, source.model, rows, columns, heads=not self.settings.new_heads)


def _load(settings: FineTuningConfig, lineage: Lineage) -> TrainedModel:
    path = source_file(settings)
    digest = read_model_header(path).sha256
    if digest != lineage.source.sha256:
        raise ModelFileError(
            f"The model {settings.source} has changed since the run began.",
            why=f"Its SHA-256 began with {lineage.source.sha256[:12]}, and begins with {digest[:12]} now.",
            fix="Bring back the old file, or start a new run.",
        )
    return load_model_file(path)


def inherit_normalisation(dataset: CrystalPropertyDataset, lineage: Lineage | None) -> CrystalPropertyDataset:
    """Normalise the properties whose heads are kept as the source did, so that the heads mean the same."""
    return dataset if lineage is None else replace(dataset, scaler=inherited_scaler(dataset.scaler, lineage))


def inherited_scaler(fitted: TargetScaler, lineage: Lineage) -> TargetScaler:
    """Return a scaler with the mean and standard deviation of the source for the kept properties.

    Bounds of outliers and medians stay those of the training labels: they say which labels are trained on and what the
    baseline is, and no head depends on them.
    """
    mean, std = fitted.mean.copy(), fitted.std.copy()
    for k, prop in enumerate(fitted.properties):
        known = lineage.normalisation.get(prop.key)
        if known is not None:
            mean[k], std[k] = known.mean, known.std
    return replace(fitted, mean=mean, std=std)


def describe_start(dataset: CrystalPropertyDataset, lineage: Lineage | None, notify: Callable[[str], None]) -> None:
    """Report the lineage of a run, and the elements that its ancestors never saw."""
    if lineage is None:
        return
    notify(lineage.sentence())
    own = np.asarray(species_in(dataset.graphs, dataset.split.train))
    unseen = np.setdiff1d(own, lineage.species)
    if len(unseen):
        names = ", ".join(SYMBOLS[z - 1] for z in unseen.tolist())
        notify(f"new elements, which the model it starts from was not trained on: {names}")
