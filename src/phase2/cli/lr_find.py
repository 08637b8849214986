"""``phase2 lr-find``: suggest a learning rate by a range test; it leaves no run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phase2.cli.console import note
from phase2.cli.options import DeviceOption, takes_request
from phase2.cli.store import JsonOption, print_json
from phase2.config.request import RunRequest
from phase2.errors import RequestError

STEPS = 200


def _lr_find(
    request: RunRequest,
    *,
    lowest: Annotated[float, typer.Option("--lowest", help="Learning rate of the first step.")] = 1e-6,
    highest: Annotated[float, typer.Option("--highest", help="Learning rate of the last step.")] = 1.0,
    steps: Annotated[int, typer.Option("--steps", help="Steps, over as many epochs as they take.")] = STEPS,
    to: Annotated[Path, typer.Option("--to", help="Folder for lr_range.csv and lr_range.png.")] = Path("lr-range"),
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Suggest a learning rate: train a few steps with a rate that rises until the loss diverges.

    From the run's initial weights, with its batches, on its training part. No run is left.
    """
    import torch

    from phase2.config.resolve import resolve
    from phase2.data.dataset import CrystalPropertyDataset
    from phase2.machine.hardware import thread_count
    from phase2.models.device import choose_device
    from phase2.tuning.learning_rate.files import write_range_test
    from phase2.tuning.learning_rate.range_test import exponential_rates, range_test, suggest_rate

    config, rates = resolve(request).config, exponential_rates(lowest, highest, steps)
    if config.fine_tuning is not None:
        raise RequestError(
            "The range test begins at drawn weights, and this run at those of a trained model.",
            why=f"{config.fine_tuning.source} is what it starts from.",
            fix="Search the rate of a fine-tuning with 'phase2 tune --from'.",
        )
    if config.foundation is not None:
        raise RequestError(
            "The range test knows no features of a pretrained potential.",
            why=f"This run reads those of {config.foundation.name}.",
            fix="Search its rate with 'phase2 tune --backbone'.",
        )
    chosen = choose_device(device)
    torch.set_num_threads(thread_count())
    data = CrystalPropertyDataset.load(config.data, config.properties, drop_unlabelled_properties=config.all_properties)
    points = range_test(config, data, rates, device=chosen)
    suggestion = suggest_rate(points, rates)
    note(write_range_test(to, points, suggestion))
    if as_json:
        print_json({"lr": suggestion.lr, "steepest": suggestion.steepest, "limit": suggestion.limit})
        return
    limit = (
        "it did not diverge" if suggestion.limit is None else f"a tenth of where it diverges: {suggestion.limit:.2g}"
    )
    note(f"{len(points)} steps: the loss falls fastest at {suggestion.steepest:.2g}; {limit}")
    typer.echo(f"training: {{lr: {suggestion.lr:.2g}}}  # for --config; or --lr {suggestion.lr:.2g}")


lr_find = takes_request(_lr_find, hidden=("output", "backbone", "from_", "freeze", "new_heads"))
