"""Graphs that are there, with the labels of further properties: only labels are read again."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from phase2.data.graphs.packing import Rejection, Remark
from phase2.data.sources.base import RawRecord
from phase2.data.store.workers import Packed
from phase2.errors import DataError, InvalidCrystalError


@runtime_checkable
class ReadsLabels(Protocol):
    """Source that reads the labels of a record without its structure."""

    def read_targets(self, raw: RawRecord) -> NDArray[np.float64]:
        """Read the labels of a record, (K,) in the order of the source's properties; NaN where missing.

        Raises:
            InvalidCrystalError: A label is no number.
        """


class OtherRecordsError(DataError):
    """The graphs are not those of the records."""


def relabel_chunks(
    source: ReadsLabels, base: Packed, chunks: Iterator[Sequence[RawRecord]]
) -> Generator[Packed, None, None]:
    """Yield the graphs of each chunk of records with the labels of the source, and its rejected records.

    Args:
        source: Reads the labels.
        base: Graphs of all valid records, with other labels, and the records that are no valid crystal, whatever their
            labels.
        chunks: The records.

    Raises:
        OtherRecordsError: A record is neither among the graphs nor rejected.
    """
    rows = {str(one): row for row, one in enumerate(base.graphs.ids)}
    remarks: dict[str, list[Remark]] = {}
    for one in base.remarks:
        remarks.setdefault(one.id, []).append(one)
    reasons = {one.id: one for one in reversed(base.rejected)}
    for chunk in chunks:
        kept: list[int] = []
        targets: list[NDArray[np.float64]] = []
        refused: list[Rejection] = []
        for raw in chunk:
            try:
                raw.check()
                labels = source.read_targets(raw)
            except InvalidCrystalError as error:
                refused.append(Rejection.of(raw.id, error))
                continue
            if raw.id in rows:
                kept.append(rows[raw.id])
                targets.append(labels)
            elif raw.id in reasons:
                refused.append(reasons[raw.id])
            else:
                raise OtherRecordsError(f"The graphs of '{raw.id}' are missing.", why="The records are other ones.")
        taken = base.graphs.take(np.array(kept, dtype=np.int64))
        labelled = replace(taken, targets=np.array(targets, dtype=np.float32)) if kept else taken
        yield Packed(
            labelled, tuple(refused), tuple(one for name in taken.ids.tolist() for one in remarks.get(name, ()))
        )
