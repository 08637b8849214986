"""Whether two runs ended in the same numbers, bit for bit: what was interrupted against what nobody disturbed."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from phase2.models.files.modelfile import copy_tensors, load_model_file
from phase2.runs.layout import RunDirectory

TIMES = ("seconds", "structures_per_second", "data_wait")
"""What differs from run to run in a history."""


def assert_same_result(run: RunDirectory, whole: RunDirectory) -> None:
    """Weights, history and predictions are equal bit for bit.

    Raises:
        AssertionError: They are not.
    """
    one, other = (copy_tensors(load_model_file(each.best).model) for each in (run, whole))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert timeless(run.history) == timeless(whole.history)
    for name in ("predictions_val.csv", "predictions_test.csv"):
        assert (run.path / name).read_bytes() == (whole.path / name).read_bytes()


def timeless(history: Path) -> list[dict[str, object]]:
    """The rows of a history without its times."""
    return [{k: v for k, v in row.items() if k not in TIMES} for row in json.loads(history.read_text())]
