"""Inputs of a prediction on this machine: model file and structure files."""

from __future__ import annotations

from pathlib import Path

from phase2.data.crystals.listing import list_structures
from phase2.errors import RequestError
from phase2.runs.catalog.lookup import default_model_file
from phase2.runs.layout import model_file_in


def find_model_file(path: Path | None, models: Path, by: str | None = None) -> Path:
    """Return the requested model file, or the one to use where none is requested.

    Args:
        path: Model file, or the folder of a run or of a model of the Hugging Face Hub; None for the best of
            the runs that compare with the newest finished one.
        models: Models folder, which holds the families of runs.
        by: A property by whose validation MAE the best of all runs is chosen instead.

    Raises:
        ModelFileError: There is no finished run.
        RequestError: ``by`` is given with a path, or the runs that have this property do not compare.
    """
    if path is None:
        return default_model_file(models, by)
    if by is not None:
        raise RequestError(
            f"--for {by} does not go with --model.", why="A model file is named already.", fix="Drop one of the two."
        )
    return model_file_in(path) if path.is_dir() else path


def list_structure_files(folder: Path) -> list[Path]:
    """List the structure files below a folder, sorted; ``list_structures`` says which others there are.

    Raises:
        DataError: The folder does not exist, cannot be read, or holds no structure.
    """
    return list(list_structures(folder).structures)
