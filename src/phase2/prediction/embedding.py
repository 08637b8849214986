"""Features of structures, by a trained model or a pretrained potential, and the files that hold them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from phase2.config.schema import GraphSpec
from phase2.data.graphs.packed import PackedGraphs
from phase2.prediction.reading.graph_reader import GraphReader, ReadGraph, ReadStructure, joined
from phase2.prediction.table import PredictedStructure, check_output, readable_name
from phase2.storage.disk.atomic import via_temporary
from phase2.storage.progress import ProgressCallback

if TYPE_CHECKING:
    from phase2.prediction.reading.inputs import StructureLike

FORMATS = (".parquet", ".npz")


class Embedder(Protocol):
    """Function from crystals to features."""

    @property
    def spec(self) -> GraphSpec:
        """Graphs that it reads."""

    @property
    def window(self) -> int:
        """Batches that are best handed over together."""

    def embed_graphs(self, graphs: PackedGraphs, *, batch_size: int) -> NDArray[np.float32]:
        """Compute the features of all crystals, (B, C) float32, in batches of this many."""

    def refusal(self, graphs: PackedGraphs, crystal: int) -> str:
        """Say why a crystal has no features; "" where that is not known."""


@dataclass(frozen=True, slots=True, eq=False)
class Embeddings:
    """Features of B structures.

    Attributes:
        ids: Names of the structures: their files, or ids in their data set.
        formulas: Reduced formulas.
        features: Features, (B, C) float32.
        failures: Structures without features, with the reasons.
    """

    ids: tuple[str, ...]
    formulas: tuple[str, ...]
    features: NDArray[np.float32]
    failures: tuple[PredictedStructure, ...] = ()

    def relative_to(self, folder: Path) -> Embeddings:
        """Return the same with the paths of structures in a folder relative to it."""
        start = f"{readable_name(folder)}/"
        failures = tuple(row.relative_to(folder) for row in self.failures)
        return replace(self, ids=tuple(one.removeprefix(start) for one in self.ids), failures=failures)

    def with_failures(self, rows: Sequence[PredictedStructure]) -> Embeddings:
        """Return the same with further structures without features."""
        return replace(self, failures=(*self.failures, *rows))

    def write(self, path: Path) -> None:
        """Write ids, formulas and features as Parquet (columns id, formula, f0, f1, ...) or as npz, atomically.

        Raises:
            RequestError: The suffix is unknown, or the file cannot be written.
        """
        check_output(path, FORMATS)
        writer = self._write_npz if path.suffix.lower() == ".npz" else self._write_parquet
        via_temporary(path, writer)

    def _write_npz(self, path: Path) -> None:
        with path.open("wb") as file:
            np.savez(file, ids=np.array(self.ids), formulas=np.array(self.formulas), features=self.features)

    def _write_parquet(self, path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns = [pa.array(self.ids, pa.string()), pa.array(self.formulas, pa.string())]
        columns += [pa.array(column) for column in np.ascontiguousarray(self.features.T)]
        names = ["id", "formula", *(f"f{k}" for k in range(self.features.shape[1]))]
        pq.write_table(pa.table(columns, names=names), path)


def embed_structures(
    embedder: Embedder,
    structures: Sequence[StructureLike],
    *,
    batch_size: int = 64,
    progress: ProgressCallback | None = None,
    reader: GraphReader | None = None,
) -> Embeddings:
    """Compute the features of structures; one that cannot be read becomes a failure with the reason.

    Args:
        embedder: The model.
        structures: Paths of structure files, crystals, pymatgen structures or ASE atoms.
        batch_size: Structures per batch.
        progress: Callback receiving the number of structures done, and their number.
        reader: Reader of the structures; one with the default limits if None.
    """
    parts: list[Embeddings] = []
    done = 0
    with ExitStack() as stack:
        source = reader or stack.enter_context(GraphReader())
        batches = stack.enter_context(closing(source.batches(structures, embedder.spec, batch_size)))
        for names, read in joined(batches, embedder.window):
            parts.append(_embed_batch(embedder, names, read, batch_size))
            done += len(names)
            if progress:
                progress(done, max(done, len(structures)))
    return _joined(parts)


def embed_store(
    embedder: Embedder, graphs: PackedGraphs, *, batch_size: int = 64, progress: ProgressCallback | None = None
) -> Embeddings:
    """Compute the features of all crystals of a store, in their order."""
    parts, together = [], batch_size * embedder.window
    for start in range(0, len(graphs), together):
        part = graphs.take(np.arange(start, min(start + together, len(graphs))))
        parts.append(_embed_graphs(embedder, part.ids.tolist(), part, batch_size))
        if progress:
            progress(start + len(part), len(graphs))
    return _joined(parts)


def _embed_batch(
    embedder: Embedder, names: Sequence[str], read: Sequence[ReadStructure], batch_size: int
) -> Embeddings:
    failures = tuple(item for item in read if isinstance(item, PredictedStructure))
    good = [(name, item.graph) for name, item in zip(names, read, strict=True) if isinstance(item, ReadGraph)]
    if not good:
        return Embeddings((), (), np.empty((0, 0), np.float32), failures)
    graphs = PackedGraphs.concatenate([graph for _, graph in good])
    found = _embed_graphs(embedder, [name for name, _ in good], graphs, batch_size)
    return replace(found, failures=(*failures, *found.failures))


def _embed_graphs(embedder: Embedder, names: Sequence[str], graphs: PackedGraphs, batch_size: int) -> Embeddings:
    """Embed crystals; those whose features are no finite numbers become failures."""
    features = embedder.embed_graphs(graphs, batch_size=batch_size)
    finite = np.isfinite(features).all(axis=1)
    formulas = graphs.formulas.tolist()
    return Embeddings(
        tuple(names[k] for k in np.flatnonzero(finite).tolist()),
        tuple(formulas[k] for k in np.flatnonzero(finite).tolist()),
        features[finite],
        tuple(
            PredictedStructure(
                names[k], formulas[k], None, error=f"{embedder.refusal(graphs, k) or 'Its features are not finite'}."
            )
            for k in np.flatnonzero(~finite).tolist()
        ),
    )


def _joined(parts: Sequence[Embeddings]) -> Embeddings:
    filled = [part.features for part in parts if len(part.ids)]
    return Embeddings(
        tuple(one for part in parts for one in part.ids),
        tuple(one for part in parts for one in part.formulas),
        np.concatenate(filled) if filled else np.empty((0, 0), np.float32),
        tuple(row for part in parts for row in part.failures),
    )
