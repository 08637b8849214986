"""What a model file knows about the errors of its model."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phase2.data.targets import TargetScaler
from phase2.errors import ModelFileError
from phase2.uncertainty.calibration import Calibration
from phase2.uncertainty.difficulty import difficulty
from phase2.uncertainty.packing_range import PackingRange
from phase2.uncertainty.references import References

NOVELTY_QUANTILE = 0.99


@dataclass(frozen=True, slots=True, eq=False)
class UncertaintyEstimator:
    """Training crystals and calibration of one model.

    Attributes:
        references: Training crystals in the space of the model's features.
        calibration: Its errors on the validation crystals.
        crystals: SHA-256 of the ids of the validation crystals, in order: equal for models that can be calibrated
            together.
        limit: Distance to the references that 99 % of the validation crystals do not exceed.
        packing: How closely atoms are packed in the training crystals; None in files of earlier versions.
    """

    references: References
    calibration: Calibration
    crystals: str
    limit: float
    packing: PackingRange | None = None

    @classmethod
    def fit(
        cls,
        scaler: TargetScaler,
        *,
        train_features: NDArray[np.float32],
        train_labels: NDArray[np.float32],
        val_features: NDArray[np.float32],
        val_labels: NDArray[np.float32],
        val_predictions: NDArray[np.float64],
        val_ids: Sequence[str],
        val_factors: NDArray[np.float64] | None = None,
    ) -> Self:
        """Fit to a trained model.

        Args:
            scaler: Normaliser of the labels.
            train_features: Features of the training crystals, (B, C) float32.
            train_labels: Normalised labels to train on, (B, P) float32, NaN where missing.
            val_features: Features of the validation crystals, (V, C) float32.
            val_labels: Their normalised labels, (V, P) float32, NaN where missing.
            val_predictions: Their predictions, (V, P) float64, physical units.
            val_ids: Their ids.
            val_factors: What their learned values are multiplied by, (V, P) float64; None for 1.
        """
        references = References.fit(train_features, train_labels)
        calibration = Calibration(
            scaler,
            predicted=scaler.encode(val_predictions, val_factors),
            labels=val_labels.astype(np.float32),
            difficulty=difficulty(references, val_features).astype(np.float32),
            factors=None if val_factors is None else val_factors.astype(np.float32),
        )
        limit = float(np.quantile(references.neighbors(val_features).distance, NOVELTY_QUANTILE))
        return cls(references, calibration, ids_digest(val_ids), max(limit, 1e-6))

    def difficulty(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Estimate the difficulty of crystals, (B, P) float64, from their features, (B, C) float32."""
        return difficulty(self.references, features)

    def novelty(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Compare crystals with the training crystals.

        Returns:
            Mean distance to the five nearest training crystals, (B,) float64, in units of the distance that 99 % of
            the validation crystals do not exceed: above 1 a crystal is unlike those that the model was tested on.
        """
        return self.references.neighbors(features).distance / self.limit

    def to_dict(self) -> dict[str, object]:
        """Return tensors and plain values for the model file."""
        arrays = {**_arrays(self.references), **_arrays(self.calibration)}
        if self.packing is not None:
            arrays["packing"] = np.stack([self.packing.low, self.packing.high])
        return {
            "crystals": self.crystals,
            "limit": self.limit,
            **{n: torch.from_numpy(np.ascontiguousarray(a)) for n, a in arrays.items()},
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, object], scaler: TargetScaler) -> Self:
        """Restore an estimator from the content of :meth:`to_dict`.

        Raises:
            ModelFileError: An entry is missing, of another shape, or not finite.
        """
        crystals, limit = content.get("crystals"), content.get("limit")
        arrays = {name: value.numpy() for name, value in content.items() if isinstance(value, Tensor)}
        if not isinstance(crystals, str) or not isinstance(limit, float) or not 0 < limit < np.inf:
            raise _damaged("its novelty limit or its digest is missing")
        try:
            _check_shapes(arrays, len(scaler.properties))
        except (KeyError, ValueError) as error:
            raise _damaged(f"an array is missing or has another shape: {error}") from error
        references = References(arrays["mean"], arrays["axes"], arrays["points"], arrays["reference_labels"])
        calibration = Calibration(
            scaler, arrays["predicted"], arrays["labels"], arrays["difficulty"], arrays.get("factors")
        )
        packing = PackingRange(*arrays["packing"]) if "packing" in arrays else None
        return cls(references, calibration, crystals, limit, packing)


def ids_digest(ids: Sequence[str]) -> str:
    """Return the SHA-256 of ids in their order, hexadecimal."""
    return hashlib.sha256("\0".join(map(str, ids)).encode()).hexdigest()


def _arrays(part: References | Calibration) -> dict[str, NDArray[np.floating]]:
    names = [field.name for field in fields(part) if field.name != "scaler"]
    renamed = {"labels": "reference_labels"} if isinstance(part, References) else {}
    return {renamed.get(name, name): value for name in names if (value := getattr(part, name)) is not None}


def _check_shapes(arrays: Mapping[str, NDArray[np.floating]], properties: int) -> None:
    """Check arrays of a file; the labels alone may be NaN, where they are missing."""
    if arrays["axes"].ndim != 2 or not arrays["labels"].ndim or not arrays["points"].ndim:
        raise ValueError("axes, labels or points")
    axes, val, references = arrays["axes"].shape, len(arrays["labels"]), len(arrays["points"])
    expected = {
        "mean": axes[:1],
        "axes": axes,
        "points": (references, axes[1]),
        "reference_labels": (references, properties),
        "predicted": (val, properties),
        "labels": (val, properties),
        "difficulty": (val, properties),
        **({"factors": (val, properties)} if "factors" in arrays else {}),
        **({"packing": (2, 2)} if "packing" in arrays else {}),
    }
    for name, shape in expected.items():
        if arrays[name].shape != shape or arrays[name].dtype != (np.float16 if name == "points" else np.float32):
            raise ValueError(name)
        unknown = np.isnan(arrays[name]) if "labels" in name else False
        if not (np.isfinite(arrays[name]) | unknown).all():
            raise ValueError(f"{name} is not finite")
    for name in arrays.keys() & {"difficulty", "factors"}:
        if not (arrays[name] > 0).all():
            raise ValueError(f"{name} is not positive")


def _damaged(why: str) -> ModelFileError:
    return ModelFileError(
        "The calibration in the model file cannot be used.", why=f"It is damaged: {why}.", fix="Use another copy."
    )
