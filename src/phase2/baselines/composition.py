"""Features of the composition: statistics of the properties of its elements, and their shares.

After L. Ward et al., npj Comput. Mater. 2, 16028 (2016), doi:10.1038/npjcompumats.2016.28.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phase2.baselines.block import STATISTICS, Block
from phase2.data.crystals.element_properties import ELEMENTS, element_properties
from phase2.data.crystals.elements import SYMBOLS

_NORMS = (2, 3)


def composition_names() -> list[str]:
    """Return the names of the composition features."""
    return [
        *(f"{statistic} {name}" for statistic in (*STATISTICS, "range") for name in element_properties().names),
        *(f"share of {kind} electrons" for kind in "spdf"),
        "elements",
        *(f"{p}-norm of the shares" for p in _NORMS),
        "mean ionic character",
        "largest ionic character",
    ]


def composition_features(block: Block) -> NDArray[np.float64]:
    """Describe the composition of each crystal, (B, number of names) float64."""
    table = element_properties()
    statistics = block.statistics(table.values[block.species])
    mean, _, low, high = np.split(statistics, len(STATISTICS), axis=1)
    valence = mean[:, [table.names.index(f"valence_{kind}") for kind in "spdf"]]
    share = element_shares(block)
    return np.concatenate(
        [
            statistics,
            high - low,
            valence / valence.sum(axis=1, keepdims=True),
            (share > 0).sum(axis=1, keepdims=True),
            *((share**p).sum(axis=1, keepdims=True) ** (1 / p) for p in _NORMS),
            _ionic_character(share),
        ],
        axis=1,
    )


def element_names() -> list[str]:
    """Return the names of the shares of the elements."""
    return [f"share of {symbol}" for symbol in SYMBOLS]


def element_shares(block: Block) -> NDArray[np.float64]:
    """Return the share of each element among the atoms, (B, 118) float64."""
    crystals = len(block.volume)
    crystal = np.repeat(np.arange(crystals), np.diff(block.node_offset))
    cell = crystal * (ELEMENTS + 1) + block.species
    shares = np.bincount(cell, weights=block.fraction, minlength=crystals * (ELEMENTS + 1)).astype(np.float64)
    return shares.reshape(crystals, ELEMENTS + 1)[:, 1:]


def _ionic_character(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return mean and largest ionic character over the pairs of elements of each crystal, (B, 2).

    1 - exp(-(difference of electronegativity / 2)^2): L. Pauling, The Nature of the Chemical Bond, 3rd ed., chapter 3.
    """
    electronegativity = element_properties().column("electronegativity")[1:]
    ionic = 1 - np.exp(-np.square((electronegativity[:, None] - electronegativity) / 2))
    mean = ((share @ ionic) * share).sum(axis=1)
    known = np.where(share > 0, electronegativity, np.nan)
    width = np.nanmax(known, axis=1) - np.nanmin(known, axis=1)
    return np.stack([mean, 1 - np.exp(-np.square(width / 2))], axis=1)
