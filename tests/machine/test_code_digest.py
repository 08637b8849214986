"""The digest of the code: the same however it is written down or filed, another for whatever it computes."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import phase2
from phase2.machine import versions
from phase2.machine.code_digest import code_digest
from phase2.machine.versions import changed_versions, deciding_sources, deciding_versions

PACKAGE = Path(phase2.__file__).parent


@pytest.fixture
def package(tmp_path):
    """A copy of the sources that decide numbers."""
    for path in deciding_sources(PACKAGE):
        target = tmp_path / path.relative_to(PACKAGE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return tmp_path


def digest(package):
    return code_digest(deciding_sources(package))


def edit(path, old, new):
    text = path.read_text()
    assert text.count(old) >= 1, f"{path.name} has no {old!r}"
    path.write_text(text.replace(old, new, 1))


def test_a_copy_has_the_digest_of_the_original(package):
    assert digest(package) == digest(PACKAGE)


def reformat(path):
    """Write every module as another formatter would: other quotes, line lengths and parentheses, and no comments."""
    source = "import ast, sys; p = sys.argv[1]; t = open(p).read(); open(p, 'w').write(ast.unparse(ast.parse(t)))"
    subprocess.run([sys.executable, "-c", source, str(path)], check=True)


def change_docstrings(package):
    edit(package / "training/optimisation/average.py", '"""', '"""Something else. ')
    edit(package / "training/learner.py", '        """Copy everything', '        """Take everything')


def change_comments_and_space(package):
    path = package / "training/learner.py"
    path.write_text("# A comment.\n\n" + path.read_text().replace("\n\n\n", "\n\n\n\n# Another.\n\n"))


def change_layout(package):
    for name in ("training/learner.py", "data/splits/draw.py", "models/layers/radial.py"):
        reformat(package / name)


def move_a_module(package):
    (package / "training/optim").mkdir()
    (package / "training/optim/__init__.py").write_text('"""Optimisation."""\n')
    (package / "training/optimisation/average.py").rename(package / "training/optim/adam.py")
    edit(package / "training/learner.py", "phase2.training.optimisation.average", "phase2.training.optim.adam")


def move_a_function(package):
    source = package / "training/learner.py"
    text = source.read_text()
    begin = text.index("@torch.no_grad()\ndef predict(")
    source.write_text(text[:begin])
    header = "import torch\nfrom torch import Tensor\nfrom phase2.models.base import CrystalModel\n\n"
    (package / "training/predicting.py").write_text(header + text[begin:])


def change_what_only_a_type_checker_reads(package):
    edit(package / "training/learner.py", "\n\n\n", "\n\nif TYPE_CHECKING:\n    from os import path\n\n\n")
    edit(package / "training/learner.py", "from typing import Any", "from typing import TYPE_CHECKING, Any")


@pytest.mark.parametrize(
    "change",
    [
        change_docstrings,
        change_comments_and_space,
        change_layout,
        move_a_module,
        move_a_function,
        change_what_only_a_type_checker_reads,
    ],
)
def test_what_computes_the_same_has_the_same_digest(package, change):
    before = [path.read_bytes() for path in sorted(deciding_sources(package))]
    change(package)
    assert [path.read_bytes() for path in sorted(deciding_sources(package))] != before
    assert digest(package) == digest(PACKAGE)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("training/loader.py", "EVALUATION_BATCH = 64", "EVALUATION_BATCH = 65"),
        ("training/learner.py", "self.done += 1", "self.done -= 1"),
        ("training/learner.py", "max(0, self.done - 1)", "min(0, self.done - 1)"),
        ("training/loader.py", "skip: int = 0", "skip: int = 1"),
        ("training/learner.py", "@torch.no_grad()\n", ""),
        ("training/loader.py", "import numpy as np", "import torch as np"),
        ("properties.py", '"""', '"""Properties."""\n\n\ndef added(x):\n    return x\n\n\n"""'),
        ("models/base.py", '"""', 'from phase2.data.batching import Batch as View\n\n"""'),
    ],
    ids=["constant", "operator", "function", "default", "decorator", "package", "new function", "other name"],
)
def test_what_computes_something_else_has_another_digest(package, name, old, new):
    edit(package / name, old, new)
    assert digest(package) != digest(PACKAGE)


def test_of_two_definitions_of_one_name_both_count(tmp_path):
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text("def f(x):\n    return x\n")
    same = code_digest(tmp_path.glob("*.py"))
    (tmp_path / "b.py").write_text("def f(x):\n    return x + 1\n")
    one = code_digest(tmp_path.glob("*.py"))
    (tmp_path / "a.py").write_text("def f(x):\n    return x + 2\n")
    assert len({same, one, code_digest(tmp_path.glob("*.py"))}) == 3


def test_a_release_that_computes_the_same_is_no_change(monkeypatch):
    before = deciding_versions()
    monkeypatch.setattr(phase2, "__version__", "99.0.0")
    after = deciding_versions()
    assert before["phase2"] != after["phase2"]
    assert changed_versions(before, after) == ""


def test_other_code_is_a_change():
    now = deciding_versions()
    other = now | {"phase2": "0.1.0 (sources v2 0123456789ab)"}
    assert changed_versions(other, now) == f"phase2: 0.1.0 (sources v2 0123456789ab) -> {now['phase2']}"


def test_a_digest_of_bytes_is_other_code_and_says_why():
    now = deciding_versions()
    changed = changed_versions(now | {"phase2": "0.1.0 (sources 0123456789ab)"}, now)
    assert changed.startswith("phase2: 0.1.0 (sources 0123456789ab) -> ")
    assert "digest is of the files' bytes and cannot be compared" in changed


def test_every_module_is_read_once_in_a_process(monkeypatch):
    read = []

    def watched(paths):
        read.extend(paths)
        return code_digest(paths)

    monkeypatch.setattr(versions, "code_digest", watched)
    versions._sources.cache_clear()
    assert deciding_versions() == deciding_versions()
    assert sorted(read) == sorted(deciding_sources(PACKAGE))
