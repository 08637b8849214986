"""``phase2 workflow validate`` and ``expand``: the first step of a workflow, before anything is reserved for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from phase2.cli.cluster.submission.sweep_options import takes_sweep
from phase2.cli.console import echo
from phase2.cli.options import request_option
from phase2.cli.request_options import takes_request
from phase2.cli.store import StoreOption, open_command_store
from phase2.cli.training.dry_run import find_and_reconcile, print_run
from phase2.cli.workflow.placement import Placement, check_resources, takes_placement
from phase2.cli.workflow.results import FolderOption, NameOption, write_results
from phase2.config.foundation_models import foundation_model
from phase2.config.multirun.sweep import SweepRequest
from phase2.config.request.resume_request import ResumeRequest
from phase2.config.request.run_request import RunRequest
from phase2.config.settings import run_id_of_process, run_to_resume, store_url

if TYPE_CHECKING:
    from phase2.config.resolve import ResolvedRun
    from phase2.storage.base import Store

NodesOption = Annotated[int | None, request_option("--nodes", help="Pods that train the run together.")]


def _validate(
    request: RunRequest,
    *,
    placement: Placement,
    nodes: NodesOption = None,
    store: StoreOption = None,
    to: FolderOption = Path(),
) -> None:
    """Check a run before anything is reserved: its request, its store, its memory and its time.

    Writes run-id, algorithm and mode, and what its pods get: pod, retry-pod, prepare-pod, queue, nodes and more.
    """
    from phase2.config.resolve import resolve

    place = _checked_store(store)
    name = run_to_resume()
    resumption = ResumeRequest(name is not None, name, ())
    resolved, existing = find_and_reconcile(resolve(request), resumption, place)
    _check_data([resolved], place)
    _check_backbone(resolved)
    print_run(resolved, resumption, existing)
    placement = placement.with_nodes(nodes)
    (cluster,) = check_resources([resolved], placement, store)
    run_id = existing.run_id if existing is not None else run_id_of_process()
    facts = {"run-id": run_id or "", "algorithm": resolved.config.algorithm, "mode": resolved.config.mode}
    write_results(to, facts | placement.patches(cluster).parameters())


validate = takes_request(takes_placement(_validate), hidden=("output",))


def _expand(
    request: SweepRequest,
    *,
    placement: Placement,
    name: NameOption,
    store: StoreOption = None,
    to: FolderOption = Path(),
) -> None:
    """Write runs.json for the workflow: every combination of the listed values, each validated as a run."""
    from phase2.config.resolve import resolve

    runs = request.runs(name)
    place = _checked_store(store)
    resolved = [resolve(run.request) for run in runs]
    _check_data(resolved, place)
    patches = [placement.patches(cluster) for cluster in check_resources(resolved, placement, store)]
    items = [{**run.parameters(), **one.items()} for run, one in zip(runs, patches, strict=True)]
    # One preparation serves all runs: it gets the nodes of the first.
    write_results(to, {"runs.json": json.dumps(items), "prepare-pod": patches[0].prepare})
    for run in runs:
        echo(f"{run.run_id}: {' '.join(run.request.command())}")


expand = takes_sweep(takes_placement(_expand))


def _checked_store(url: str | None) -> Store | None:
    """Open the store and use it once, so that a wrong bucket is known before a GPU is reserved.

    Raises:
        RequestError: It cannot be used.
        TransientError: It does not answer.
    """
    if not (url or store_url()):
        return None
    from phase2.diagnosis.store import probe

    place = open_command_store(url)
    for _ in probe(place):
        pass
    return place


def _check_backbone(run: ResolvedRun) -> None:
    """Refuse an image without the package of a pretrained potential; nothing of the package is imported.

    Raises:
        MissingExtraError: It is not installed.
    """
    from phase2.config.extras import refuse_missing

    if run.config.foundation is not None:
        refuse_missing(foundation_model(run.config.foundation.name).package)


def _check_data(runs: list[ResolvedRun], store: Store | None) -> None:
    """Refuse data that there are not; the next step, which has the cache, looks at those of the cache or a bucket.

    Raises:
        UnknownNameError: There is no data set of this name.
        RequestError: There is no such data set in the store.
        DataError: There is no such file.
    """
    from phase2.cluster.visibility import CACHE
    from phase2.config.data.addresses import is_in_bucket
    from phase2.data.stored.opening import open_data_set

    for source in {run.config.data.source for run in runs}:
        if not (source.startswith(f"{CACHE}/") or is_in_bucket(source)):
            open_data_set(source, store=store)
