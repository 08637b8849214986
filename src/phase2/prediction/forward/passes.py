"""Forward passes of a network over the crystals of packed graphs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phase2.data.batching import Batch
from phase2.data.graphs.packed import PackedGraphs
from phase2.data.padding.buckets import ShapeBuckets
from phase2.data.padding.shape import BONDS, BatchShape, batch_shapes, crystal_shapes
from phase2.data.prefetch import prefetch_batches
from phase2.data.resident import ResidentGraphs, has_room, resident_bytes
from phase2.models.base import CrystalModel
from phase2.models.recording.recorder import Recorder, recorder_for
from phase2.models.recording.steps import RecordedSteps
from phase2.prediction.forward.planning import alike_batches, consecutive_batches

GPU_BUCKETS = 4
"""Most sizes that batches are padded to on a GPU, unless another number is asked for."""
WINDOW = 16
"""Batches whose crystals are dealt among them where batches are padded."""
WASTE = 0.1
"""Share of padding beyond that of the best sizes at which sizes are chosen anew."""
REMEMBERED = 1024
"""Earlier batches that sizes are chosen for as well, so that they settle."""

Potential: TypeAlias = Callable[[PackedGraphs], NDArray[np.float32]]


class ForwardPass:
    """Forward pass of a network in evaluation mode.

    Batches are padded to a few sizes on a GPU, where the operations of each size are recorded once and launched at
    once, if a trial finds that faster. Predictions are those of batches that are not padded but for the order in which
    sums are rounded, 1e-6 relative. Elsewhere batches are left as they are, unless sizes are asked for.

    Args:
        network: The network, on its device.
        device: The device.
        potential: Computes features of a pretrained potential for crystals, (B, F) float32; None for a network that
            reads none.
        padding_buckets: Most sizes that batches are padded to; 0 pads none; None is four on a GPU and none elsewhere.
        resident: Keep the graphs on the device and gather batches there; None does so on a GPU that has room for them.
        recorder: Records forward passes on padded batches; by default that of the device.
    """

    def __init__(
        self,
        network: CrystalModel,
        device: torch.device,
        *,
        potential: Potential | None = None,
        padding_buckets: int | None = None,
        resident: bool | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self._network = network
        self._device = device
        self._potential = potential
        self._resident = resident
        default = GPU_BUCKETS if device.type == "cuda" else 0
        self._most_sizes = default if padding_buckets is None else padding_buckets
        self._buckets: ShapeBuckets | None = None
        self._seen = np.empty((0, len(BatchShape._fields)), np.int64)
        self._recorder = recorder or recorder_for(device)
        self.recorded = self._recording()
        self._lock = threading.Lock()  # a recording has one batch, which two threads would overwrite

    @property
    def is_padded(self) -> bool:
        """Whether batches are padded: not where they could be recorded and a trial has found that slower."""
        trial = None if self.recorded is None else self.recorded.trial
        refused = trial is not None and self.recorded is not None and not self.recorded.is_recorded
        return self._most_sizes > 0 and not refused

    @property
    def window(self) -> int:
        """Batches that are best handed over together."""
        return WINDOW if self.is_padded else 1

    def batches(
        self, graphs: PackedGraphs, index: NDArray[np.int64], size: int
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Compute crystals in batches.

        Args:
            graphs: Graphs of the crystals, and of others.
            index: The crystals, rows of the graphs, (B,) int64.
            size: Most crystals per batch.

        Yields:
            Positions in ``index`` of the crystals of a batch, together each exactly once, and their outputs as
            :meth:`compute` returns them.
        """
        atoms = np.diff(graphs.atom_offset)[index]
        if not self.is_padded:
            plain = consecutive_batches(atoms, size)
            yield from zip(plain, self._run(graphs, [index[rows] for rows in plain], None), strict=True)
            return
        shapes = crystal_shapes(graphs, self._network.view)[index]
        windows = np.array_split(np.arange(len(index)), max(1, -(-len(index) // (WINDOW * size))))
        dealt = [alike_batches(shapes[rows, BONDS], atoms[rows], size) for rows in windows]
        every = (rows[batch] for rows, batches in zip(windows, dealt, strict=True) for batch in batches)
        buckets = self._sizes(batch_shapes(shapes, every))
        for rows, batches in zip(windows, dealt, strict=True):
            part = graphs.take(index[rows])
            for batch, outputs in zip(batches, self._run(part, batches, buckets), strict=True):
                yield rows[batch], outputs

    def compute(self, graphs: PackedGraphs, index: NDArray[np.int64]) -> NDArray[np.float32]:
        """Compute crystals, rows of the graphs, (B,) int64, as one batch.

        Returns:
            The features of the crystals that the heads read, and their normalised properties, side by side, (B, C + P)
            float32.
        """
        shapes = crystal_shapes(graphs, self._network.view)
        buckets = self._sizes(batch_shapes(shapes, [index])) if self.is_padded else None
        (outputs,) = self._run(graphs, [index], buckets)
        return outputs

    def _run(
        self, graphs: PackedGraphs, batches: Sequence[NDArray[np.int64]], buckets: ShapeBuckets | None
    ) -> Iterator[NDArray[np.float32]]:
        """Yield the outputs of batches; those of one are read while the device computes the next."""
        waiting: _Outputs | None = None
        for batch in self._loaded(graphs, batches, buckets):
            following = _Outputs(self._computed(batch)[: batch.n_real])
            if waiting is not None:
                yield waiting.read()
            waiting = following
        if waiting is not None:
            yield waiting.read()

    def _recording(self) -> RecordedSteps | None:
        if self._recorder is None or not self._most_sizes:
            return None
        return RecordedSteps(self._outputs, self._recorder)

    def _computed(self, batch: Batch) -> Tensor:
        with self._lock, torch.inference_mode():
            return self._outputs(batch) if self.recorded is None else self.recorded(batch)

    def _outputs(self, batch: Batch) -> Tensor:
        embedded = self._network.embed(batch)
        return torch.cat([embedded.float(), self._network.heads(embedded).float()], dim=1)

    def _sizes(self, shapes: NDArray[np.int64]) -> ShapeBuckets:
        """Return the sizes to pad batches to: those of earlier ones, unless others would waste much less.

        Args:
            shapes: Sizes of T batches, (T, 4) int64.
        """
        self._seen = np.concatenate([self._seen, shapes])[-REMEMBERED:]
        best = ShapeBuckets.fit(self._seen, self._most_sizes)
        if self._buckets is None or self._buckets.waste(shapes) > best.waste(shapes) + WASTE:
            self._buckets = best
            if self.recorded is not None and self.recorded.trial is None:
                self.recorded = self._recording()  # the trial was of a size that is no more
        return self._buckets

    def _loaded(
        self, graphs: PackedGraphs, batches: Sequence[NDArray[np.int64]], buckets: ShapeBuckets | None
    ) -> Iterator[Batch]:
        view, device = self._network.view, self._device
        if self._potential is not None:
            for index in batches:
                part = graphs.take(index)
                every, features = [np.arange(len(part))], self._potential(part)
                yield from prefetch_batches(
                    part, every, None, view=view, device=device, features=features, buckets=buckets
                )
        elif self._keeps(graphs):
            none = np.empty((len(graphs), 0), np.float32)
            yield from ResidentGraphs(graphs, none, view=view, device=device).batches(batches, buckets)
        else:
            yield from prefetch_batches(graphs, batches, None, view=view, device=device, buckets=buckets)

    def _keeps(self, graphs: PackedGraphs) -> bool:
        if self._resident is not None:
            return self._resident
        return self.is_padded and has_room(resident_bytes(graphs, self._network.view), self._device)


class _Outputs:
    """Outputs of a batch on their way to the host, while the device goes on."""

    def __init__(self, outputs: Tensor) -> None:
        self._copied: torch.cuda.Event | None = None
        self._host = outputs
        if outputs.device.type == "cuda":
            self._host = torch.empty(outputs.shape, dtype=outputs.dtype, pin_memory=True)
            self._host.copy_(outputs, non_blocking=True)
            self._copied = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._copied.record(torch.cuda.current_stream(outputs.device))

    def read(self) -> NDArray[np.float32]:
        if self._copied is not None:
            self._copied.synchronize()
        outputs: NDArray[np.float32] = self._host.numpy()
        return outputs
