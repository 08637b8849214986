"""Addresses of data sets, also of those that a program has opened."""

from __future__ import annotations

import os
from typing import overload

from phase2.api.data.dataset import Dataset
from phase2.errors import RequestError


@overload
def data_address(data: str | os.PathLike[str] | Dataset) -> str: ...
@overload
def data_address(data: None) -> None: ...
@overload
def data_address(data: str | os.PathLike[str] | Dataset | None) -> str | None: ...
def data_address(data: str | os.PathLike[str] | Dataset | None) -> str | None:
    """Return the name or path of a data set; of one that is opened, what it was opened by. None for None.

    Raises:
        RequestError: It was opened with properties or limits of its own, which its address says nothing about, or it
            is no data set.
    """
    if data is None or isinstance(data, str | os.PathLike):
        return None if data is None else os.fspath(data)
    if not isinstance(data, Dataset):
        raise RequestError(
            f"An object of type {type(data).__name__} is no data set.",
            why="Data are read from a name or path, by which the run can be repeated.",
            fix="Give a name, a path, or what phase2.load_dataset returns.",
        )
    if data.changed:
        raise RequestError(
            f"The data set '{data.address}' was opened with {' and '.join(data.changed)} of its own.",
            why="A model is trained and evaluated with those of its run.",
            fix=f"Give its name or path, '{data.address}', and to phase2.train also own_properties=..., or "
            'settings={"data.limits.atoms": ...}.',
        )
    return data.address
