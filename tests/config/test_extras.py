"""Packages that are not always installed, and the extras that bring them."""

import ast
import sys
import tomllib
from pathlib import Path

import pytest

from phase2.config.extras import APART, EXTRAS, missing_extra, refuse_missing
from phase2.errors import MissingExtraError

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

ALWAYS = {"yaml": "pyyaml", "prometheus_client": "prometheus-client"}
"""Packages of the dependencies that are imported by another name."""
WITH_OTHERS = {"botocore", "urllib3"}
"""Packages that dependencies bring."""
ASKED_FOR = {"IPython", "triton"}
"""Packages without which there is another way."""


def imported():
    """The packages that the code imports anywhere, but for the standard library and what is for tests alone."""
    found = set()
    for path in (ROOT / "src" / "phase2").rglob("*.py"):
        if "testing" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"phase2"}


def names(requirements):
    return {one.split(">")[0].split("=")[0] for one in requirements}


def test_every_package_is_there_or_has_an_extra():
    always = names(PROJECT["dependencies"])
    missing = {name for name in imported() if ALWAYS.get(name, name) not in always} - WITH_OTHERS - ASKED_FOR
    assert missing == set(EXTRAS) | set(APART)


def test_every_extra_is_one_of_the_project():
    assert set(EXTRAS.values()) <= set(PROJECT["optional-dependencies"])


def test_the_page_of_the_installation_has_every_extra_for_users():
    page = (ROOT / "docs" / "how-to" / "install.md").read_text(encoding="utf-8")
    for extra in set(PROJECT["optional-dependencies"]) - {"dev", "docs"}:
        assert f"`{extra}`" in page, extra


def test_a_package_of_another_project_is_no_extra():
    assert missing_extra(ModuleNotFoundError(name="markupsafe._speedups")).fix == "pip install 'phase2[report]'"
    assert missing_extra(ModuleNotFoundError(name="sqlalchemy")) is None


def test_a_package_that_is_installed_by_itself_is_named_with_the_command_and_pinned_to_that_version():
    for package, requirement in APART.items():
        error = missing_extra(ModuleNotFoundError(name=f"{package}.model"))
        assert error.fix == f"pip install --no-deps {requirement}"
        (pinned,) = (ROOT / "constraints" / f"{package}.in").read_text(encoding="utf-8").splitlines()
        assert pinned.partition(";")[0].strip() == requirement
        assert requirement in (ROOT / "constraints" / f"{package}.txt").read_text(encoding="utf-8")


def test_what_another_process_imports_is_asked_for_first(monkeypatch):
    refuse_missing("numpy", "gemmi")
    monkeypatch.setitem(EXTRAS, "no_such_package", "train")
    with pytest.raises(MissingExtraError, match=r"'no_such_package'.*extra 'train'"):
        refuse_missing("numpy", "no_such_package")
