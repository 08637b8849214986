"""Graphs that somebody else has built, compared with the files: all labels, and crystals that nobody can foresee."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import fields

import numpy as np

from phase2.config.limits import ReadingLimits
from phase2.config.schema import GraphSpec
from phase2.data.graphs.packed import PackedGraphs
from phase2.data.graphs.packing import Rejection
from phase2.data.sources.base import RawRecord, Source
from phase2.data.store.relabelled import ReadsLabels
from phase2.data.store.workers import pack_chunks
from phase2.errors import InvalidCrystalError

CHECKED = 256
"""Crystals whose graphs are built again: of a store with 2 in 100 false ones, 994 of 1,000 checks find one."""

_TOLERANCE = 1e-4  # of positions and lengths, angstrom: other processors round otherwise


def find_difference(
    graphs: PackedGraphs, rejected: tuple[Rejection, ...], source: Source, spec: GraphSpec, limits: ReadingLimits
) -> str:
    """Return what in a graph store is not as the files have it; "" where nothing was found.

    Ids and labels are compared of all records, and graphs of :data:`CHECKED` crystals, drawn anew each time.

    Args:
        graphs: Graphs of the store.
        rejected: Its rejected records.
        source: The files, or some of the structures with all labels.
        spec: Cutoff and number of neighbours of the store.
        limits: Limits of reading.
    """
    rows = {str(one): row for row, one in enumerate(graphs.ids)}
    known = {one.id for one in rejected}
    sample: list[RawRecord] = []
    try:
        found = next(_differing_records(graphs, rows, known, source, sample), "")
    except InvalidCrystalError as error:
        return str(error)
    return found or _differing_graph(graphs, rows, sample, source, spec, limits)


def _differing_records(
    graphs: PackedGraphs, rows: dict[str, int], known: set[str], source: Source, sample: list[RawRecord]
) -> Iterator[str]:
    """Yield how records differ; at the end, the sample is drawn of those whose structure can be read."""
    draw, readable, seen = random.SystemRandom(), 0, set[str]()
    for raw in source.records():
        if raw.content is None or raw.id in seen:
            continue
        seen.add(raw.id)
        if raw.id not in rows and raw.id not in known:
            yield f"The crystal '{raw.id}' is missing."
        if isinstance(source, ReadsLabels) and raw.id in rows:
            labels = source.read_targets(raw).astype(np.float32)
            if not np.array_equal(labels, graphs.targets[rows[raw.id]], equal_nan=True):
                yield f"The labels of '{raw.id}' are other ones."
        if not raw.defect:
            readable += 1
            if len(sample) < CHECKED:
                sample.append(raw)
            elif (place := draw.randrange(readable)) < CHECKED:
                sample[place] = raw
    if more := rows.keys() - seen:
        yield f"There is no crystal '{min(more)}' in the files."


def _differing_graph(
    graphs: PackedGraphs,
    rows: dict[str, int],
    sample: list[RawRecord],
    source: Source,
    spec: GraphSpec,
    limits: ReadingLimits,
) -> str:
    parts = [made.graphs for made in pack_chunks(source, spec, iter([sample]), 1, limits)]
    built = PackedGraphs.concatenate(parts)
    ids = set(map(str, built.ids))
    for raw in sample:
        if (raw.id in ids) != (raw.id in rows):
            return f"The record '{raw.id}' is {'a valid' if raw.id in ids else 'no valid'} crystal."
    for row, one in enumerate(map(str, built.ids)):
        if not _equal(built.take(np.array([row])), graphs.take(np.array([rows[one]]))):
            return f"The graph of '{one}' is another one."
    return ""


def _equal(one: PackedGraphs, other: PackedGraphs) -> bool:
    for field in fields(PackedGraphs):
        here, there = getattr(one, field.name), getattr(other, field.name)
        if field.name == "targets":
            continue
        if here.shape != there.shape:
            return False
        is_number = np.issubdtype(here.dtype, np.floating)
        if not (np.allclose(here, there, rtol=0, atol=_TOLERANCE) if is_number else np.array_equal(here, there)):
            return False
    return True
