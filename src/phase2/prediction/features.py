"""Features of a pretrained potential for crystals that are predicted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phase2.data.graphs.packed import PackedGraphs
from phase2.errors import ModelFileError
from phase2.models.files.modelfile import TrainedModel


def refusal_of_features(model: TrainedModel, device: str, graphs: PackedGraphs) -> str:
    """Say why the potential that a model reads gives a crystal no features; "" where it does, or it reads none.

    Args:
        model: The model.
        device: Device that it predicts on.
        graphs: The graph of the crystal.
    """
    from phase2.foundation.featurizer import featurizer

    read = model.config.foundation
    return "" if read is None else featurizer(read.name, device).refusal(graphs, 0)


def trained_features(model: TrainedModel, device: str, graphs: PackedGraphs) -> NDArray[np.float32]:
    """Compute the features that a model was trained on, (B, F) float32.

    Raises:
        MissingExtraError: The package of the potential is not installed.
        ModelFileError: The package has other weights than those the model was trained on.
    """
    from phase2.foundation.featurizer import featurizer

    assert model.config.foundation is not None  # noqa: S101 - asked of models that read some
    potential = featurizer(model.config.foundation.name, device)
    if potential.digest != model.features_digest:
        raise ModelFileError(
            f"The model of run {model.run_id} was trained on features of other weights of {potential.name}.",
            why=f"Their SHA-256 began with {str(model.features_digest)[:12]}, and begins with "
            f"{potential.digest[:12]} here.",
            fix="Install the version of the package that the run names in its manifest.",
        )
    return potential.features(graphs, np.arange(len(graphs)))
