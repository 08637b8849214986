"""Features of a pretrained potential for the crystals of a run."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from phase2.config.schema import RunConfig
from phase2.config.settings import cache_dir
from phase2.data.dataset import CrystalPropertyDataset
from phase2.foundation.cache import cached_features
from phase2.foundation.featurizer import featurizer
from phase2.storage.progress import ProgressCallback


def with_features(
    dataset: CrystalPropertyDataset, config: RunConfig, *, workers: int, progress: ProgressCallback | None = None
) -> CrystalPropertyDataset:
    """Return a data set with the features that the run reads, computed where they are not cached; or as it is.

    Its fingerprint covers the weights of the potential: with others the run would not end where it would have ended.

    Args:
        dataset: The data set.
        config: Configuration of the run.
        workers: Processes that compute.
        progress: Callback receiving the number of crystals done, and how many are needed.

    Raises:
        MissingExtraError: The package of the potential is not installed.
        RequestError: The cache folder cannot be written.
        TransientError: The disk is full.
    """
    if config.foundation is None:
        return dataset
    model = featurizer(config.foundation.name)
    split = dataset.split
    needed = np.concatenate([split.train, split.val, split.test])
    features = cached_features(dataset.store, needed, model, cache_dir=cache_dir(), workers=workers, progress=progress)
    fingerprint = hashlib.sha256(f"{dataset.fingerprint}|{model.digest}".encode()).hexdigest()
    return replace(dataset, features=features, features_digest=model.digest, fingerprint=fingerprint)
