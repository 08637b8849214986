"""Loading trained models."""

from __future__ import annotations

import os

from phase2.api.model import Model
from phase2.api.runs.references import RunReference, model_file
from phase2.errors import RequestError
from phase2.models.device import AUTO, choose_device
from phase2.prediction.ensemble import Combine, check_combine
from phase2.prediction.predictor import Predictor

MOST_BUCKETS = 64
"""Most sizes of batches, as for training."""


def load_model(
    model: RunReference | list[RunReference] | tuple[RunReference, ...] | None = None,
    *,
    store: str | os.PathLike[str] | None = None,
    combine: Combine = "mean",
    device: str = AUTO,
    padding_buckets: int | None = None,
) -> Model:
    """Load a trained model, or several to be combined.

    Args:
        model: A :class:`phase2.Run`; the id or folder name of a run, ``best``, ``best:band_gap`` or ``latest``; the
            path of a ``best.pt`` or of a run folder; or an address such as ``s3://bucket/prefix/family/run_...``. A
            list of these is combined. By default the best, by validation score, of the runs that have the
            properties, data and split of the newest one.
        store: Where named runs are looked up: a folder or ``s3://bucket/prefix``. By default ``$PHASE2_STORE``, or the
            folder ``models``.
        combine: With several models: ``mean``, an ensemble, predicts their mean and its spread; ``best`` predicts each
            property by the model with the smallest validation error, of models that may have different properties.
        device: ``auto`` (a GPU where there is one), ``cpu``, ``cuda`` or ``cuda:1``.
        padding_buckets: Most sizes that batches are padded to, 0 to 64; 0 pads none. By default four on a GPU, where
            each is recorded once and launched at once if a trial finds that faster, and none on a CPU.

    Raises:
        RequestError: There is no such run or device, or ``combine`` or ``padding_buckets`` is impossible.
        ModelFileError: The model file is missing, damaged or of a newer phase2.
        TransientError: The store does not answer.

    Examples:
        >>> settings = {"algorithm": "cgcnn", "level": "smoke", "epochs": 2, "max_samples": 60, "output": folder}
        >>> run = phase2.train(progress=False, **settings)
        >>> phase2.load_model(run).properties[0].heading
        'formation_energy [eV/atom]'
    """
    several: list[RunReference | None] = list(model) if isinstance(model, list | tuple) else [model]
    if not several:
        raise RequestError("No model was named.", fix="Name a run, or the path of a best.pt.")
    if padding_buckets is not None and not 0 <= padding_buckets <= MOST_BUCKETS:
        raise RequestError(
            f"padding_buckets={padding_buckets} is not possible.",
            why=f"Batches are padded to 1 to {MOST_BUCKETS} sizes, or to none.",
            fix=f"Give 0 to {MOST_BUCKETS}.",
        )
    combined = check_combine(combine)
    where = choose_device(device)
    files = [model_file(one, store) for one in several]
    return Model([Predictor.load(file, where, padding_buckets=padding_buckets) for file in files], combined)
