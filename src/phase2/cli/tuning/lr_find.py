"""``phase2 lr-find``: suggest a learning rate by a range test; it leaves no run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phase2.cli.console import echo, note
from phase2.cli.options import DeviceOption
from phase2.cli.request_options import takes_request
from phase2.cli.store import JsonOption, print_json
from phase2.config.request.run_request import RunRequest

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

    From the run's initial weights, also where these are of a trained model, with its batches, on its training part. No
    run is left.
    """
    import torch

    from phase2.config.resolve import resolve
    from phase2.data.dataset import CrystalPropertyDataset
    from phase2.data.store.store import worker_count
    from phase2.machine.hardware import thread_count
    from phase2.models.device import choose_device
    from phase2.runs.ancestry.record import lineage_of
    from phase2.training.fine_tuning.start import StartingPoint, inherit_normalisation
    from phase2.training.run.features import with_features
    from phase2.tuning.learning_rate.files import write_range_test
    from phase2.tuning.learning_rate.range_test import exponential_rates, range_test, suggest_rate

    config, rates = resolve(request).config, exponential_rates(lowest, highest, steps)
    chosen = choose_device(device)
    torch.set_num_threads(thread_count())
    lineage = lineage_of(config)
    data = CrystalPropertyDataset.load(config.data, config.properties, drop_unlabelled_properties=config.all_properties)
    data = inherit_normalisation(with_features(data, config, workers=worker_count(None)), lineage)
    start = StartingPoint.of(config, lineage, with_weights=True)
    points = range_test(config, data, rates, device=chosen, start=start)
    suggestion = suggest_rate(points, rates)
    note(write_range_test(to, points, suggestion))
    if as_json:
        print_json({"lr": suggestion.lr, "lowest": suggestion.lowest, "limit": suggestion.limit})
        return
    limit = (
        "it did not diverge" if suggestion.limit is None else f"a tenth of where it diverges: {suggestion.limit:.2g}"
    )
    note(f"{len(points)} steps: the loss is lowest at {suggestion.lowest:.2g}; {limit}")
    echo(f"training: {{lr: {suggestion.lr:.2g}}}  # for --config; or --lr {suggestion.lr:.2g}")


lr_find = takes_request(_lr_find, hidden=("output",))
