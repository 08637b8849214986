"""Finding the model that ``--from`` names."""

from __future__ import annotations

from pathlib import Path

from phase2.config.settings import store_url
from phase2.errors import RequestError
from phase2.runs.catalog.lookup import find_in
from phase2.runs.layout import BEST
from phase2.storage.base import Store
from phase2.storage.disk.home import expand_home
from phase2.storage.folder import LocalStore
from phase2.storage.urls import open_store


def address_of(reference: str, output: Path) -> str:
    """Return the address of a run or model file by whatever names it: one name, wherever the run is resumed.

    Args:
        reference: A path, an address in a store, or the id or folder name of a run, ``best`` or ``latest``; such names
            are looked up in the output folder and then in ``$PHASE2_STORE``.
        output: The output folder.

    Raises:
        RequestError: There is no such run or file.
        TransientError: The store does not answer.
    """
    if "://" in reference:
        return reference.rstrip("/").removesuffix(f"/{BEST}")
    path = expand_home(reference)
    if path.exists():
        return str((path.parent if path.name == BEST and path.is_file() else path).resolve())
    if path.suffix == ".pt":
        raise RequestError(f"There is no model file {reference}.", fix="Check the path given with --from.")
    return _named(reference, output)


def _named(name: str, output: Path) -> str:
    """Return the address of a run by its name."""
    places: list[Store] = [LocalStore(output)] if output.is_dir() else []
    if (url := store_url()) is not None:
        places.append(open_store(url))
    for place in places[:-1]:
        try:
            return _address(place, name)
        except RequestError:
            continue  # the last place says what is wrong
    if not places:
        raise RequestError(
            f"There is no run '{name}'.",
            why=f"The folder {output} does not exist, and no store is named by PHASE2_STORE.",
            fix="Give the path of a best.pt or of a run folder, or an address s3://bucket/prefix/family/run_...",
        )
    return _address(places[-1], name)


def _address(store: Store, name: str) -> str:
    prefix = find_in(store, name).prefix
    return str((store.root / prefix).resolve()) if isinstance(store, LocalStore) else f"{store.url}/{prefix}"
