"""``phase2 explain``: the complete configuration of a request, and where each value comes from."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from phase2.cli.console import echo_text, print_table
from phase2.cli.request_options import takes_request
from phase2.cli.store import print_json
from phase2.config.request.run_request import RunRequest
from phase2.errors import RequestError


def _explain(
    request: RunRequest,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_yaml: Annotated[
        bool, typer.Option("--yaml", help="Print a file for --config that makes the same run by itself.")
    ] = False,
) -> None:
    """Show what a request resolves to, and where each value comes from, without running it."""
    from phase2.config.resolve import resolve

    if as_json and as_yaml:
        raise RequestError("--json and --yaml exclude each other.", fix="Drop one of the two.")
    run = resolve(request)
    if as_yaml:
        from phase2.config.run_file.writer import write_run_file

        echo_text(write_run_file(run))
    elif as_json:
        print_json({"config": run.config.model_dump(mode="json"), "origins": dict(run.origins)})
    else:
        print_table(shlex.join(request.command()), ("setting", "value", "origin"), run.rows())


explain = takes_request(_explain)
