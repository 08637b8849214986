"""Structure files of a folder on this machine."""

from __future__ import annotations

from pathlib import Path

from phase2.data.crystals.listing import list_structures


def list_structure_files(folder: Path) -> list[Path]:
    """List the structure files below a folder, sorted; ``list_structures`` says which others there are.

    Raises:
        DataError: The folder does not exist, cannot be read, or holds no structure.
    """
    return list(list_structures(folder).structures)
