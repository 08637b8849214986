"""Gradients of a model whose batches several processes share."""

# No postponed annotations: DistributedDataParallel checks those of the hook.

import warnings

import torch
from torch import distributed, nn
from torch.distributed import GradBucket  # type: ignore[attr-defined]
from torch.nn.parallel import DistributedDataParallel


def share_model(model: nn.Module) -> nn.Module:
    """Wrap a model so that its gradients are summed over the processes in the backward pass.

    Its buffers are not exchanged: the running statistics of the batch norms are equal in all processes.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # the new name of the option is not in earlier versions
        shared = DistributedDataParallel(model, broadcast_buffers=False)
    shared.register_comm_hook(None, _sum_gradients)
    return shared


def _sum_gradients(_state: object, bucket: GradBucket) -> torch.futures.Future[torch.Tensor]:
    """Sum gradients, which DistributedDataParallel would average: each process has a share of one loss."""
    work = distributed.all_reduce(bucket.buffer(), async_op=True)
    assert work is not None  # noqa: S101 - it is asynchronous
    return work.get_future().then(lambda done: done.value()[0])
