"""Files of a data set that no record is made of."""

from __future__ import annotations

from pathlib import Path

from phase2.config.data.sets import CRYSTALS
from phase2.config.schema import DataConfig
from phase2.data.crystals.listing import left_out_notes
from phase2.data.sources.folder import FolderSource


def notes_on_left_out(config: DataConfig) -> list[str]:
    """Say which files of a folder no record is made of, one line for each reason; nothing for other data sets.

    Raises:
        DataError: The data set cannot be read.
    """
    folder = Path(config.source).expanduser()
    if config.source in CRYSTALS or not folder.is_dir():
        return []
    return left_out_notes(FolderSource(folder, config.limits, config.properties).left_out())
