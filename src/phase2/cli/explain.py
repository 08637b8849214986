"""``phase2 explain``: the complete configuration of a request, and where each value comes from."""

from __future__ import annotations

from typing import Annotated

import typer

from phase2.cli.console import print_table
from phase2.cli.options import takes_request
from phase2.config.request import RunRequest


def _explain(
    request: RunRequest,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002
) -> None:
    """Show what a request resolves to, and where each value comes from, without running it."""
    import json

    from phase2.config.resolve import resolve

    run = resolve(request)
    if as_json:
        typer.echo(json.dumps({"config": run.config.model_dump(mode="json"), "origins": dict(run.origins)}, indent=2))
    else:
        print_table(" ".join(request.command()), ("setting", "value", "origin"), run.rows())


explain = takes_request(_explain)
