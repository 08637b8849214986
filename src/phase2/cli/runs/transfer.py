"""``phase2 transfer``: commands of the pods of ``phase2 pull --through-cluster``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Annotated

import typer

from phase2.cli.console import echo_encoded
from phase2.cli.store import RunArgument, StoreOption, open_existing_store
from phase2.config.settings import termination_log
from phase2.errors import RequestError

INDEX_VARIABLE = "JOB_COMPLETION_INDEX"
OnlyOption = Annotated[list[str], typer.Option("--only", help="A file of the run, in order; may be repeated.")]

app = typer.Typer(help="Commands of the pods of 'phase2 pull --through-cluster'.", rich_markup_mode=None)


@app.command("offer")
def offer(
    run: RunArgument,
    store: StoreOption = None,
    seconds: Annotated[
        int, typer.Option("--seconds", min=1, max=3600, help="Time for which a download can be started.")
    ] = 600,
) -> None:
    """Write the manifest of a run to the log, and addresses of its files to the pod's termination message."""
    from phase2.runs.catalog.lookup import find_in
    from phase2.runs.publish.reader import PublishedRun
    from phase2.runs.transfer.frames import to_lines
    from phase2.runs.transfer.offer import Offer, pack_addresses

    place = open_existing_store(store)
    found = PublishedRun.open(place, find_in(place, run).prefix)
    _print_lines(to_lines(Offer.of(found).model_dump_json().encode()))
    message = pack_addresses(found.presign(seconds))
    file = termination_log()
    if message is not None and file is not None:
        file.write_text(message, encoding="utf-8")


@app.command("part")
def part(
    prefix: Annotated[str, typer.Argument(metavar="PREFIX", help="Prefix of the run: family/name.")],
    only: OnlyOption,
    store: StoreOption = None,
    index: Annotated[
        int | None, typer.Option("--index", help=f"Number of the part (default: ${INDEX_VARIABLE}).")
    ] = None,
) -> None:
    """Write one part of the files of a run to the log."""
    from phase2.runs.publish.download import chosen_artifacts
    from phase2.runs.publish.reader import PublishedRun
    from phase2.runs.transfer.frames import to_lines
    from phase2.runs.transfer.parts import part_spans

    found = PublishedRun.open(open_existing_store(store), prefix).with_published_files()
    files = chosen_artifacts(found.manifest, only)
    spans = part_spans([artifact.bytes for artifact in files], _index() if index is None else index)
    _print_lines(to_lines(b"".join(found.read_range(files[span.file], span.start, span.length) for span in spans)))


def _index() -> int:
    text = os.environ.get(INDEX_VARIABLE, "")
    if not text.isdecimal():
        raise RequestError("No part is named.", why=f"${INDEX_VARIABLE} is '{text}'.", fix="Give --index.")
    return int(text)


def _print_lines(lines: Iterator[str]) -> None:
    for line in lines:
        echo_encoded(line)
