"""Description of an archive: its plain values, and the type and shape of its tensors."""

from __future__ import annotations

from typing import IO

from phase2.storage.archive.members import check_members
from phase2.storage.archive.pickled import read_pickle


def read_structure(file: IO[bytes]) -> object:
    """Check an archive whole, and read everything but the tensors' numbers.

    Takes no more memory than the largest part, and at most a few times the size of the pickle.

    Args:
        file: The archive, open for reading; its position is at the beginning afterwards.

    Raises:
        ArchiveError: It is damaged, too large, unsafe or of another form.
        OSError: The file cannot be read.
    """
    content, storages = check_members(file)
    file.seek(0)
    return read_pickle(content, storages)
