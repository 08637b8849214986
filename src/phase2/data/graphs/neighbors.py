"""Neighbour search: the neighbours of every atom of one periodic crystal."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.elements import symbol_of
from phase2.errors import InvalidCrystalError

SAME_LENGTH = 1e-3  # angstrom: lengths this close count as equal; coordinates in files have five digits
MIN_DISTANCE = 0.5  # angstrom: less than any bond, H2 has 0.74
MAX_SEARCH_RADIUS = 50.0  # angstrom: largest radius in the search for an isolated atom's neighbours
MAX_ENTRIES = 5_000_000  # pairs, images or grid cells of one search: about 250 MB
_THIN_CELL = 1.0  # angstrom: thinner than a layer of any atoms

_PERIODIC = np.ones(3, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Neighbors:
    """Ordered pairs of an atom and a periodic image of an atom near it, K of them, in no particular order.

    Attributes:
        positions: Cartesian positions of the atoms, shape (N, 3), float64, angstrom.
        receiver: Central atom, shape (K,), int64.
        sender: Neighbouring atom, shape (K,), int64.
        shift: Lattice translation of the sender's image, whole numbers, shape (K, 3), float64.
        distance: Length of each pair, shape (K,), float64, angstrom. Every atom is its own neighbour at distance 0.
    """

    positions: NDArray[np.float64]
    receiver: NDArray[np.int64]
    sender: NDArray[np.int64]
    shift: NDArray[np.float64]
    distance: NDArray[np.float64]


def find_neighbors(crystal: Crystal, cutoff: float) -> Neighbors:
    """Find all periodic images of atoms within a cutoff of every atom.

    A length counts as within the cutoff if it exceeds it by less than ``SAME_LENGTH``: rounding must not cut through a
    shell of atoms at the distance of the cutoff. An atom without neighbours within the cutoff gets its nearest shell.

    Args:
        crystal: Crystal of N atoms.
        cutoff: Cutoff radius, angstrom.

    Raises:
        InvalidCrystalError: Two atoms are closer than 0.5 angstrom; an atom has no neighbour within 50 angstrom; the
            cell is too large, too flat or too skewed to search.
    """
    positions = np.ascontiguousarray(crystal.cartesian)
    search = _Search(crystal, positions)
    receiver, sender, shift, distance = search.around(positions, cutoff + SAME_LENGTH)
    if np.count_nonzero(distance < MIN_DISTANCE) != len(positions):
        raise _overlap(crystal, receiver, sender, distance)
    isolated = (np.bincount(receiver, minlength=len(positions)) == 1).nonzero()[0]
    if len(isolated):
        pairs = _nearest_shells(search, isolated, cutoff)
        receiver, sender, shift, distance = (
            np.concatenate([a, b]) for a, b in zip((receiver, sender, shift, distance), pairs, strict=True)
        )
    if search.may_shift_far and np.abs(shift).max() > 127:
        raise InvalidCrystalError.of(
            crystal.id, "its cell is so skewed that neighbours are more than 127 cells away.", _REDUCE
        )
    return Neighbors(positions, receiver, sender, shift, distance)


_Pairs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]

_REDUCE = "Give the crystal in a reduced (Niggli) cell."


class _Search:
    """Neighbour search in one crystal, refused where it would exhaust the memory."""

    def __init__(self, crystal: Crystal, positions: NDArray[np.float64]) -> None:
        self.crystal = crystal
        self.positions = positions
        self.lattice = np.ascontiguousarray(crystal.lattice)
        # Plain floats: several times as fast as numpy for one cell, and this runs for every crystal of a data set.
        self.vectors: list[list[float]] = self.lattice.tolist()
        self.volume = crystal.volume
        self.thickness = _thickness(self.vectors, self.volume)  # between opposite faces, angstrom
        self.may_shift_far = False

    def around(self, centers: NDArray[np.float64], radius: float) -> _Pairs:
        """Find all pairs of a centre and an image of an atom within a radius, angstrom."""
        from pymatgen.optimization.neighbors import find_points_in_spheres

        images = self._refuse_excess(len(centers), radius)
        # As many centres at a time as cannot have too many pairs, however unevenly the atoms lie in the cell.
        block = max(1, MAX_ENTRIES // math.ceil(images))
        parts: list[_Pairs] = []
        total = 0
        for start in range(0, len(centers), block):
            center, sender, shift, distance = find_points_in_spheres(
                self.positions,
                centers[start : start + block],
                r=radius,
                pbc=_PERIODIC,
                lattice=self.lattice,
                tol=1e-8,
            )
            total += len(center)
            if total > MAX_ENTRIES:
                raise self._excess(too_many=True)
            parts.append((center + start, sender, shift, distance))
        return parts[0] if len(parts) == 1 else _joined(parts)

    def _refuse_excess(self, n_centers: int, radius: float) -> float:
        """Refuse a search that is too large by its averages; return the number of images that it looks at."""
        n = len(self.positions)
        u, v, w = self.thickness
        (ax, ay, az), (bx, by, bz), (cx, cy, cz) = self.vectors
        cubes = 1.0  # of the grid
        for extent in (abs(ax) + abs(bx) + abs(cx), abs(ay) + abs(by) + abs(cy), abs(az) + abs(bz) + abs(cz)):
            cubes *= extent / radius + 2
        pairs = n_centers * (n / self.volume * 4 / 3 * math.pi * radius**3 + 1)
        images = n * (2 * radius / u + 1) * (2 * radius / v + 1) * (2 * radius / w + 1)
        if max(pairs, images, cubes) > MAX_ENTRIES:
            raise self._excess(too_many=max(pairs, images) > MAX_ENTRIES)
        self.may_shift_far = self.may_shift_far or radius / min(u, v, w) > 125
        return images

    def _excess(self, *, too_many: bool) -> InvalidCrystalError:
        """Build the error that says why the search is too large: the extent, the thickness or the number of atoms."""
        name, n = self.crystal.id, len(self.positions)
        thinnest, longest = min(self.thickness), np.linalg.norm(self.lattice, axis=1).max()
        if not too_many:
            why = f"its cell is too large to search: {n} atom(s), and a lattice vector of {longest:.3g} angstrom."
            return InvalidCrystalError.of(name, why, "Leave out empty space, or give a reduced (Niggli) cell.")
        if thinnest < _THIN_CELL:
            why = f"its cell is {thinnest:.3g} angstrom thin; {n} atom(s) have too many neighbours to search."
            return InvalidCrystalError.of(name, why, _REDUCE)
        return InvalidCrystalError.of(name, f"its {n} atoms have too many neighbours to search.", "Use a smaller cell.")


def _thickness(vectors: list[list[float]], volume: float) -> list[float]:
    """Return the distances between opposite faces of a cell: its volume over their areas, angstrom."""
    a, b, c = vectors
    return [volume / math.hypot(*_cross(u, v)) for u, v in ((b, c), (c, a), (a, b))]


def _cross(u: list[float], v: list[float]) -> tuple[float, float, float]:
    return u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]


def _nearest_shells(search: _Search, isolated: NDArray[np.int64], cutoff: float) -> _Pairs:
    """Pair atoms that have no neighbours within the cutoff with their nearest shell, found in growing spheres."""
    parts: list[_Pairs] = []
    radius = cutoff
    while len(isolated):
        if radius >= MAX_SEARCH_RADIUS:
            site = int(isolated[0])
            symbol = symbol_of(int(search.crystal.species[site]))
            raise InvalidCrystalError.of(
                search.crystal.id, f"site {site} ({symbol}) has no neighbour within {MAX_SEARCH_RADIUS:g} angstrom."
            )
        radius = min(1.5 * radius, MAX_SEARCH_RADIUS)
        center, sender, shift, distance = search.around(search.positions[isolated], radius)
        far = np.where(distance < MIN_DISTANCE, np.inf, distance)
        nearest = np.full(len(isolated), np.inf)
        np.minimum.at(nearest, center, far)
        found = nearest < radius - SAME_LENGTH  # otherwise the shell may extend beyond the sphere
        keep = found[center] & (far <= nearest[center] + SAME_LENGTH)
        parts.append((isolated[center[keep]], sender[keep], shift[keep], distance[keep]))
        isolated = isolated[~found]
    return _joined(parts)


def _joined(parts: list[_Pairs]) -> _Pairs:
    receivers, senders, shifts, distances = zip(*parts, strict=True)
    return np.concatenate(receivers), np.concatenate(senders), np.concatenate(shifts), np.concatenate(distances)


def _overlap(
    crystal: Crystal, receiver: NDArray[np.int64], sender: NDArray[np.int64], distance: NDArray[np.float64]
) -> InvalidCrystalError:
    close = np.flatnonzero((distance < MIN_DISTANCE) & ((receiver != sender) | (distance > 1e-6)))
    k = close[np.argmin(distance[close])]
    i, j = sorted((int(receiver[k]), int(sender[k])))
    symbols = crystal.symbols
    other = "its own image" if i == j else f"site {j} ({symbols[j]})"
    return InvalidCrystalError.of(
        crystal.id, f"site {i} ({symbols[i]}) and {other} are {distance[k]:.3f} angstrom apart."
    )
