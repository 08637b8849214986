"""Products of a sparse and a dense matrix."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def sparse_product(rows: Tensor, columns: Tensor, dense: Tensor, values: Tensor | None = None) -> Tensor:
    """Multiply a sparse matrix in compressed rows (CSR) with a dense one: (R, S) by (S, C) gives (R, C).

    An embedding bag is just this product. It is faster than ``torch.sparse`` on a CPU, needs no atomic sums on a GPU,
    so that results do not change from run to run, and does not warn of a beta state.

    Args:
        rows: Offset of each row's entries, (R + 1,) int32 or int64.
        columns: Column of each entry, of the same type.
        dense: (S, C).
        values: Value of each entry; 1 if not given.
    """
    weights = None if values is None else values.to(dense.dtype)
    return functional.embedding_bag(
        columns, dense, rows, mode="sum", per_sample_weights=weights, include_last_offset=True
    )
