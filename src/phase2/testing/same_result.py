"""Comparison of two runs bit for bit, such as an interrupted one with an uninterrupted one."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from phase2.models.files.modelfile import copy_tensors, load_model_file
from phase2.runs.layout import RunDirectory

TIMES = ("seconds", "structures_per_second", "data_wait")
"""Columns of a history that differ from run to run."""


def assert_same_result(run: RunDirectory, whole: RunDirectory) -> None:
    """Assert that weights, history and predictions of two runs are equal bit for bit.

    Raises:
        AssertionError: They differ.
    """
    one, other = (copy_tensors(load_model_file(each.best).model) for each in (run, whole))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert timeless(run.history) == timeless(whole.history)
    for name in ("predictions_val.csv", "predictions_test.csv"):
        assert (run.path / name).read_bytes() == (whole.path / name).read_bytes()


def timeless(history: Path) -> list[dict[str, object]]:
    """Read the rows of a history without its timings."""
    return [{k: v for k, v in row.items() if k not in TIMES} for row in json.loads(history.read_text())]
