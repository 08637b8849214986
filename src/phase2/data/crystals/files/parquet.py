"""Parquet files with a column of structures, read by row groups."""

from __future__ import annotations

from collections.abc import Iterator

from phase2.config.limits import ReadingLimits
from phase2.data.crystals.files.content import Content, Record
from phase2.data.crystals.formats.records import PLACES, is_record
from phase2.data.crystals.repeats import first_repeated
from phase2.data.crystals.shown import cut
from phase2.errors import DataError, Phase2Error

_PANDAS_INDEX = "__index_level_0__"

_ROWS = 256
"""Rows that are decoded together."""


def read_parquet(content: Content, limits: ReadingLimits) -> Iterator[Record]:
    """Yield a record for each row of a table.

    Raises:
        DataError: The file is no Parquet, or none of its columns holds structures; the message lists them.
        LimitExceededError: It has too many columns, or says that it unpacks to too many bytes.
    """
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(content.path or content.stream) as table:
            _check_size(content, table.metadata, limits)
            names = table.schema_arrow.names
            if (repeated := first_repeated(names)) is not None:
                raise DataError(
                    f"{content.subject} has two columns '{cut(repeated, 40)}'.",
                    why="It is not known which counts.",
                    fix="Keep one of them.",
                )
            first = not set(PLACES) & set(names)
            for batch in table.iter_batches(batch_size=_ROWS):
                rows = batch.to_pylist()
                if first and rows and not any(map(is_record, rows)):
                    raise _no_structures(content, names)
                first = False
                yield from ((_index(row), row) for row in rows)
    except Phase2Error:
        raise
    except (ArrowException, OSError, ValueError) as error:
        raise DataError(
            f"{content.subject} is no Parquet file that can be read.",
            why=f"{cut(' '.join(str(error).split()), 200)}.",
            fix="Write it again.",
        ) from error


def _index(row: dict[str, object]) -> str | None:
    """Return the name of a row in the index of a table of pandas, which has no name itself."""
    name = row.pop(_PANDAS_INDEX, None)
    return name if isinstance(name, str) and name.strip() else None


def _check_size(content: Content, metadata: object, limits: ReadingLimits) -> None:
    columns: int = metadata.num_columns  # type: ignore[attr-defined]
    if columns > limits.columns:
        raise limits.exceeded("columns", content.subject, f"it has {columns:,} columns")
    groups = range(metadata.num_row_groups)  # type: ignore[attr-defined]
    size = sum(metadata.row_group(k).total_byte_size for k in groups)  # type: ignore[attr-defined]
    if size > limits.unpacked_bytes:
        raise limits.exceeded("unpacked_bytes", content.subject, f"it unpacks to {size:,} bytes")


def _no_structures(content: Content, names: list[str]) -> DataError:
    return DataError(
        f"{content.subject} has no column of structures.",
        why=f"Its columns are {', '.join(cut(name, 40) for name in names[:20])}.",
        fix="Give it a column 'structure' (pymatgen's or JARVIS's form, also as JSON, or the text of a CIF or POSCAR).",
    )
