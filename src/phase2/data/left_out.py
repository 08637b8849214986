"""Files of a data set that no record is made of."""

from __future__ import annotations

from phase2.config.data.sets import CRYSTALS
from phase2.config.schema import DataConfig
from phase2.data.crystals.files.archive import is_archive
from phase2.data.crystals.listing import LeftOut, left_out_notes
from phase2.data.crystals.readers import archive_left_out
from phase2.data.sources.folder import FolderSource
from phase2.storage.disk.home import expand_home


def notes_on_left_out(config: DataConfig) -> list[str]:
    """Say which files of a folder or archive no record is made of, one line for each reason; nothing for others.

    Raises:
        DataError: The data set cannot be read.
    """
    folder = expand_home(config.source)
    if config.source in CRYSTALS:
        return []
    if folder.is_file() and is_archive(folder.name):
        found = archive_left_out(folder, config.limits)
        return left_out_notes([LeftOut(name, why) for why, names in found.items() for name in names])
    if not folder.is_dir():
        return []
    return left_out_notes(FolderSource(folder, config.limits, config.properties).left_out())
