"""Products of a sparse and a dense matrix."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def sparse_product(rows: Tensor, columns: Tensor, dense: Tensor, values: Tensor | None = None) -> Tensor:
    """Multiply a sparse matrix in compressed rows (CSR) with a dense one: (I, J) by (J, C) gives (I, C).

    An embedding bag computes this product. It is faster than ``torch.sparse`` on a CPU, needs no atomic sums on a GPU,
    so that results are reproducible, and does not warn of a beta state.

    Args:
        rows: Offset of each row's entries, (I + 1,) int32 or int64.
        columns: Column of each entry, 1-D of the same dtype.
        dense: Dense matrix, (J, C).
        values: Value of each entry, 1-D; 1 if not given.
    """
    weights = None if values is None else values.to(dense.dtype)
    return functional.embedding_bag(
        columns, dense, rows, mode="sum", per_sample_weights=weights, include_last_offset=True
    )
