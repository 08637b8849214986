"""Typed rows that a notebook shows as a table and pandas takes over."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar, overload

from phase2.config.extras import explain_missing_packages
from phase2.output.html_text import html_text
from phase2.output.visible import visible

if TYPE_CHECKING:
    from pandas import DataFrame

Row = TypeVar("Row")
Cell = str | float | int | None
"""What a cell holds; None where there is no value."""

_SHOWN = 20
_WIDEST = 40


class Table(Sequence[Row]):
    """A sequence of typed rows with headings; units stand in the headings, or in a column of their own."""

    @property
    @abstractmethod
    def rows(self) -> tuple[Row, ...]:
        """The rows, in order."""

    @abstractmethod
    def columns(self) -> list[str]:
        """Return the headings."""

    @abstractmethod
    def records(self) -> list[list[Cell]]:
        """Return the cells of each row, under :meth:`columns`."""

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        return self.rows[index]

    def __len__(self) -> int:
        return len(self.rows)

    def to_pandas(self) -> DataFrame:
        """Return the table as a pandas ``DataFrame``; a missing number is NaN.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        with explain_missing_packages():
            import pandas as pd
        return pd.DataFrame(self.records(), columns=self.columns())

    def __repr__(self) -> str:
        shown = [self.columns(), *([_text(cell) for cell in record] for record in self.records()[:_SHOWN])]
        cells = [[visible(cell) for cell in row] for row in shown]
        widths = [min(_WIDEST, max(map(len, column))) for column in zip(*cells, strict=True)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
        ]
        return "\n".join([*lines, *self._more()])

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html_text(column)}</th>" for column in self.columns())
        body = "".join(
            f"<tr>{''.join(f'<td>{html_text(_text(cell))}</td>' for cell in record)}</tr>"
            for record in self.records()[:_SHOWN]
        )
        below = "".join(f"<p>{line}</p>" for line in self._more())
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{below}"

    def _more(self) -> list[str]:
        return [f"... {len(self) - _SHOWN} more of {len(self)} rows"] if len(self) > _SHOWN else []


def _text(cell: Cell) -> str:
    if cell is None:
        return "-"
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)
