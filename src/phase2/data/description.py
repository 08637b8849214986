"""Description of a data set: counts, elements, sizes, labels, equal structures, and what was rejected."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from phase2.data.crystals.elements import symbol_of
from phase2.data.graphs.packed import PackedGraphs
from phase2.data.label_remarks import find_sentinels, label_remarks
from phase2.data.label_spread import spread_remarks
from phase2.data.rejections import HasReason, group_reasons
from phase2.data.store.store import GraphStore
from phase2.properties import Property

BINS = 20
TOLERANCE = 0.01
"""Angstrom to which distances are compared."""

_EXAMPLES = 10
_OUTER = (0.002, 0.998)
_Z = 119
_CRYSTALS = 4_096
"""Crystals whose links are compared at once, 2 MB of numbers for each thousand links."""


@dataclass(frozen=True, slots=True)
class LabelDescription:
    """Labels of one property.

    Attributes:
        key: The property.
        unit: Its unit.
        count: Number of labels; the numbers below are None without any.
        lowest: Smallest label.
        median: Median.
        highest: Largest label.
        low: Lower end of the histogram, in the unit; labels beyond its ends are in the outer bins.
        high: Upper end.
        histogram: Number of labels in equal bins.
    """

    key: str
    unit: str
    count: int
    lowest: float | None = None
    median: float | None = None
    highest: float | None = None
    low: float | None = None
    high: float | None = None
    histogram: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordsOfReason:
    """Records that were rejected, or remarked on, for one reason: how many, the first names, the first's reason."""

    count: int
    ids: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class DataDescription:
    """What a data set holds.

    Attributes:
        source: Name or path of the data set.
        crystals: Valid crystals.
        unlabelled: Crystals among them without a label.
        formulas: Different reduced formulas.
        elements: Number of crystals by element, in the order of the periodic table.
        sizes: Smallest, median and largest number of atoms in a cell.
        size_counts: Number of crystals by number of atoms in the cell.
        labels: Labels by property.
        duplicates: Ids of crystals that are equal, by their species and distances; the first groups.
        duplicated: Number of crystals beyond the first of each such group.
        repeated_ids: Ids that several crystals have; the first.
        remarks: Remarks on labels that are hardly right.
        rejected: Records that are no valid crystal.
        reasons: These by reason, the most frequent first.
        left_out: Files that no record was made of.
        readings: What was assumed or left out in reading crystals, the most frequent first.
    """

    source: str
    crystals: int
    unlabelled: int
    formulas: int
    elements: dict[str, int]
    sizes: tuple[int, int, int]
    size_counts: dict[int, int]
    labels: tuple[LabelDescription, ...]
    duplicates: tuple[tuple[str, ...], ...]
    duplicated: int
    repeated_ids: tuple[str, ...]
    remarks: tuple[str, ...]
    rejected: int
    reasons: tuple[RecordsOfReason, ...]
    left_out: tuple[str, ...] = ()
    readings: tuple[RecordsOfReason, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return plain values for JSON."""
        return asdict(self)


def describe_store(
    name: str, store: GraphStore, properties: Sequence[Property], left_out: Sequence[str] = ()
) -> DataDescription:
    """Describe a data set from its graph store; a store of 76,000 crystals takes seconds.

    Args:
        name: Name or path of the data set.
        store: Its graphs.
        properties: The properties of its labels.
        left_out: Notes on files that no record was made of.
    """
    graphs = store.graphs
    targets = np.asarray(graphs.targets, dtype=np.float64)
    sizes = np.diff(graphs.atom_offset)
    groups = equal_crystals(graphs)
    ids, repeats = np.unique(np.asarray(graphs.ids), return_counts=True)
    numbers, crystals_of_size = np.unique(sizes, return_counts=True)
    remarks = [f"{one}, which stands for a missing value" for one in find_sentinels(targets, properties, graphs.ids)]
    return DataDescription(
        source=name,
        crystals=len(graphs),
        unlabelled=int(np.isnan(targets).all(axis=1).sum()),
        formulas=len(np.unique(np.asarray(graphs.formulas))),
        elements=_elements(graphs),
        sizes=(int(sizes.min()), int(np.median(sizes)), int(sizes.max())),
        size_counts=dict(zip(numbers.tolist(), crystals_of_size.tolist(), strict=True)),
        labels=tuple(_labels(targets[:, k], prop) for k, prop in enumerate(properties)),
        duplicates=tuple(tuple(str(graphs.ids[k]) for k in group[:_EXAMPLES]) for group in groups[:_EXAMPLES]),
        duplicated=sum(len(group) - 1 for group in groups),
        repeated_ids=tuple(ids[repeats > 1][:_EXAMPLES].tolist()),
        remarks=(
            *remarks,
            *label_remarks(targets, properties, graphs.ids),
            *spread_remarks(targets, properties, np.asarray(graphs.ids)),
        ),
        rejected=len(store.rejected),
        reasons=_by_reason(store.rejected),
        left_out=tuple(left_out),
        readings=_by_reason(store.remarks),
    )


def equal_crystals(graphs: PackedGraphs) -> list[list[int]]:
    """Group the crystals whose quotient graphs are equal: the same species at the same distances.

    Cells, supercells and orders of atoms do not matter; neither do mirror images, which have the same distances.

    Returns:
        Rows of the crystals of each group of two or more.
    """
    found: dict[bytes, list[int]] = {}
    for start in range(0, len(graphs), _CRYSTALS):
        part = graphs.take(np.arange(start, min(start + _CRYSTALS, len(graphs))))
        for k, digest in enumerate(_digests(part), start):
            found.setdefault(digest, []).append(k)
    return [group for group in found.values() if len(group) > 1]


def _digests(graphs: PackedGraphs) -> Iterator[bytes]:
    """Yield the digest of each crystal's species and distances."""
    node = np.asarray(graphs.node_offset)
    links = np.diff(graphs.link_offset)
    crystal = np.repeat(np.arange(len(graphs)), links)
    receiver = np.asarray(graphs.link_receiver) + node[crystal]
    sender = np.asarray(graphs.link_sender) + node[crystal]
    species, weight = np.asarray(graphs.node_species).astype(np.int64), np.asarray(graphs.node_weight)
    distance = np.rint(np.asarray(graphs.link_distance) / TOLERANCE).astype(np.int64)
    atoms = np.diff(graphs.atom_offset)[crystal]
    kind = (species[receiver] * _Z + species[sender]) * 100_000 + distance
    order = np.lexsort((kind, crystal))
    kind, crystal = kind[order], crystal[order]
    # Pairs per atom of the cell, so that a supercell has as many.
    pairs = (np.asarray(graphs.link_weight) * weight[receiver] / atoms)[order]
    first = np.flatnonzero(np.r_[True, (kind[1:] != kind[:-1]) | (crystal[1:] != crystal[:-1])]) if len(kind) else order
    counts = np.rint(np.add.reduceat(pairs, first) * 1_000).astype(np.int64) if len(first) else pairs.astype(np.int64)
    content = np.stack([kind[first], counts], axis=1) if len(first) else np.empty((0, 2), np.int64)
    bounds = np.searchsorted(crystal[first], np.arange(len(graphs) + 1))
    for k in range(len(graphs)):
        yield hashlib.blake2b(content[bounds[k] : bounds[k + 1]].tobytes(), digest_size=16).digest()


def _by_reason(records: Sequence[HasReason]) -> tuple[RecordsOfReason, ...]:
    return tuple(RecordsOfReason(one.count, one.ids[:_EXAMPLES], one.reason) for one in group_reasons(records))


def _elements(graphs: PackedGraphs) -> dict[str, int]:
    crystal = np.repeat(np.arange(len(graphs), dtype=np.int64), np.diff(graphs.node_offset))
    pairs = np.unique(crystal * _Z + np.asarray(graphs.node_species))
    counts = np.bincount(pairs % _Z, minlength=_Z)
    return {symbol_of(z): int(counts[z]) for z in np.flatnonzero(counts).tolist()}


def _labels(column: NDArray[np.float64], prop: Property) -> LabelDescription:
    labels = column[np.isfinite(column)]
    if not len(labels):
        return LabelDescription(prop.key, prop.unit, 0)
    lowest, median, highest = np.quantile(labels, (0, 0.5, 1)).tolist()
    low, high = np.quantile(labels, _OUTER).tolist()
    if not high - low > 1e-9 * max(abs(low), abs(high)):
        low, high = low - 0.5 * max(1.0, abs(low)), high + 0.5 * max(1.0, abs(high))
    counts = np.histogram(np.clip(labels, low, high), bins=BINS, range=(low, high))[0]
    return LabelDescription(
        prop.key, prop.unit, len(labels), lowest, median, highest, low, high, tuple(counts.tolist())
    )  # fmt: skip
