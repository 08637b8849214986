"""Batches made one ahead, while the model works on the one before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray

from phase2.data.batching import Batch, View, collate
from phase2.data.graphs.packed import PackedGraphs


def prefetch_batches(
    graphs: PackedGraphs,
    batches: Iterable[NDArray[np.int64]],
    targets: NDArray[np.float32] | None,
    *,
    view: View,
    device: torch.device | str = "cpu",
) -> Iterator[Batch]:
    """Collate batches on a background thread, one ahead of the consumer.

    A thread, not processes: gathering takes a hundredth of a training step and shares the packed graphs as they are.
    The first batch is made here, for there is nothing to do meanwhile; a single batch costs no thread.
    What goes wrong on the thread is raised here; closing the iterator early ends the thread.

    Args:
        graphs: All crystals, n of them.
        batches: Rows of each batch.
        targets: Normalised labels of all crystals, shape (n, P), NaN where missing; None for none.
        view: Which kind of batch the model reads.
        device: Where the batches shall lie.
    """
    target = torch.device(device)

    def make(index: NDArray[np.int64]) -> Batch:
        batch: Batch = collate(graphs, index, targets, view)
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
