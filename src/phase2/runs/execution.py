"""How a training was computed, which changes no more of its numbers than the order of sums does."""

from __future__ import annotations

from typing import Literal

from phase2.storage.records import Counted, Record


class PaddedShape(Record):
    """Size that batches were padded to.

    Attributes:
        crystals: Crystals.
        atoms: Atoms, or nodes of the quotient graph.
        bonds: Bonds, or links of the quotient graph.
        edges: Edges; as many as links on the quotient graph.
    """

    crystals: Counted
    atoms: Counted
    bonds: Counted
    edges: Counted


class Execution(Record):
    """How a training was computed.

    Attributes:
        graphs: Where the graphs were: on the ``device``, where batches were gathered by index, or on the ``host``, from
            where batches were sent.
        graph_bytes: Memory that the graphs take on the device, or would take.
        padded_shapes: Sizes that training batches were padded to; empty without padding.
        padding: Share of the bonds, or links, of the first epoch's batches that are padding; null without padding.
    """

    graphs: Literal["device", "host"]
    graph_bytes: Counted
    padded_shapes: tuple[PaddedShape, ...] = ()
    padding: float | None = None
