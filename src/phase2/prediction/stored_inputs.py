"""Inputs of a prediction that are kept in a store: structures and models, downloaded to be used."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from phase2.config.limits import ReadingLimits
from phase2.data.crystals.listing import ODD_KEY, LeftOut, left_out_notes
from phase2.data.crystals.readers import NAMING_RULE, OTHER_NAME, is_structure_name
from phase2.errors import DataError, RequestError
from phase2.runs.catalog.lookup import find_in
from phase2.runs.layout import BEST
from phase2.runs.publish.reader import PublishedRun
from phase2.storage.base import ObjectInfo, Store, check_key
from phase2.storage.parallel import in_parallel

Item = TypeVar("Item")

_PART = re.compile(r"(\d{1,6})/(\d{1,6})")


@dataclass(frozen=True, slots=True)
class Shard:
    """Shard of a list: one of several equal parts, so that several processes share the work.

    Attributes:
        number: Number of the shard, counted from 1.
        count: Number of shards.

    Raises:
        RequestError: ``number`` is not in 1 to ``count``.
    """

    number: int = 1
    count: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count:
            raise RequestError(f"There is no part {self.number} of {self.count}.", fix="Give 1/4 to 4/4, for example.")

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Parse ``2/8``: the second of eight shards.

        Raises:
            RequestError: The text has another form, or there is no such shard.
        """
        found = _PART.fullmatch(text.strip())
        if found is None:
            raise RequestError(
                f"--part {text} is no part.", why="A part is its number and the number of parts.", fix="Give 2/8."
            )
        return cls(int(found[1]), int(found[2]))

    def select(self, items: Sequence[Item]) -> list[Item]:
        """Return the items of this shard: every ``count``-th, so that the sizes of shards differ by at most one."""
        return list(items[self.number - 1 :: self.count])


@dataclass(frozen=True, slots=True)
class StoredStructures:
    """Structure files below the prefix of a store.

    Attributes:
        objects: Objects that are structure files, sorted by their keys.
        left_out: Objects that are none.
        refused: Structure files by their names whose keys cannot be paths, such as ``deep//Si.cif``.
    """

    objects: tuple[ObjectInfo, ...]
    left_out: tuple[LeftOut, ...] = ()
    refused: tuple[LeftOut, ...] = ()


def list_stored_structures(store: Store) -> StoredStructures:
    """List the structure files below the prefix of a store, by the rule for folders.

    Raises:
        DataError: There are none.
    """
    found: list[ObjectInfo] = []
    left_out: list[LeftOut] = []
    refused: list[LeftOut] = []
    for info in store.list():
        if not is_structure_name(info.key):
            left_out.append(LeftOut(info.key, OTHER_NAME))
        elif not _is_file_name(info.key):
            refused.append(LeftOut(info.key, ODD_KEY))
        else:
            found.append(info)
    if not found:
        raise DataError(
            f"{store.url} holds no structure.",
            why=" ".join([NAMING_RULE, *left_out_notes([*left_out, *refused])]),
            fix="Check the bucket and the prefix.",
        )
    return StoredStructures(tuple(found), tuple(left_out), tuple(refused))


def _is_file_name(key: str) -> bool:
    try:
        check_key(key)
    except RequestError:
        return False
    return True


def download_structures(store: Store, objects: Sequence[ObjectInfo], folder: Path, limits: ReadingLimits) -> list[Path]:
    """Download structure files of a store into a folder, named by their keys.

    One that is larger than the limit is not downloaded: an empty file of its size stands for it, which is rejected.

    Raises:
        TransientError: The store does not answer.
    """
    targets = [folder / check_key(info.key) for info in objects]

    def fetch(pair: tuple[ObjectInfo, Path]) -> None:
        info, target = pair
        target.parent.mkdir(parents=True, exist_ok=True)
        if info.size > limits.file_bytes:
            target.touch()
            os.truncate(target, info.size)  # takes no room on the disk
        else:
            store.get(info.key, target)

    in_parallel(fetch, list(zip(objects, targets, strict=True)))
    return targets


def download_model(store: Store, run: str, models: Path) -> Path:
    """Download and verify the model file of a run of a store.

    Args:
        store: The store.
        run: Run id, folder name, ``best`` or ``latest``.
        models: Models folder, which holds the families of runs.

    Returns:
        Path of the model file, in the folder of its run below ``models``.

    Raises:
        RequestError: There is no such run.
        DataError: The file is damaged in the store.
        TransientError: The store does not answer.
    """
    found = PublishedRun.open(store, find_in(store, run).prefix)
    return found.pull(models, only=[BEST]).path / BEST
