"""``phase2 runs``: commands that delete runs (delete, prune)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.console import confirm, echo, note, print_table
from phase2.cli.store import JsonOption, StoreOption, YesOption, named_in, open_existing_store, print_json
from phase2.errors import ModelFileError, RequestError
from phase2.output.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from phase2.errors import Phase2Error
    from phase2.runs.catalog.named import RunPlace
    from phase2.runs.catalog.summary import RunSummary
    from phase2.storage.base import Store

VersionsOption = Annotated[
    bool, typer.Option("--versions", help="Remove earlier versions of its files too, where a bucket keeps them.")
]


def delete(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...", help="Run ids, folder names, family/name, paths, addresses, 'latest', 'best'."
        ),
    ],
    store: StoreOption = None,
    versions: VersionsOption = False,  # noqa: FBT002
    yes: YesOption = False,  # noqa: FBT002
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Delete runs from a store, and nothing else; none of them where one cannot be."""
    chosen = _checked(runs, store, versions=versions)
    what = chosen[0].prefix if len(chosen) == 1 else f"these {len(chosen)} runs"
    if len(chosen) > 1 and not yes:
        for place in chosen:
            note(f"  {place.prefix}")
    confirm(f"Remove {what} from {' and '.join(_stores(chosen))}?", action="removed", yes=yes)
    removed: list[str] = []
    errors: list[Phase2Error] = []
    for place in chosen:
        try:
            files = _delete_one(place, errors)
        except (RequestError, ModelFileError) as error:
            errors.append(error)
            continue
        removed.append(place.prefix)
        if not as_json:
            echo(f"removed {place.prefix}: {files} files")
    if as_json:
        print_json({"removed": removed})
    for url, held in _stores(chosen).items():
        _settle_versions(held, [one.prefix for one in chosen if one.store.url == url], remove=versions)
    _raise_all(errors)


def _checked(runs: Sequence[str], store: str | None, *, versions: bool) -> list[RunPlace]:
    """Find the runs to delete, each once, and refuse all where one is not to be deleted."""
    from phase2.runs.catalog.lookup import find_prefix
    from phase2.runs.catalog.named import RunPlace
    from phase2.runs.identity import is_run_prefix
    from phase2.runs.publish.deletion import check_deletable

    found: dict[tuple[str, str], RunPlace] = {}
    for run in runs:
        place, name = named_in(run, store)
        # A run that was deleted before has versions and no key.
        prefix = name if versions and is_run_prefix(name) else find_prefix(place, name)
        found[place.url, prefix] = RunPlace(place, prefix)
    for one in found.values():
        check_deletable(one.store, one.prefix)
    return list(found.values())


def _delete_one(place: RunPlace, errors: list[Phase2Error]) -> int:
    """Delete a run and return the number of its files; a damaged id, which is an error afterwards, is appended."""
    from phase2.runs.publish.deletion import delete_run
    from phase2.runs.remote.ids import DamagedIdError

    try:
        return delete_run(place.store, place.prefix)
    except DamagedIdError as error:
        errors.append(error)
        return error.files or 0


def _stores(places: Sequence[RunPlace]) -> dict[str, Store]:
    return {place.store.url: place.store for place in places}


def _raise_all(errors: Sequence[Phase2Error]) -> None:
    """Raise the first of the errors, and note the others."""
    for error in errors[1:]:
        note(f"warning: {error}")
    if errors:
        raise errors[0]


def prune(
    store: StoreOption = None,
    keep_best: Annotated[
        int,
        typer.Option("--keep-best", min=0, help="Runs to keep of each kind (family, properties, data), by score."),
    ] = 0,
    older_than: Annotated[
        str | None, typer.Option("--older-than", help="Delete only older runs: 12h, 30d, 8w.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be deleted, and stop.")] = False,  # noqa: FBT002
    yes: YesOption = False,  # noqa: FBT002
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Delete old runs that are not among the best; keep those that can still be resumed."""
    from datetime import UTC, datetime

    from phase2.runs.catalog.filter import parse_age
    from phase2.runs.catalog.index import list_runs
    from phase2.runs.catalog.retention import runs_to_prune

    if not keep_best and older_than is None:
        raise RequestError("This would remove every run.", fix="Give --keep-best N, --older-than 30d, or both.")
    age = None if older_than is None else parse_age(older_than)
    place = open_existing_store(store)
    # No index: what it says of a score or an age must not decide what is deleted.
    chosen = runs_to_prune(list_runs(place, rebuild=True), keep_best=keep_best, older_than=age, now=datetime.now(UTC))
    rows = [(run.prefix, f"{run.started:%Y-%m-%d}", f"{run.size / 1e6:.1f}") for run in chosen]
    if rows and not as_json:
        print_table("", ("run", "started", "MB"), rows, numeric=("MB",))
    errors: list[Phase2Error] = []
    if chosen and not dry_run:
        confirm(f"Remove {counted(len(chosen), 'run')} from {place.url}?", action="removed", yes=yes)
        chosen, errors = _delete_all(place, chosen)
    word = "would be removed" if dry_run else "removed"
    if as_json:
        print_json({"dry_run": dry_run, "removed": [run.prefix for run in chosen]})
    else:
        echo(f"{counted(len(chosen), 'run')} {word}, {sum(run.size for run in chosen) / 1e6:.1f} MB")
    _raise_all(errors)


def _delete_all(place: Store, chosen: Sequence[RunSummary]) -> tuple[list[RunSummary], list[Phase2Error]]:
    """Delete runs; return those that are deleted, and the errors."""
    from phase2.runs.publish.deletion import delete_runs
    from phase2.runs.remote.ids import DamagedIdError

    outcome = dict(delete_runs(place, [run.prefix for run in chosen]))
    deleted = [run for run in chosen if isinstance(outcome[run.prefix], DamagedIdError | None)]
    _settle_versions(place, [run.prefix for run in deleted], remove=False)
    return deleted, [error for error in outcome.values() if error is not None]


def _settle_versions(store: Store, prefixes: Sequence[str], *, remove: bool) -> None:
    """Remove the versions of deleted runs, or say that the bucket keeps them."""
    from phase2.storage.protection import ProtectedStore

    if not prefixes or not isinstance(store, ProtectedStore):
        return
    if remove:
        count = sum(store.delete_versions(f"{prefix}/") for prefix in prefixes)
        note(f"{count} versions and delete markers removed")
        return
    found = store.protection()
    if found.versioned:
        locked = f"; new ones are locked for {found.default_retention}" if found.default_retention else ""
        note(f"note: the bucket keeps earlier versions of what was deleted, until its lifecycle removes them{locked}")
        note("      'phase2 runs delete FAMILY/RUN --versions' removes those of a run")
