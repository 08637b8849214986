"""Prefetching: the next batch is collated while the model computes the current one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray

from phase2.data.batching import Batch, View, collate
from phase2.data.graphs.packed import PackedGraphs
from phase2.data.padding.buckets import ShapeBuckets
from phase2.data.padding.pad import pad
from phase2.data.padding.shape import BatchShape


def prefetch_batches(
    graphs: PackedGraphs,
    batches: Iterable[NDArray[np.int64]],
    targets: NDArray[np.float32] | None,
    *,
    view: View,
    device: torch.device | str = "cpu",
    features: NDArray[np.float32] | None = None,
    buckets: ShapeBuckets | None = None,
) -> Iterator[Batch]:
    """Collate batches in a background thread, one ahead of the consumer.

    A thread, not processes: collation takes a hundredth of a training step and shares the packed graphs without a copy.
    The first batch is collated by the caller, so that a single batch starts no thread. Exceptions of the thread are
    raised to the consumer; closing the iterator early ends the thread.

    Args:
        graphs: Graphs of all crystals of a store.
        batches: Crystals of each batch, as rows of the store, (B,) int64 each.
        targets: Normalised labels of all crystals, P per row of the store, float32, NaN where missing; None for none.
        view: Kind of batch that the model reads.
        device: Device to copy the batches to.
        features: Features of all crystals by a pretrained potential, F per row of the store, float32; None for none.
        buckets: Sizes that the batches are padded to; None leaves them as they are.

    Yields:
        The batches on the device, in the order given.
    """
    target = torch.device(device)

    def make(index: NDArray[np.int64]) -> Batch:
        batch: Batch = collate(graphs, index, targets, view, features)
        if buckets is not None:
            batch = pad(batch, buckets.choose(BatchShape.of(batch)))
        return batch.pin_memory() if target.type == "cuda" else batch

    remaining = iter(batches)
    first = next(remaining, None)
    if first is None:
        return
    batch = make(first)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="phase2-batches") as thread:
        for index in remaining:
            ahead = thread.submit(make, index)
            yield batch.to(target, non_blocking=True)
            batch = ahead.result()
        yield batch.to(target, non_blocking=True)
