"""Functions of a property's values that a network learns, and their inverses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from phase2.data.graphs.packed import PackedGraphs
from phase2.properties import Property

LOGIT_MARGIN = 1e-4
"""Distance from its bounds, relative to their distance, at which a value is held whose logit would be infinite."""

_NEAR_BOUND = LOGIT_MARGIN * (1 + 1e-3)  # networks compute with seven digits


def to_learned(column: NDArray[np.float64], prop: Property) -> NDArray[np.float64]:
    """Transform values, (B,) float64, in the property's unit or per atom; truth values stay 1 and 0."""
    if prop.transform == "log1p":
        return signed_log1p(column)
    if prop.transform == "asinh":
        return np.arcsinh(column)
    if prop.transform == "logit":
        lower, width = _range(prop)
        share = np.clip((column - lower) / width, LOGIT_MARGIN, 1 - LOGIT_MARGIN)
        logits: NDArray[np.float64] = np.log(share / (1 - share))
        return logits
    return column


def from_learned(column: NDArray[np.float64], prop: Property) -> NDArray[np.float64]:
    """Invert :func:`to_learned`; of a binary property, turn logits into probabilities.

    Whatever is learned at the margin of a bound, or beyond, becomes the bound.
    """
    if prop.task == "binary":
        return sigmoid(column)
    if prop.transform == "log1p":
        return signed_expm1(column)
    if prop.transform == "asinh":
        with np.errstate(over="ignore"):
            return np.sinh(column)
    if prop.transform == "logit":
        lower, width = _range(prop)
        share = sigmoid(column)
        share = np.where(share < _NEAR_BOUND, 0.0, np.where(share > 1 - _NEAR_BOUND, 1.0, share))
        return lower + width * share
    return column


def within_bounds(column: NDArray[np.float64], prop: Property) -> NDArray[np.float64]:
    """Move predictions, (B,) float64 in the property's unit, that lie beyond what is possible to the nearest bound."""
    if prop.non_negative:
        column = np.maximum(column, 0.0)
    if prop.lower is not None or prop.upper is not None:
        column = np.clip(column, prop.lower, prop.upper)
    return column


def learned_factors(graphs: PackedGraphs, properties: Sequence[Property]) -> NDArray[np.float64] | None:
    """Return what learned values are multiplied by, so that the network predicts averages over atoms.

    The pooled features of a crystal are the same for every cell of it. A value per cell is the number of atoms times
    one per atom, a value per volume is one per atom divided by the volume per atom.

    Args:
        graphs: B crystals.
        properties: P properties.

    Returns:
        Factors, (B, P) float64, 1 where values are learned as they are; None where all are.
    """
    if not any(map(needs_factor, properties)):
        return None
    atoms = np.diff(graphs.atom_offset).astype(np.float64)
    volume = np.abs(np.linalg.det(np.asarray(graphs.lattice, dtype=np.float64)))
    by = {"cell": atoms, "volume": atoms / volume}
    kinds = ["volume" if is_per_volume(p) else p.per for p in properties]
    return np.stack([by.get(kind, np.ones(len(graphs))) for kind in kinds], axis=1)


def needs_factor(prop: Property) -> bool:
    """Return whether the learned value of a property is another multiple of its value for each crystal."""
    return is_per_volume(prop) or prop.per == "cell"


def is_per_volume(prop: Property) -> bool:
    """Return whether the value of a property times the volume per atom is learned."""
    return prop.times_volume or prop.per == "volume"


def signed_log1p(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute sign(x) log(1 + abs(x)): a logarithm for large values of either sign, the identity around zero."""
    return np.sign(x) * np.log1p(np.abs(x))


def signed_expm1(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Invert :func:`signed_log1p`; what exceeds the range of float64 becomes infinite."""
    with np.errstate(over="ignore"):
        return np.sign(y) * np.expm1(np.abs(y))


def sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute 1 / (1 + exp(-x)), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * x))


def _range(prop: Property) -> tuple[float, float]:
    assert prop.lower is not None and prop.upper is not None  # noqa: S101, PT018 - checked where it is defined
    return prop.lower, prop.upper - prop.lower
