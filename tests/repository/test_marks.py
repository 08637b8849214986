"""Tests of the cluster carry the mark by which `make test`, which builds no cluster, leaves them out."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
MODULES = sorted((TESTS / "on_cluster").rglob("test_*.py"))


def marks_of(path):
    """Return the marks that a module gives to all of its tests."""
    given = [
        node.value
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
    ]
    return {node.attr for value in given for node in ast.walk(value) if isinstance(node, ast.Attribute)}


@pytest.mark.parametrize("path", MODULES, ids=[str(path.relative_to(TESTS)) for path in MODULES])
def test_every_module_of_the_cluster_has_its_mark(path):
    assert "cluster" in marks_of(path)
