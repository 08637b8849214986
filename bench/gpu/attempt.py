"""Parts of a section that may fail without the others: an operator without a kernel, memory that is too small."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from bench.gpu.record.rows import FailureRow, Row


def attempt(what: str, rows: Callable[[], Iterable[Row]]) -> Iterator[Row]:
    """Yield rows until torch raises, and then a row that says so.

    Args:
        what: What is measured or checked, for that row.
        rows: Makes the rows, one after the other or all at once.
    """
    try:
        yield from rows()
    except RuntimeError as error:
        yield FailureRow(what=what, error=f"{type(error).__name__}: {error}")
