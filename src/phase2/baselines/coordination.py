"""Features of the neighbourhoods of the atoms: distances, coordination, and the elements around an element.

The local property differences follow L. Ward et al., Phys. Rev. B 96, 024104 (2017), doi:10.1103/PhysRevB.96.024104,
with neighbours weighted by nearness instead of by Voronoi faces.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phase2.baselines.block import STATISTICS, Block, shell_weights
from phase2.data.crystals.element_properties import element_properties

_DISTANCES = (
    "nearest distance", "nearest relative distance", "mean distance", "mean relative distance",
    "spread of relative distances",
)  # fmt: skip
_COUNTS = ("neighbours", "coordination", "bond valence")
_CONTRASTS = ("like neighbours", "electronegativity difference", "squared electronegativity difference")
_OWN = (*_DISTANCES, *_COUNTS, *_CONTRASTS)
_LOCAL = (
    "mendeleev", "group", "period", "electronegativity", "covalent_radius", "ionization_energy", "electron_affinity",
    "valence_p", "valence_d", "highest_oxidation_state",
)  # fmt: skip
_SHELLS = np.arange(0.75, 2.0, 0.125)  # relative distances around which neighbours are counted
_SHELL_WIDTH = 0.06
_SOFTNESS = 0.37  # angstrom: I. D. Brown and D. Altermatt, Acta Cryst. B41, 244 (1985), eq. 1


def coordination_names() -> list[str]:
    """Return the names of the coordination features."""
    nodes = [*_OWN, *(f"local difference of {name}" for name in _LOCAL), *(f"{name} of neighbours" for name in _LOCAL)]
    return [
        *(f"{statistic} {name}" for statistic in STATISTICS for name in nodes),
        *(f"covariance of {name} with electronegativity" for name in _OWN),
        *(f"neighbours near {shell:g} radii" for shell in _SHELLS),
    ]


def coordination_features(block: Block) -> NDArray[np.float64]:
    """Describe the neighbourhoods of the atoms of each crystal, (B, number of names) float64."""
    own = np.concatenate([_distances(block), _counts(block), _contrasts(block)], axis=1)
    electronegativity = element_properties().column("electronegativity")[block.species][:, None]
    covariance = block.mean(own * electronegativity) - block.mean(own) * block.mean(electronegativity)
    nodes = np.concatenate([own, *_neighbor_elements(block)], axis=1)
    return np.concatenate([block.statistics(nodes), covariance, block.mean(_histogram(block))], axis=1)


def _distances(block: Block) -> NDArray[np.float64]:
    both = np.stack([block.distance, block.relative], axis=1)
    nearest = np.minimum.reduceat(both, block.link_offset[:-1], axis=0)
    mean = _shell_mean(block, both)
    spread = _shell_mean(block, np.abs(both - mean[block.receiver])[:, 1:])
    return np.concatenate([nearest, mean, spread], axis=1)


def _counts(block: Block) -> NDArray[np.float64]:
    """Return edges, effective coordination number and sum of bond valences of each node, (N, 3)."""
    radii = block.distance / block.relative  # sum of the two
    valence = np.exp((radii - block.distance) / _SOFTNESS)
    weight = np.stack([np.ones_like(valence), shell_weights(block.relative, block.link_offset), valence], axis=1)
    return block.link_sum(block.count[:, None] * weight)


def _contrasts(block: Block) -> NDArray[np.float64]:
    receiver, sender = block.species[block.receiver], block.species[block.sender]
    electronegativity = element_properties().column("electronegativity")
    difference = electronegativity[sender] - electronegativity[receiver]
    return _shell_mean(block, np.stack([receiver == sender, difference, np.square(difference)], axis=1))


def _neighbor_elements(block: Block) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return differences of element properties from the neighbours', and the neighbours' own, (N, C) each."""
    table = element_properties()
    columns = table.values[:, [table.names.index(name) for name in _LOCAL]][block.species]
    sender = columns[block.sender]
    return _shell_mean(block, np.abs(sender - columns[block.receiver])), _shell_mean(block, sender)


def _histogram(block: Block) -> NDArray[np.float64]:
    """Count the neighbours of each node around each relative distance, (N, number of shells)."""
    near = np.exp(-0.5 * np.square((block.relative[:, None] - _SHELLS) / _SHELL_WIDTH))
    return block.link_sum(near * block.count[:, None])


def _shell_mean(block: Block, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average over the neighbours of each node, weighted by nearness, (L, C) to (N, C)."""
    return block.link_sum(values * block.shell[:, None])
