"""The examples in the docstrings of public names run as they stand."""

import doctest
import importlib

import pytest

import phase2
from phase2.training.callbacks.base import Callback


@pytest.mark.parametrize("name", ["train", "load_model", "load_dataset", "load_run", "list_runs", "compare", "Model"])
def test_examples_run(name, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    quiet = {"phase2": phase2, "folder": tmp_path / "models", "model": phase2.load_model(run), "Callback": Callback}
    found = [test for test in doctest.DocTestFinder().find(getattr(phase2, name), name) if test.examples]
    assert found
    for test in found:
        test.globs = dict(quiet)
        outcome = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test)
        assert outcome.failed == 0
        assert outcome.attempted > 0


@pytest.mark.parametrize(
    "module", ["phase2", "phase2.api.request", "phase2.models.device", "phase2.training.callbacks.base"]
)
def test_examples_of_modules_run(module):
    outcome = doctest.testmod(importlib.import_module(module))
    assert outcome.failed == 0
    assert outcome.attempted > 0
