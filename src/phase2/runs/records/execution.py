"""How a training was computed, which changes no more of its numbers than the order of sums does."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from phase2.config.settings import Kernels
from phase2.storage.records import Counted, Record


def _is_none(value: object) -> bool:
    return value is None


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


class StepTrial(Record):
    """Trial of recorded steps at the start of a training.

    Attributes:
        eager_ms: Median time of a step as it is written, milliseconds.
        recorded_ms: The same of a recorded step; null where steps cannot be recorded.
        refused: Why they cannot; null where they can.
    """

    eager_ms: float
    recorded_ms: float | None = None
    refused: str | None = None


class KernelTrial(Record):
    """Trial of the kernels at the start of a training, on a copy of the network and the first batch.

    Attributes:
        milliseconds: Median time of a forward and a backward pass by kernels, recorded where steps can be.
        gap: Largest difference of features and gradients from those of ``plain``, relative to their largest value, by
            kernels.
        refused: Why kernels are not used, by kernels.
    """

    milliseconds: dict[Kernels, float] = Field(default_factory=dict)
    gap: dict[Kernels, float] = Field(default_factory=dict)
    refused: dict[str, str] = Field(default_factory=dict)

    @property
    def fastest(self) -> Kernels:
        """The fastest kernels; ``plain`` where none was timed."""
        return min(self.milliseconds, key=lambda name: self.milliseconds[name], default="plain")


class Execution(Record):
    """How a training was computed.

    Attributes:
        graphs: Where the graphs were: on the ``device``, where batches were gathered by index, or on the ``host``, from
            where batches were sent.
        graph_bytes: Memory that the graphs take on the device, or would take.
        padded_shapes: Sizes that training batches were padded to; empty without padding.
        padding: Share of the bonds, or links, of the first epoch's batches that are padding; null without padding.
        steps: Whether training steps were run as they are written, ``eager``, or ``recorded`` as CUDA graphs.
        trial: Times by which that was chosen; null where nothing was to choose.
        kernels: What computed the inner sums of the network in training, as ``plain`` operations of PyTorch or fused.
        kernel_trial: What decided that; null where nothing was to choose.
        packed: Trainings that shared the machine at once, this one among them, as ``phase2 sweep --pack`` has them;
            left out where it was alone.
    """

    graphs: Literal["device", "host"]
    graph_bytes: Counted
    padded_shapes: tuple[PaddedShape, ...] = ()
    padding: float | None = None
    steps: Literal["eager", "recorded"] = "eager"
    trial: StepTrial | None = None
    kernels: Kernels = "plain"
    kernel_trial: KernelTrial | None = None
    packed: Counted | None = Field(default=None, exclude_if=_is_none)
