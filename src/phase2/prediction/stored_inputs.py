"""Structures and models that lie in a store, brought here to predict."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

from phase2.data.crystals.readers import STRUCTURE_SUFFIXES, is_structure_file
from phase2.errors import DataError, RequestError
from phase2.runs.catalog.lookup import find_in
from phase2.runs.layout import BEST
from phase2.runs.publish.reader import PublishedRun
from phase2.storage.base import Store, check_key
from phase2.storage.parallel import in_parallel

Item = TypeVar("Item")

_PART = re.compile(r"(\d{1,6})/(\d{1,6})")


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several equal parts of a list, so that several processes share the work.

    Attributes:
        number: Which one, counted from 1.
        parts: How many there are.

    Raises:
        RequestError: There is no such part.
    """

    number: int = 1
    parts: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.parts:
            raise RequestError(f"There is no part {self.number} of {self.parts}.", fix="Give 1/4 to 4/4, say.")

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``2/8``: the second of eight parts.

        Raises:
            RequestError: It is none.
        """
        found = _PART.fullmatch(text.strip())
        if found is None:
            raise RequestError(
                f"--part {text} is no part.", why="It is a number and how many there are.", fix="Give 2/8."
            )
        return cls(int(found[1]), int(found[2]))

    def of(self, items: Sequence[Item]) -> list[Item]:
        """The items of this part: every n-th, so that parts differ by one item at most."""
        return list(items[self.number - 1 :: self.parts])


def list_stored_structures(store: Store) -> list[str]:
    """Keys of the structure files below the prefix of a store, by name.

    Raises:
        DataError: There is none.
    """
    keys = [info.key for info in store.list() if is_structure_file(Path(PurePosixPath(info.key).name))]
    if not keys:
        raise DataError(
            f"{store.url} holds no structure.",
            why=f"Structures end in {', '.join(STRUCTURE_SUFFIXES)} or are called POSCAR or CONTCAR.",
            fix="Check the bucket and the prefix.",
        )
    return keys


def download_structures(store: Store, keys: Sequence[str], folder: Path) -> list[Path]:
    """Bring structure files of a store into a folder, under their keys.

    Raises:
        TransientError: The store does not answer.
    """
    targets = [folder / check_key(key) for key in keys]

    def fetch(pair: tuple[str, Path]) -> None:
        key, target = pair
        target.parent.mkdir(parents=True, exist_ok=True)
        store.get(key, target)

    in_parallel(fetch, list(zip(keys, targets, strict=True)))
    return targets


def download_model(store: Store, run: str, models: Path) -> Path:
    """Bring the model file of a run of a store below the models folder, verified.

    Args:
        store: The store.
        run: Its id, folder name, ``best`` or ``latest``.
        models: Folder that holds the families of runs.

    Raises:
        RequestError: There is no such run.
        DataError: The file is damaged in the store.
        TransientError: The store does not answer.
    """
    found = PublishedRun.open(store, find_in(store, run).prefix)
    return found.pull(models, only=[BEST]).path / BEST
