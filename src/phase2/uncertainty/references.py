"""Training crystals as points of few dimensions, where crystals that the network reads alike are close."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

DIMENSIONS = 16
MOST_PER_PROPERTY = 4096
NEIGHBORS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Neighbors:
    """Nearest reference crystals of B crystals.

    Attributes:
        distance: Mean distance to them, (B,) float64.
        spread: Standard deviation of their labels, (B,) float64, normalised units.
    """

    distance: NDArray[np.float64]
    spread: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class References:
    """Training crystals in the space of their principal components, with their labels.

    The features are those that the heads of the network read, standardised and projected on the 16 directions in
    which training crystals differ most. Of each property at most 4,096 labelled crystals are kept, so that a model
    file stays small.

    Attributes:
        mean: Mean of the features, (C,) float32.
        axes: Projection of centred features, (C, D) float32.
        points: Projected crystals, (R, D) float16.
        labels: Their normalised labels, (R, P) float32, NaN where missing.
    """

    mean: NDArray[np.float32]
    axes: NDArray[np.float32]
    points: NDArray[np.float16]
    labels: NDArray[np.float32]

    @classmethod
    def fit(cls, features: NDArray[np.float32], labels: NDArray[np.float32]) -> Self:
        """Fit the projection to the training crystals, and keep them.

        Args:
            features: Features of the training crystals, (B, C) float32.
            labels: Their normalised labels, (B, P) float32, NaN where missing.
        """
        from sklearn.decomposition import PCA
        from sklearn.preprocessing import StandardScaler

        scaler = StandardScaler().fit(features.astype(np.float64))
        standard = scaler.transform(features)
        pca = PCA(min(DIMENSIONS, *features.shape), svd_solver="covariance_eigh").fit(standard)
        present = ~np.isnan(labels)
        kept = (present & (present.cumsum(axis=0) <= MOST_PER_PROPERTY)).any(axis=1)
        axes = (pca.components_ / scaler.scale_).T.astype(np.float32)
        mean = scaler.mean_.astype(np.float32)
        points = ((features[kept] - mean) @ axes).astype(np.float16)
        return cls(mean, axes, points, labels[kept].astype(np.float32))

    def project(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Project features, (B, C) float32, to the space of the references, (B, D) float64."""
        # What is not finite has no prediction either; a search for neighbours would refuse the whole batch.
        return np.nan_to_num((features - self.mean) @ self.axes).astype(np.float64)

    def neighbors(self, features: NDArray[np.float32], column: int | None = None) -> Neighbors:
        """Find the five nearest references of crystals.

        Args:
            features: Features of B crystals, (B, C) float32.
            column: Only references with a label of this property, whose spread is returned; None for all, without one.
        """
        from sklearn.neighbors import NearestNeighbors

        labels = np.zeros(len(self.points), np.float32) if column is None else self.labels[:, column]
        labelled = ~np.isnan(labels)
        if not labelled.any() or not len(features):
            return Neighbors(np.ones(len(features)), np.zeros(len(features)))
        search = NearestNeighbors(n_neighbors=min(NEIGHBORS, int(labelled.sum())))
        search.fit(self.points[labelled].astype(np.float64))
        distance, index = search.kneighbors(self.project(features))
        return Neighbors(distance.mean(axis=1), labels[labelled][index].std(axis=1, dtype=np.float64))
