"""Data sets as crystals and labels, read when they are first looked at."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from phase2.api.data.own_properties import OwnProperties, own_definitions
from phase2.api.results.table import Cell, Table
from phase2.config.data.property_texts import check_definitions
from phase2.config.given_limits import limits_of
from phase2.data.crystals.crystal import Crystal
from phase2.data.sources.base import LabelledCrystal, Source
from phase2.data.stored.opening import open_data_set, pinned_address
from phase2.errors import InvalidCrystalError, RequestError
from phase2.properties import PROPERTIES


def load_dataset(
    name_or_path: str | os.PathLike[str] = "sample",
    *,
    own_properties: OwnProperties = None,
    limits: Mapping[str, float] | None = None,
) -> Dataset:
    """Open a data set; its crystals are read when they are first asked for.

    They are read in this process, where the limits of time and memory do not hold: a hostile structure file may take
    minutes. Training and ``phase2 data prepare`` read files in processes of their own.

    Args:
        name_or_path: ``sample`` (comes with the package), ``jarvis-dft3d`` (downloaded when it is first read), a file,
            table or database of structures (``docs/reference/formats.md``), a folder of them with a CSV of labels,
            ``optimade:URL``, or ``s3://bucket/path``; a name or ``sha256:...`` of a data set in the store of
            ``$PHASE2_STORE``.
        own_properties: Properties of your own, whose labels are read besides those of the nine: a YAML file, or
            definitions as mappings or as ``key:unit:column``.
        limits: Limits of reading to change, by name: ``{"atoms": 20_000}``.

    Raises:
        UnknownNameError: There is no data set or limit of this name.
        DataError: There is no such file, or it is no data set.
        RequestError: What is given is neither a name nor a path, or a definition of a property is not understood.

    Examples:
        >>> sample = phase2.load_dataset("sample")
        >>> len(sample), sample.label_counts["band_gap"]
        (6317, 1056)
    """
    if not isinstance(name_or_path, str | os.PathLike):
        raise RequestError(
            f"An object of type {type(name_or_path).__name__} is no data set.",
            why="A data set is named by a text, or by the path of a file or folder.",
            fix="Give 'sample', 'jarvis-dft3d', a path, an address, or the name of a data set in the store.",
        )
    own = own_definitions(own_properties) or ()
    check_definitions(own)
    known = (*PROPERTIES, *(one.as_property() for one in own))
    address = pinned_address(os.fspath(name_or_path))
    given = {"own_properties": own, "limits": limits}
    changed = tuple(name for name, value in given.items() if value)
    return Dataset(open_data_set(address, limits_of(limits), known), address, changed)


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """A record that is no valid crystal.

    Attributes:
        id: Name of the record.
        reason: What is wrong with it.
    """

    id: str
    reason: str


class Dataset(Table[LabelledCrystal]):
    """A data set: valid crystals with their labels, in the order of the source.

    As a table it has one row per crystal, with the labels of every property that has any; headings carry the units.

    Args:
        source: Where the records come from.
        address: What it was opened by: a path, or a name, which in a store stands for the content it had then.
        changed: Keywords of :func:`load_dataset` that change how it is read.
    """

    def __init__(self, source: Source, address: str, changed: Sequence[str] = ()) -> None:
        self._source = source
        self.address = address
        self.changed = tuple(changed)

    @property
    def name(self) -> str:
        """Name or path that it was asked for with."""
        return self._source.name

    @property
    def rows(self) -> tuple[LabelledCrystal, ...]:
        """Crystals and their labels."""
        return self._content[0]

    @property
    def crystals(self) -> tuple[Crystal, ...]:
        """The structures.

        Raises:
            DataError: The source cannot be read.
            TransientError: It has to be downloaded, and the server does not answer.
        """
        return self._content[2]

    @property
    def rejected(self) -> tuple[RejectedRecord, ...]:
        """Records that are no valid crystal, with the reason."""
        return self._content[1]

    @cached_property
    def labels(self) -> NDArray[np.float64]:
        """Labels in the order and the units of the properties, shape (n, K); NaN where missing."""
        return np.array([row.targets for row in self]).reshape(len(self), len(self._source.properties))

    @property
    def label_counts(self) -> dict[str, int]:
        """Number of labels by property."""
        keys = [p.key for p in self._source.properties]
        return dict(zip(keys, np.isfinite(self.labels).sum(axis=0).tolist(), strict=True))

    def columns(self) -> list[str]:
        """Return the headings: id, formula, atoms, and each property that has labels, with its unit."""
        return ["id", "formula", "atoms", *(self._source.properties[k].heading for k in self._labelled())]

    def records(self) -> list[list[Cell]]:
        """Return the cells of each crystal; None where a label is missing."""
        shown = self._labelled()
        return [
            [row.crystal.id, row.crystal.formula, row.crystal.n_atoms, *(_cell(row.targets[k]) for k in shown)]
            for row in self
        ]

    def __repr__(self) -> str:
        if "_content" not in vars(self):
            return f"<data set '{self.name}', not read yet>"
        counts = ", ".join(f"{key} {count:,}" for key, count in self.label_counts.items() if count)
        return f"<data set '{self.name}': {len(self):,} crystals, {len(self.rejected)} rejected; labels: {counts}>"

    def _labelled(self) -> list[int]:
        return [k for k, count in enumerate(self.label_counts.values()) if count]

    @cached_property
    def _content(self) -> tuple[tuple[LabelledCrystal, ...], tuple[RejectedRecord, ...], tuple[Crystal, ...]]:
        rows: list[LabelledCrystal] = []
        rejected: list[RejectedRecord] = []
        for raw in self._source.records():
            try:
                rows.append(self._source.parse(raw))
            except InvalidCrystalError as error:
                rejected.append(RejectedRecord(raw.id, str(error)))
        return tuple(rows), tuple(rejected), tuple(row.crystal for row in rows)


def _cell(label: float) -> float | None:
    return float(label) if np.isfinite(label) else None
