"""First step of resuming: find the run that a request continues, on this machine or in a store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from phase2.config.request.resume_request import ResumeRequest
from phase2.config.resolve import ResolvedRun
from phase2.config.schema import RunConfig
from phase2.config.settings import run_id_of_process
from phase2.errors import ModelFileError, RequestError
from phase2.runs.addresses import split_address
from phase2.runs.catalog.index import list_runs
from phase2.runs.catalog.lookup import find
from phase2.runs.identity import check_identity, run_id_of
from phase2.runs.keys import manifest_key
from phase2.runs.layout import CONFIG, RunDirectory, runs_of_family
from phase2.runs.publish.reader import PublishedRun
from phase2.runs.records.manifest import read_manifest
from phase2.runs.records.run_config import RecordedConfig
from phase2.runs.remote.ids import run_of_id
from phase2.runs.resume.config_diff import differences
from phase2.runs.resume.run_path import name_in_output
from phase2.storage.base import Store
from phase2.storage.folder import LocalStore
from phase2.storage.urls import is_address, open_store


@dataclass(frozen=True, slots=True)
class ExistingRun:
    """A run that was started before, on this machine or in a store.

    Attributes:
        prefix: ``<family>/<name>``.
        recorded: Its recorded configuration; None where an attempt ended before it was written.
        is_stored: Whether the store has any of its files.
    """

    prefix: str
    recorded: RecordedConfig | None
    is_stored: bool

    @property
    def run_id(self) -> str:
        """Run id."""
        return RunDirectory(Path(self.prefix)).run_id


def find_run_to_resume(resolved: ResolvedRun, resumption: ResumeRequest, store: Store | None) -> ExistingRun | None:
    """Find the run that a request continues; None where it starts one.

    A request or a process that is given a run id (``PHASE2_RUN_ID``) continues the run of that id if there is one.

    Args:
        resolved: The request and its configuration.
        resumption: Which run to continue, if any.
        store: Store to search besides the output folder.

    Raises:
        RequestError: There is nothing to resume, or the name is unknown or ambiguous.
        ModelFileError: The recorded configuration of the run is damaged.
    """
    output, run_id = resolved.request.output, resumption.run_id or run_id_of_process()
    if resumption.run is not None:
        existing = find_by_name(output, resumption.run, store)
        if run_id not in {None, existing.run_id}:
            raise RequestError(
                f"--resume {resumption.run} and PHASE2_RUN_ID={run_id} are different runs.", fix="Drop one of the two."
            )
        return existing
    if run_id is not None:
        return find_by_id(output, run_id, store)
    return find_unfinished(output, resolved.config, store) if resumption.wanted else None


def find_by_name(output: Path, name: str, store: Store | None = None) -> ExistingRun:
    """Find a run by id, folder name, a unique prefix of one, its address, or its folder in ``output``.

    Raises:
        RequestError: No run matches, or several do; the nearest name is offered. Or its address is in another store.
    """
    if is_address(name):
        url, name = split_address(name)
        if store is None or store.url != open_store(url).url:
            raise RequestError(
                f"{name} is in a store that the run would not go on in.",
                why="A run is continued in the store that has its checkpoint.",
                fix=f"Add --store {url}.",
            )
    stored = {} if store is None else {run.prefix: run for run in list_runs(store)}
    local = {run.prefix: run for run in list_runs(LocalStore(output))} if output.is_dir() else {}
    prefix = find(list((stored | local).values()), name_in_output(name, output)).prefix
    return _existing(output, prefix, store if prefix in stored else None)


def find_by_id(output: Path, run_id: str, store: Store | None = None) -> ExistingRun | None:
    """Find the run that an earlier attempt with the same id (``PHASE2_RUN_ID``) started; None for the first attempt.

    Args:
        output: Folder that holds the families.
        run_id: The id that the attempts share.
        store: Store to search besides.

    Raises:
        RequestError: The id belongs to one run on this machine and to another in the store.
        ModelFileError: The recorded configuration is damaged.
    """
    families = sorted(path for path in output.iterdir() if path.is_dir()) if output.is_dir() else []
    local = [
        f"{family.name}/{run.name}" for family in families for run in runs_of_family(family) if run.run_id == run_id
    ]
    stored = None if store is None else run_of_id(store, run_id)
    if local and stored and stored not in local:
        raise run_id_conflict(run_id, local[-1], stored)
    prefix = stored or next(iter(local), None)
    return None if prefix is None else _existing(output, prefix, store if stored else None)


def find_unfinished(output: Path, config: RunConfig, store: Store | None = None) -> ExistingRun:
    """Find the newest run of a configuration that is neither finished nor running in another process of this machine.

    A run with a checkpoint is preferred to one without.

    Args:
        output: Folder that holds the families.
        config: The configuration of the request.
        store: Store to search besides.

    Raises:
        RequestError: There is none; where the newest unfinished run of the family has another configuration, the
            message lists the differences.
    """
    local = list(_unfinished(output / config.family))
    stored = {} if store is None else dict(_unfinished_in(store, config.family, output))
    has_checkpoint = {f"{config.family}/{run.name}": run.checkpoint.exists() for run, _ in local}
    has_checkpoint |= dict.fromkeys(stored, True)  # a run is announced in the store shortly before its first save
    recorded = {f"{config.family}/{run.name}": found for run, found in local} | stored
    same = [prefix for prefix, found in recorded.items() if found.digest == config.digest]
    if not same:
        raise _none_unfinished(output, config, store, recorded)
    newest = max(same, key=lambda prefix: (has_checkpoint[prefix], prefix))
    return ExistingRun(newest, recorded[newest], is_stored=newest in stored)


def is_finished(run: RunDirectory) -> bool:
    """Whether the manifest of a run directory marks it as finished; False where it cannot be read."""
    try:
        return read_manifest(run.manifest).status == "finished"
    except ModelFileError:
        return False


def finished_in_store(existing: ExistingRun, store: Store) -> PublishedRun | None:
    """Return the published run if it is finished in a store, else None.

    Raises:
        ModelFileError: Its manifest is damaged.
        TransientError: The store does not answer.
    """
    if store.head(manifest_key(existing.prefix)) is None:
        return None
    published = PublishedRun.open(store, existing.prefix)
    return published if published.manifest.status == "finished" else None


def names_finished_run(resolved: ResolvedRun, resumption: ResumeRequest, store: Store | None) -> bool:
    """Whether a request or a process names a run, and that run is finished in a store.

    Raises:
        RequestError: There is no such run, or the name is ambiguous.
        ModelFileError: The run is damaged.
        TransientError: The store does not answer.
    """
    if store is None or (resumption.run or resumption.run_id or run_id_of_process()) is None:
        return False
    existing = find_run_to_resume(resolved, resumption, store)
    return existing is not None and finished_in_store(existing, store) is not None


def run_id_conflict(run_id: str, local: str, stored: str) -> RequestError:
    """Return the error for an id that belongs to one run on this machine and to another in the store."""
    return RequestError(
        f"The run id '{run_id}' belongs to two runs.",
        why=f"It is {local} on this machine, and {stored} in the store.",
        fix="Set PHASE2_RUN_ID to another name, or name another folder with --output.",
    )


def _existing(output: Path, prefix: str, store: Store | None) -> ExistingRun:
    run = RunDirectory(output / prefix)
    if store is not None and (recorded := RecordedConfig.stored(store, prefix)) is not None:
        check_identity(prefix, run_id=recorded.run_id, family=None, where=f"{CONFIG} in '{prefix}' of {store.url}")
        return ExistingRun(prefix, recorded, is_stored=True)
    recorded = RecordedConfig.read(run) if run.run_config.exists() else None
    return ExistingRun(prefix, recorded, is_stored=store is not None)


def _unfinished(family: Path) -> Iterator[tuple[RunDirectory, RecordedConfig]]:
    for run in runs_of_family(family):
        try:
            recorded = RecordedConfig.read(run)
        except ModelFileError:
            continue
        if not is_finished(run) and not run.is_running():
            yield run, recorded


def _unfinished_in(store: Store, family: str, output: Path) -> Iterator[tuple[str, RecordedConfig]]:
    for run in list_runs(store):
        is_left = run.status in {"unfinished", "pruned"}
        if run.family == family and is_left and not RunDirectory(output / run.prefix).is_running():
            try:
                recorded = RecordedConfig.stored(store, run.prefix)
            except ModelFileError:
                continue
            if recorded is not None and recorded.run_id == run_id_of(run.prefix):
                yield run.prefix, recorded


def _none_unfinished(
    output: Path, config: RunConfig, store: Store | None, unfinished: dict[str, RecordedConfig]
) -> RequestError:
    why = "A run that is finished, or running in another process, cannot be resumed."
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
