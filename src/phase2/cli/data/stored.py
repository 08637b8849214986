"""``phase2 data list``, ``pull`` and ``prune``: the data sets of a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from phase2.cli.console import confirm, echo, note, print_table
from phase2.cli.data.options import DataStoreOption, open_data_store
from phase2.cli.store import JsonOption, YesOption, print_json
from phase2.config.data.addresses import shown_address
from phase2.errors import RequestError
from phase2.output.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from phase2.data.stored.catalog import StoredData
    from phase2.storage.base import Store

DeleteOption = Annotated[bool, typer.Option("--delete", help="Delete them, rather than print what would be deleted.")]

_SHOWN_RUNS = 3


def pull(
    data: Annotated[str, typer.Argument(metavar="DATA", help="A name in the store, sha256:..., or s3://bucket/path.")],
    output: Annotated[Path, typer.Option("--output", help="Folder for the file or folder.")] = Path(),
    store: DataStoreOption = None,
) -> None:
    """Copy the files of a data set from a store to this machine, verified; an interrupted copy is resumed."""
    import shutil

    from phase2.cli.progress import transfer_bar
    from phase2.config.data.addresses import is_in_bucket
    from phase2.data.stored.opening import local_path, pinned_address
    from phase2.storage.disk.errors import disk_errors

    place = None if is_in_bucket(data) else open_data_store(store)
    address = pinned_address(data, store=place)
    with transfer_bar(f"fetching {data}") as progress:
        found = local_path(address, store=place, progress=progress)
    target = output / (found.name if found.is_file() else data.rstrip("/").rpartition("/")[2].replace(":", "-"))
    if target.exists():
        raise RequestError(f"{target} is there already.", why="Nothing is overwritten.", fix="Give another --output.")
    with disk_errors(target):
        output.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.tmp")
        shutil.rmtree(partial, ignore_errors=True)
        (shutil.copytree if found.is_dir() else shutil.copyfile)(found, partial)
        partial.rename(target)
    echo(str(target))


def has_data(store: Store) -> bool:
    """Return whether a store has any data sets."""
    from phase2.data.stored.manifest import SETS

    return next(iter(store.list(SETS)), None) is not None


def print_stored(store: Store, *, as_json: bool) -> None:
    """Show the data sets of a store: their names, content, size, and the runs that used them."""
    from phase2.data.stored.catalog import list_data

    found, users = list_data(store), _users(store, rebuild=False)
    if as_json:
        print_json([_facts(one, users.get(one.address, [])) for one in found])
        return
    rows = []
    for one in found:
        runs = users.get(one.address, [])
        shown = ", ".join(runs[:_SHOWN_RUNS]) + (f" and {len(runs) - _SHOWN_RUNS} more" if runs[_SHOWN_RUNS:] else "")
        whole = one.manifest is not None
        crystals = f"{one.manifest.crystals:,}" if one.manifest else "-"
        rows.append(
            (
                ", ".join(one.names) or "-", shown_address(one.address), crystals, f"{one.size / 1e6:.1f}",
                f"{one.changed:%Y-%m-%d %H:%M}" if whole else "not complete", shown or "-",
            )
        )  # fmt: skip
    columns = ("name", "address", "crystals", "MB", "pushed (UTC)", "used by runs")
    print_table(f"{store.url}: {counted(len(found), 'data set')}", columns, rows, numeric=("crystals", "MB"))


def prune(
    store: DataStoreOption = None,
    older_than: Annotated[
        str, typer.Option("--older-than", help="Delete only data sets that have not changed for so long: 12h, 30d, 8w.")
    ] = "7d",
    forget: Annotated[
        list[str] | None, typer.Option("--forget", metavar="NAME", help="Remove this name first; may be repeated.")
    ] = None,
    delete: DeleteOption = False,  # noqa: FBT002
    yes: YesOption = False,  # noqa: FBT002
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Delete data sets that no name and no run uses; without --delete, print which."""
    from datetime import UTC, datetime

    from phase2.data.stored.catalog import delete_data, list_data, unused_data
    from phase2.data.stored.names import history_of, remove_name
    from phase2.runs.catalog.filter import parse_age

    age, place, names = parse_age(older_than), open_data_store(store), tuple(forget or ())
    for name in names:
        if not history_of(place, name):
            raise RequestError(f"There is no name '{name}' in {place.url}.", fix="'phase2 data list' shows the names.")
    found = [_without(one, names) for one in list_data(place)]
    # No index: what it says must not decide what is deleted.
    chosen = unused_data(found, _users(place, rebuild=True), older_than=age, now=datetime.now(UTC))
    if not as_json:
        rows = [(one.address, f"{one.changed:%Y-%m-%d}", f"{one.size / 1e6:.1f}") for one in chosen]
        if rows:
            print_table("", ("data set", "changed", "MB"), rows, numeric=("MB",))
    named = f" and the name{'s' if names[1:] else ''} {', '.join(names)}" if names else ""
    if delete and (chosen or names):
        confirm(f"Remove {counted(len(chosen), 'data set')}{named} from {place.url}?", action="removed", yes=yes)
        for name in names:
            remove_name(place, name)
        chosen = [one for one in chosen if delete_data(place, one.address)]
    if as_json:
        print_json({"dry_run": not delete, "removed": [one.address for one in chosen]})
        return
    word = "removed" if delete else "would be removed"
    echo(f"{counted(len(chosen), 'data set')}{named} {word}, {sum(one.size for one in chosen) / 1e6:.1f} MB")
    if not delete and (chosen or names):
        note("the same command with --delete removes what it names")


def _users(store: Store, *, rebuild: bool) -> dict[str, list[str]]:
    """Return the ids of the runs that name a data set, by its address."""
    from phase2.runs.catalog.index import list_runs

    found: dict[str, list[str]] = {}
    for run in list_runs(store, rebuild=rebuild):
        if run.data_address:
            found.setdefault(run.data_address, []).append(run.run_id)
    return found


def _without(one: StoredData, names: Sequence[str]) -> StoredData:
    from dataclasses import replace

    return replace(one, names=tuple(name for name in one.names if name not in names))


def _facts(one: StoredData, runs: Sequence[str]) -> dict[str, Any]:
    manifest = one.manifest
    return {
        "address": one.address,
        "names": list(one.names),
        "complete": manifest is not None,
        "crystals": manifest.crystals if manifest else None,
        "rejected": manifest.rejected if manifest else None,
        "files": len(manifest.files) if manifest else None,
        "bytes": one.size,
        "source_bytes": one.source_bytes,
        "changed": one.changed.isoformat(),
        "runs": list(runs),
    }
