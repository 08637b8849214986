"""The run that is continued: by ``--resume``, or by another attempt that shares its id; here or in a store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from phase2.config.schema import RunConfig
from phase2.errors import ModelFileError, RequestError
from phase2.runs.catalog.index import list_runs
from phase2.runs.catalog.lookup import find
from phase2.runs.layout import RunDirectory, runs_of_family
from phase2.runs.manifest import read_manifest
from phase2.runs.remote.ids import run_of_id
from phase2.runs.resume.config_diff import differences
from phase2.runs.run_config import RecordedConfig
from phase2.storage.base import Store
from phase2.storage.folder import LocalStore


@dataclass(frozen=True, slots=True)
class BegunRun:
    """A run that was begun, here or in a store.

    Attributes:
        prefix: ``<family>/<name>``.
        recorded: What it was begun for; None where an attempt ended before it wrote that.
        is_stored: Whether the store has something of it.
    """

    prefix: str
    recorded: RecordedConfig | None
    is_stored: bool

    @property
    def run_id(self) -> str:
        """Its id."""
        return RunDirectory(Path(self.prefix)).run_id


def find_unfinished(output: Path, config: RunConfig, store: Store | None = None) -> BegunRun:
    """Find the newest run of a configuration that is neither finished nor being worked on on this machine.

    A run that something was saved of goes before one that has no checkpoint yet.

    Args:
        output: Folder that holds the families.
        config: The configuration of the request.
        store: Where to look besides.

    Raises:
        RequestError: There is none; where the newest unfinished run of the family has another configuration, the
            message says in what.
    """
    here = list(_unfinished(output / config.family))
    there = (
        []
        if store is None
        else [
            (prefix, found)
            for prefix, found in _unfinished_in(store, config.family)
            if not RunDirectory(output / prefix).is_running()
        ]
    )
    ranks = {f"{config.family}/{run.name}": run.checkpoint.exists() for run, _ in here}
    recorded = {f"{config.family}/{run.name}": found for run, found in here}
    for prefix, found in there:
        ranks[prefix] = True  # a run is announced there when it is about to save
        recorded[prefix] = found
    same = [prefix for prefix, found in recorded.items() if found.digest == config.digest]
    if same:
        best = max(same, key=lambda prefix: (ranks[prefix], prefix))
        return BegunRun(best, recorded[best], is_stored=best in {prefix for prefix, _ in there})
    raise _none_unfinished(output, config, store, recorded)


def find_run(output: Path, name: str, store: Store | None = None) -> BegunRun:
    """Find a run by id, folder name or the unique beginning of one, here or in a store.

    Raises:
        RequestError: No run is meant, or several are; the nearest name is offered.
    """
    stored = {} if store is None else {run.prefix: run for run in list_runs(store)}
    here = {run.prefix: run for run in list_runs(LocalStore(output))} if output.is_dir() else {}
    prefix = find(list((stored | here).values()), name).prefix
    return _begun(output, prefix, store if prefix in stored else None)


def find_existing(output: Path, run_id: str, store: Store | None = None) -> BegunRun | None:
    """Find the run that an earlier attempt with the same id (``PHASE2_RUN_ID``) began; None when this is the first.

    Args:
        output: Folder that holds the families.
        run_id: The id that the attempts share.
        store: Where to look besides.

    Raises:
        RequestError: The id belongs to another run in the store than here.
        ModelFileError: Its configuration is damaged.
    """
    families = sorted(path for path in output.iterdir() if path.is_dir()) if output.is_dir() else []
    here = [
        f"{family.name}/{run.name}" for family in families for run in runs_of_family(family) if run.run_id == run_id
    ]
    there = None if store is None else run_of_id(store, run_id)
    if here and there and there not in here:
        raise run_id_conflict(run_id, here[-1], there)
    prefix = there or next(iter(here), None)
    return None if prefix is None else _begun(output, prefix, store if there else None)


def run_id_conflict(run_id: str, here: str, there: str) -> RequestError:
    """The error of an id that is one run's on this machine and another's in the store."""
    return RequestError(
        f"The run id '{run_id}' belongs to two runs.",
        why=f"It is {here} on this machine, and {there} in the store.",
        fix="Set PHASE2_RUN_ID to another name, or name another folder with --output.",
    )


def is_finished(run: RunDirectory) -> bool:
    """Whether a run's manifest says that it is finished; a manifest that cannot be read says nothing."""
    try:
        return read_manifest(run.manifest).status == "finished"
    except ModelFileError:
        return False


def _begun(output: Path, prefix: str, store: Store | None) -> BegunRun:
    run = RunDirectory(output / prefix)
    if store is not None and (recorded := RecordedConfig.stored(store, prefix)) is not None:
        return BegunRun(prefix, recorded, is_stored=True)
    recorded = RecordedConfig.read(run) if run.run_config.exists() else None
    return BegunRun(prefix, recorded, is_stored=store is not None)


def _unfinished(family: Path) -> Iterator[tuple[RunDirectory, RecordedConfig]]:
    for run in runs_of_family(family):
        try:
            recorded = RecordedConfig.read(run)
        except ModelFileError:
            continue
        if not is_finished(run) and not run.is_running():
            yield run, recorded


def _unfinished_in(store: Store, family: str) -> Iterator[tuple[str, RecordedConfig]]:
    for run in list_runs(store):
        if run.family == family and run.status == "unfinished":
            try:
                recorded = RecordedConfig.stored(store, run.prefix)
            except ModelFileError:
                continue
            if recorded is not None:
                yield run.prefix, recorded


def _none_unfinished(
    output: Path, config: RunConfig, store: Store | None, unfinished: dict[str, RecordedConfig]
) -> RequestError:
    why = "A run that is finished or being worked on in another process cannot be resumed."
    if unfinished:
        prefix = max(unfinished)
        changed = differences(unfinished[prefix].config, config)
        why = f"The newest unfinished one, {prefix.rpartition('/')[2]}, has other settings: {changed}."
    where = f"{output / config.family}" + ("" if store is None else f" or {store.url}")
    return RequestError(
        f"There is no unfinished run of this request in {where}.",
        why=why,
        fix="Give the same options as that run, name the run (--resume RUN), or start a new one without --resume.",
    )
