"""The pages that lead through the code name every package, in the order of the layers, and no module that is gone."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "phase2"
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `(\w+)/` \| (.*) \|$", CONTRIBUTING, flags=re.MULTILINE))


def packages(folder):
    return {path.parent.name for path in folder.glob("*/__init__.py")}


def test_the_table_of_folders_has_every_package_and_what_is_in_it():
    assert set(ROWS) == packages(PACKAGE)
    for name, row in ROWS.items():
        named = set(re.findall(r"`(\w+)/`", row))
        assert packages(PACKAGE / name) <= named, name
        assert all((PACKAGE / name / each).is_dir() for each in named), name


def test_the_table_of_folders_is_in_the_order_of_the_layers():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = [re.findall(r"\w+", layer) for layer in contracts[0]["layers"]]
    level = {name: number for number, layer in enumerate(layers) for name in layer}
    levels = [level[name] for name in ROWS if name != "testing"]
    assert levels == sorted(levels)


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "CONTRIBUTING.md", "docs/conventions.md"])
def test_modules_that_a_page_names_exist(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    named = {each for each in re.findall(r"`((?:\w+/)+(?:\w+\.py)?)`", text) if "NAME" not in each}
    bases = [ROOT, PACKAGE, *(PACKAGE / name for name in ROWS)]
    assert named
    assert sorted(each for each in named if not any((base / each).exists() for base in bases)) == []
