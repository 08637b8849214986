"""Names of data sets in a store: each points to an address, and keeps what it pointed to before.

Every change of a name is an object of its own with the next number, stored under a free key. Of several changes at the
same time exactly one gets a number, and nothing is ever overwritten.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

from pydantic import AwareDatetime, ValidationError

from phase2.config.data.addresses import check_content, check_name
from phase2.data.stored.manifest import read_data_manifest
from phase2.errors import DataError, RequestError
from phase2.storage.base import ObjectExistsError, ObjectMissingError, Store
from phase2.storage.parallel import in_parallel
from phase2.storage.records import Counted, Record, first_error, to_json

_NAMES = "data/names/"


class NameEntry(Record):
    """What a name points to since a moment.

    Attributes:
        schema_version: Format of this file.
        name: The name.
        number: Number of this change of the name, counted from 1.
        address: Address of the data set.
        since: When it was set.
    """

    schema_version: Counted = 1
    name: str
    number: Counted
    address: str
    since: AwareDatetime


class NameTakenError(RequestError):
    """The name points to another data set."""


def history_of(store: Store, name: str) -> list[NameEntry]:
    """Return what a name pointed to, the newest last; nothing for a name that is free.

    Raises:
        DataError: An entry is damaged.
    """
    keys = [info.key for info in store.list(f"{_NAMES}{check_name(name)}/")]
    return [entry for entry in in_parallel(lambda key: _read(store, key), keys) if entry is not None]


def current_entry(store: Store, name: str) -> NameEntry | None:
    """Return what a name points to; None for a name that is free."""
    keys = [info.key for info in store.list(f"{_NAMES}{check_name(name)}/")]
    return _read(store, keys[-1]) if keys else None


def all_names(store: Store) -> dict[str, NameEntry]:
    """Return what each name of a store points to."""
    newest: dict[str, str] = defaultdict(str)
    for info in store.list(_NAMES):
        name = info.key.removeprefix(_NAMES).partition("/")[0]
        newest[name] = max(newest[name], info.key)
    entries = in_parallel(lambda key: _read(store, key), newest.values())
    return {name: entry for name, entry in zip(newest, entries, strict=True) if entry is not None}


def refuse_taken(store: Store, name: str, address: str) -> None:
    """Refuse a name that points to another data set.

    Raises:
        NameTakenError: It does.
    """
    found = current_entry(store, name)
    if found is not None and found.address != address:
        raise NameTakenError(
            f"The name '{name}' is taken in {store.url}.",
            why=f"Since {found.since:%Y-%m-%d %H:%M} UTC it is {found.address}.",
            fix="Choose another --name, or give --replace, which keeps the other data set under its address.",
        )


def set_name(store: Store, name: str, address: str, *, replace: bool = False) -> bool:
    """Point a name to a data set; return whether it pointed elsewhere before, or nowhere.

    Args:
        store: The store.
        name: The name.
        address: Address of the data set.
        replace: Whether a name that points to another data set is pointed to this one.

    Raises:
        NameTakenError: The name points to another data set.
    """
    check_content(address)
    while True:
        found = current_entry(store, name)
        if found is not None and found.address == address:
            return False
        if not replace:
            refuse_taken(store, name, address)
        number = 1 if found is None else found.number + 1
        entry = NameEntry(name=name, number=number, address=address, since=datetime.now(UTC))
        try:
            store.put(_key(name, number), to_json(entry.model_dump(mode="json")).encode(), if_absent=True)
        except ObjectExistsError:
            continue  # somebody else has just set it
        return True


def name_data(store: Store, name: str, address: str, *, replace: bool = False) -> bool:
    """Point a name to a data set that is in the store; return whether the name changed. See :func:`set_name`.

    Raises:
        NameTakenError: The name points to another data set.
        DataMissingError: The data set is not there, or was removed meanwhile.
    """
    read_data_manifest(store, address)
    changed = set_name(store, name, address, replace=replace)
    # Whoever removes a data set looks for names after its manifest is gone, so that one of the two sees the other.
    read_data_manifest(store, address)
    return changed


def remove_name(store: Store, name: str) -> None:
    """Remove a name with its history; the data sets stay. The newest entry goes last: till then the name holds."""
    for info in store.list(f"{_NAMES}{check_name(name)}/"):
        store.delete(info.key)


def nearest_names(store: Store) -> Sequence[str]:
    """Return the names of a store, sorted."""
    return sorted({info.key.removeprefix(_NAMES).partition("/")[0] for info in store.list(_NAMES)})


def _key(name: str, number: int) -> str:
    return f"{_NAMES}{check_name(name)}/{number:06d}.json"


def _read(store: Store, key: str) -> NameEntry | None:
    """Read an entry; None where it was removed since it was listed."""
    try:
        entry = NameEntry.model_validate_json(store.read(key), strict=True)
        if _key(entry.name, entry.number) != key:
            raise DataError(f"{key} in {store.url} is the entry of another name.", fix="Remove it from the store.")
        check_content(entry.address)
    except ObjectMissingError:
        return None
    except ValidationError as error:
        raise DataError(
            f"{key} in {store.url} is damaged.", why=f"{first_error(error)}.", fix="Remove it from the store."
        ) from error
    return entry
