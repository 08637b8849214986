"""``phase2 pull``: download a run from a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.cluster.options import ContextOption, NamespaceOption, connected, namespace_of
from phase2.cli.console import echo, note
from phase2.cli.store import MODELS, JsonOption, RunArgument, StoreOption, locate_run, print_json
from phase2.config.settings import store_url
from phase2.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from phase2.cluster.transfer.pull import ClusterPull

THROUGH_CLUSTER = "--through-cluster"


def pull(
    run: RunArgument,
    store: StoreOption = None,
    to: Annotated[Path, typer.Option("--to", help="Folder that holds the runs.")] = Path(MODELS),
    only: Annotated[list[str] | None, typer.Option("--only", help="A file such as best.pt; may be repeated.")] = None,
    through_cluster: Annotated[  # noqa: FBT002
        bool,
        typer.Option(
            THROUGH_CLUSTER,
            help="Need no access keys: a short-lived pod of the namespace, which has them, hands it out.",
        ),
    ] = False,
    namespace: NamespaceOption = None,
    context: ContextOption = None,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Download a run from a store and verify every file; an interrupted pull resumes."""
    if through_cluster:
        source = _through_cluster(namespace_of(context, namespace), context, store)
        prefix, path = _pull_through(source, run, to, only or ())
    elif namespace or context:
        raise RequestError(
            "--namespace and --context name a cluster, which a pull does not reach by itself.",
            fix=f"Add {THROUGH_CLUSTER}.",
        )
    else:
        prefix, path = _pull(run, store, to, only or ())
    paths = [str(path / name) for name in only or ()] or [str(path)]
    if as_json:
        print_json({"run": prefix, "paths": paths})
    else:
        for each in paths:
            echo(each)


def _pull(run: str, store: str | None, to: Path, only: Sequence[str]) -> tuple[str, Path]:
    from phase2.cli.progress import transfer_bar
    from phase2.runs.publish.reader import PublishedRun
    from phase2.storage.base import KeysMissingError

    try:
        found = PublishedRun.open(*locate_run(run, store))
    except RequestError as error:
        hint = _hint(has_keys=not isinstance(error, KeysMissingError), has_store=bool(store or store_url()))
        raise RequestError(error.what, why=error.why, fix=f"{error.fix} {hint}".strip()) from error
    with transfer_bar(f"pulling {found.manifest.run_id}") as progress:
        directory = found.pull(to, only=only, progress=progress)
    return found.prefix, directory.path


def _hint(*, has_keys: bool, has_store: bool) -> str:
    """Return when a pull through the cluster may help; nothing where the store was named and read."""
    if not has_keys:
        return f"Without keys, add {THROUGH_CLUSTER}: a pod of the cluster hands the run out."
    return "" if has_store else f"For a run in the store of a cluster, name it with --store, or add {THROUGH_CLUSTER}."


def _pull_through(source: ClusterPull, run: str, to: Path, only: Sequence[str]) -> tuple[str, Path]:
    from phase2.cli.progress import transfer_bar

    with transfer_bar(f"pulling {run}") as progress:
        directory = source.pull(run, to, only=only, progress=progress)
    return directory.path.relative_to(to).as_posix(), directory.path


def _through_cluster(namespace: str, context: str | None, store: str | None) -> ClusterPull:
    from phase2.cluster.transfer.pull import ClusterPull
    from phase2.cluster.transfer.source import transfer_source

    cluster = connected(context, namespace)
    source = transfer_source(cluster.connection, namespace, store=store)
    return ClusterPull(cluster.client("job"), source, note)
