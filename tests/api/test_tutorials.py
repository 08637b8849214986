"""The tutorials run from the first cell to the last."""

import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

DOCS = Path(__file__).parents[2] / "docs"


def _kinds(outputs):
    return [sorted(output.get("data", {"text": 0})) for output in outputs]


@pytest.mark.slow
@pytest.mark.timeout(1800)  # a minute or two each where nothing else runs
@pytest.mark.parametrize("name", ["first-model", "screening"])
def test_a_tutorial_runs(name, tmp_path):
    (tmp_path / "tutorials").mkdir()
    shutil.copytree(DOCS / "examples", tmp_path / "examples")
    notebook = nbformat.read(DOCS / "tutorials" / f"{name}.ipynb", as_version=4)
    stored = [list(cell.get("outputs", [])) for cell in notebook.cells]
    resources = {"metadata": {"path": str(tmp_path / "tutorials")}}
    NotebookClient(notebook, timeout=None, kernel_name="python3", resources=resources).execute()
    for cell, before in zip(notebook.cells, stored, strict=True):
        outputs = cell.get("outputs", [])
        assert not any(output.output_type == "stream" and output.name == "stderr" for output in outputs), cell.source
        if before:
            assert _kinds(outputs) == _kinds(before), cell.source


@pytest.mark.parametrize("name", ["first-model", "screening"])
def test_a_tutorial_is_stored_with_small_outputs_and_no_path_of_a_machine(name):
    text = (DOCS / "tutorials" / f"{name}.ipynb").read_text()
    assert len(text) < 250_000
    assert not any(place in text for place in ("/tmp/", "/home/", "/root/", "/Users/", "Traceback"))
