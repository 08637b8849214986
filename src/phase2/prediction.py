"""From structures to a table of predicted properties, with nothing but a model file."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from phase2.data.batching import collate
from phase2.data.crystal import Crystal
from phase2.data.packing import pack
from phase2.data.readers import read_structure
from phase2.errors import DataError, Phase2Error, RequestError, UnknownNameError
from phase2.models.modelfile import LoadedModel, load_model_file
from phase2.properties import Property
from phase2.runs.layout import BEST
from phase2.runs.registry import newest_best
from phase2.storage.atomic import via_temporary

Progress = Callable[[int, int | None], None]

FORMATS = (".csv", ".json", ".parquet")


@dataclass(frozen=True, slots=True)
class PredictedStructure:
    """One line of a prediction table.

    Attributes:
        file: Where the structure came from.
        formula: Reduced formula, "" when the file could not be read.
        values: Predictions in the properties' units, shape (P,), or None when there is none.
        error: Why there is no prediction, "" when there is one.
        warning: Why the prediction may be poor, "" when nothing is known against it.
    """

    file: str
    formula: str
    values: NDArray[np.float64] | None
    error: str = ""
    warning: str = ""


@dataclass(frozen=True, slots=True)
class PredictionTable:
    """Predictions for a list of structures, in the order they were given."""

    properties: tuple[Property, ...]
    rows: tuple[PredictedStructure, ...]

    @property
    def failures(self) -> tuple[PredictedStructure, ...]:
        """The structures without a prediction."""
        return tuple(row for row in self.rows if row.values is None)

    def columns(self) -> list[str]:
        """Headings: file, formula, each property with its unit, warning, error."""
        return ["file", "formula", *(p.heading for p in self.properties), "warning", "error"]

    def records(self) -> list[list[str | float | None]]:
        """Rows under :meth:`columns`; a missing prediction is None."""
        blank = [None] * len(self.properties)
        return [
            [row.file, row.formula, *(blank if row.values is None else row.values.tolist()), row.warning, row.error]
            for row in self.rows
        ]


class Predictor:
    """A trained model, ready to predict.

    Attributes:
        model: The model file's content.
        path: The model file.
    """

    def __init__(self, model: LoadedModel, path: Path) -> None:
        self.model = model
        self.path = path

    @classmethod
    def load(cls, path: Path) -> Predictor:
        """Load a model file; it needs neither the training data nor any file beside it.

        Raises:
            ModelFileError: The file is missing, damaged, unsafe or of a newer format.
        """
        return cls(load_model_file(path), path)

    def columns_of(self, keys: Sequence[str] | None) -> list[int]:
        """Columns of the asked properties in the model's output; all of them for None.

        Raises:
            UnknownNameError: The model was not trained for a property.
        """
        known = [p.key for p in self.model.properties]
        unknown = [key for key in keys or () if key not in known]
        if unknown:
            raise UnknownNameError.of("property of this model", unknown[0], known)
        return [known.index(key) for key in keys] if keys else list(range(len(known)))

    def predict(self, crystals: Sequence[Crystal]) -> NDArray[np.float64]:
        """Predict one batch of crystals.

        Returns:
            Predictions in the properties' units, shape (n, P).

        Raises:
            InvalidCrystalError: A crystal has overlapping atoms.
        """
        graphs = pack(crystals, self.model.config.data.graph)
        batch = collate(graphs, np.arange(len(crystals)), None, view=self.model.model.view)
        with torch.inference_mode():
            normalised = self.model.model(batch)
        return self.model.scaler.decode(normalised.double().numpy())


def predict_files(
    predictor: Predictor,
    files: Sequence[Path],
    *,
    properties: Sequence[str] | None = None,
    batch_size: int = 64,
    progress: Progress | None = None,
) -> PredictionTable:
    """Predict structures from files; a file that cannot be read becomes a row with the reason.

    Args:
        predictor: The model.
        files: CIF, POSCAR or JARVIS JSON files.
        properties: Keys of the wanted properties; all of the model's by default.
        batch_size: Files read and predicted at a time.
        progress: Called with (files done, files in all).

    Raises:
        UnknownNameError: The model was not trained for a property.
    """
    columns = predictor.columns_of(properties)
    rows: list[PredictedStructure] = []
    for start in range(0, len(files), batch_size):
        rows += _predict_batch(predictor, files[start : start + batch_size], columns)
        if progress:
            progress(len(rows), len(files))
    return PredictionTable(tuple(predictor.model.properties[k] for k in columns), tuple(rows))


def find_model(path: Path | None, models: Path) -> Path:
    """The model file that was named: a file, a run folder, or the newest finished run when none was named.

    Raises:
        ModelFileError: Nothing is there.
    """
    if path is None:
        return newest_best(models)
    return path / BEST if path.is_dir() else path


STRUCTURE_SUFFIXES = (".cif", ".vasp", ".poscar", ".json")


def structure_files(folder: Path) -> list[Path]:
    """The structure files of a folder, by name: CIF, POSCAR and JARVIS JSON.

    Raises:
        DataError: The folder does not exist or holds no structure.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder.", fix="Give a folder of structures, or one structure with --cif.")
    files = sorted(path for path in folder.iterdir() if path.is_file() and _is_structure(path))
    if not files:
        raise DataError(
            f"{folder} holds no structure.",
            why=f"Structures end in {', '.join(STRUCTURE_SUFFIXES)} or are called POSCAR or CONTCAR.",
            fix="Check the path.",
        )
    return files


def check_output(path: Path) -> None:
    """Refuse an output file that could not be written, before any work is done.

    Raises:
        RequestError: The suffix is unknown, or the folder does not exist.
    """
    if path.suffix.lower() not in FORMATS:
        raise RequestError(
            f"--output {path} has no known format.", fix=f"Use a name that ends in {', '.join(FORMATS)}."
        )
    if not path.parent.is_dir():
        raise RequestError(f"The folder {path.parent} does not exist.", fix="Create it, or write elsewhere.")
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise RequestError(f"{path} cannot be written.", fix="Check the permissions, or write elsewhere.")


def write_table(table: PredictionTable, path: Path) -> None:
    """Write predictions as CSV, JSON or Parquet, by the file's suffix; headings carry the units."""
    writers = {".csv": _write_csv, ".json": _write_json, ".parquet": _write_parquet}
    via_temporary(path, lambda temporary: writers[path.suffix.lower()](table, temporary))


def _is_structure(path: Path) -> bool:
    return path.suffix.lower() in STRUCTURE_SUFFIXES or path.name.startswith(("POSCAR", "CONTCAR"))


def _write_csv(table: PredictionTable, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(table.columns())
        writer.writerows(table.records())


def _write_json(table: PredictionTable, path: Path) -> None:
    columns = table.columns()
    rows = [dict(zip(columns, record, strict=True)) for record in table.records()]
    path.write_text(json.dumps(rows, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _write_parquet(table: PredictionTable, path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    columns = list(zip(*table.records(), strict=True))
    types = [pyarrow.string()] * 2 + [pyarrow.float64()] * len(table.properties) + [pyarrow.string()] * 2
    arrays = [pyarrow.array(column, kind) for column, kind in zip(columns, types, strict=True)]
    pyarrow.parquet.write_table(pyarrow.table(arrays, names=table.columns()), path)
