"""Images of atom sites under the operations of a space group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from phase2.data.crystals.formats.crystallographic.group import DENOMINATOR, Group
from phase2.data.crystals.formats.crystallographic.sites import Site
from phase2.data.crystals.shown import shown

_SAME = 1e-5
"""Difference of fractional positions of one atom, once its position is exact."""

_LARGEST_ROUNDING = 0.3
"""Angstrom: images further apart than that are not one atom, however few digits they have."""


class CoincidingSitesError(ValueError):
    """Two sites at one position."""


@dataclass(slots=True)
class UnitCell:
    """Atoms of a cell.

    Attributes:
        symbols: Chemical symbols, N of them.
        positions: Fractional positions, (N, 3).
        roundings: Uncertainty of each, (N, 3).
        images: Number of images of each site.
    """

    symbols: list[str] = field(default_factory=list)
    positions: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 3)))
    roundings: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 3)))
    images: list[int] = field(default_factory=list)

    def equals(self, other: UnitCell, lattice: NDArray[np.float64]) -> bool:
        """Tell whether another cell has the same atoms within their rounding, in any order."""
        if Counter(self.symbols) != Counter(other.symbols):
            return False
        symbols = np.array(other.symbols)
        for symbol, position, rounding in zip(self.symbols, self.positions, self.roundings, strict=True):
            near = _coincide(other.positions - position, other.roundings + rounding, lattice)
            if not (near & (symbols == symbol)).any():
                return False
        return True


def expand(sites: Sequence[Site], group: Group, lattice: NDArray[np.float64]) -> UnitCell:
    """Apply the operations of a group to sites.

    Images of a site that coincide within the rounding of its position are one atom, which is moved to where they agree
    exactly: 0.333, 0.667 to 1/3, 2/3. A site that is an image of an earlier one adds nothing.

    Args:
        sites: The sites.
        group: Space group.
        lattice: Lattice vectors as rows, (3, 3), angstrom.

    Raises:
        CoincidingSitesError: Two sites are at one position, or images of each other with different elements.
    """
    cell = UnitCell()
    owners: list[int] = []
    firsts: list[int] = []
    symbols: list[str] = []
    # Room for all, so that a site is compared with those before it without copies.
    positions, roundings = np.empty((len(sites) * len(group), 3)), np.empty((len(sites) * len(group), 3))
    for index, site in enumerate(sites):
        images, spread = _images(site, group, lattice)
        filled = len(symbols)
        apart = positions[:filled] - images[0]
        touching = np.flatnonzero(_coincide(apart, roundings[:filled] + spread[0], lattice))
        firsts.append(filled)
        cell.images.append(len(images))
        if len(touching):
            other = int(touching[0])
            earlier = sites[owners[other]]
            _refuse_contact(site, earlier, is_copy=firsts[owners[other]] == other)
            continue
        positions[filled : filled + len(images)], roundings[filled : filled + len(images)] = images, spread
        symbols += [site.symbol] * len(images)
        owners += [index] * len(images)
    cell.symbols, cell.positions, cell.roundings = symbols, positions[: len(symbols)], roundings[: len(symbols)]
    return cell


def _images(site: Site, group: Group, lattice: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the images of a site, each once, itself first, (n, 3), and the rounding of each, (n, 3)."""
    rotations, translations = group.rotations, group.translations / DENOMINATOR
    spread = np.abs(rotations) @ site.rounding
    if len(group) == 1:
        return site.position[None] + translations, spread
    moved = rotations @ site.position + translations
    apart = moved - site.position
    fixing = _coincide(apart, spread + site.rounding, lattice)
    # The mean over the operations that fix a position is fixed exactly.
    exact = site.position + (apart - np.round(apart))[fixing].mean(axis=0)
    if np.abs(exact - site.position).max() < _SAME / 100:
        exact = site.position
    images = rotations @ exact + translations
    differences = images[:, None] - images[None]
    same = (np.abs(differences - np.round(differences)) < _SAME).all(axis=-1)
    first = np.flatnonzero(same.argmax(axis=1) == np.arange(len(images)))
    own = int(same[:, int(np.flatnonzero((np.abs(images - exact) < _SAME).all(axis=1))[0])].argmax())
    order = [own, *(k for k in first.tolist() if k != own)]
    return images[order], spread[order]


def _coincide(
    apart: NDArray[np.float64], rounding: NDArray[np.float64], lattice: NDArray[np.float64]
) -> NDArray[np.bool_]:
    nearest = apart - np.round(apart)
    close: NDArray[np.bool_] = np.asarray((np.abs(nearest) <= rounding).all(axis=-1))
    close[close] = np.linalg.norm(nearest[close] @ lattice, axis=-1) < _LARGEST_ROUNDING
    return close


def _refuse_contact(site: Site, earlier: Site, *, is_copy: bool) -> None:
    """Refuse a site at the position of another, unless it is an image of the same kind."""
    if site.symbol != earlier.symbol or is_copy:
        relation = "are at one position" if is_copy else "have images at one position"
        raise CoincidingSitesError(
            f"sites {shown(earlier.label)} ({earlier.symbol}) and {shown(site.label)} ({site.symbol}) {relation}, "
            "each with a whole atom"
        )
