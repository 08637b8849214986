"""The table of predictions that ``Model.predict`` returns."""

from __future__ import annotations

from pathlib import Path

from phase2.api.results.table import Cell, Table
from phase2.config.extras import explain_missing_packages
from phase2.prediction.table import PredictedStructure, PredictionTable, check_output, write_table
from phase2.properties import Property


class Predictions(Table[PredictedStructure]):
    """One row per structure, in the order that they were given in.

    Headings carry the units: ``band_gap [eV]``. Of an ensemble the values are means, and ``std of band_gap [eV]`` is
    the standard deviation over its models. With intervals, ``band_gap_low [eV]`` and ``band_gap_high [eV]`` are their
    ends, which a binary property has not, and ``novelty`` above 1 says that a structure is unlike the training
    crystals. A row without a prediction has the reason in ``error``; ``warning`` names elements that the model was not
    trained on, and says what is novel.

    Args:
        table: What was predicted.
    """

    def __init__(self, table: PredictionTable) -> None:
        self._table = table

    @property
    def rows(self) -> tuple[PredictedStructure, ...]:
        """One per structure."""
        return self._table.rows

    @property
    def properties(self) -> tuple[Property, ...]:
        """What was predicted, in the order of the columns."""
        return self._table.properties

    @property
    def failures(self) -> tuple[PredictedStructure, ...]:
        """The rows without a prediction."""
        return self._table.failures

    @property
    def notes(self) -> tuple[str, ...]:
        """What concerns the whole table: intervals that the model has too few validation labels for."""
        return self._table.notes

    def columns(self) -> list[str]:
        """Return the headings: file, formula, each property with its unit, spreads of an ensemble, warning, error."""
        return self._table.columns()

    def records(self) -> list[list[Cell]]:
        """Return the cells of each row; None where there is no prediction."""
        return [list(record) for record in self._table.records()]

    def write(self, path: str | Path) -> None:
        """Write the table as CSV, JSON or Parquet, by the suffix of the file.

        Raises:
            RequestError: The suffix is unknown, or the file cannot be written.
            MissingExtraError: Parquet was asked for and pyarrow is not installed.
        """
        check_output(Path(path))
        with explain_missing_packages():
            write_table(self._table, Path(path))
