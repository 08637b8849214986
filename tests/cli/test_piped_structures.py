"""Structures that other commands pipe into ``phase2 predict`` and ``phase2 embed``."""

import gzip
import io
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from phase2.cli import main
from phase2.data.crystals.readers import read_structure
from phase2.data.sources.base import LabelledCrystal
from phase2.data.writers.records import jarvis_line

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
SALT = EXAMPLES / "NaCl.cif"


def jarvis(path: Path) -> str:
    return jarvis_line(LabelledCrystal(read_structure(path, path.stem), np.empty(0)), ())


@pytest.fixture
def pipe(monkeypatch, tmp_path):
    """Put bytes into standard input."""

    def put(content: bytes) -> None:
        (tmp_path / "piped").write_bytes(content)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper((tmp_path / "piped").open("rb")))

    return put


def predicted(models, output, *words):
    assert main(["predict", "--models", str(models), "--output", str(output), *map(str, words)]) == 0
    return pd.read_csv(output)


def test_a_structure_is_the_same_from_standard_input(models, tmp_path, pipe):
    expected = predicted(models, tmp_path / "file.csv", "--cif", SALT)
    for content in (SALT.read_bytes(), gzip.compress(SALT.read_bytes())):
        pipe(content)
        found = predicted(models, tmp_path / "piped.csv", "--cif", "-")
        assert found["file"].tolist() == ["stdin"]
        pd.testing.assert_frame_equal(found.drop(columns="file"), expected.drop(columns="file"))


@pytest.mark.parametrize("join", ["\n".join, lambda rows: f"[{','.join(rows)}]"])
def test_many_structures_come_as_json(models, tmp_path, pipe, join):
    pipe(join([jarvis(path) for path in (SALT, EXAMPLES / "MgO.cif")]).encode())
    found = predicted(models, tmp_path / "piped.csv", "--cif", "-")
    assert found["file"].tolist() == ["stdin#NaCl", "stdin#MgO"]
    assert found["formula"].tolist() == ["ClNa", "MgO"]


def test_features_are_the_same_from_standard_input(models, tmp_path, pipe):
    features = []
    for name in (SALT, "-"):
        pipe(SALT.read_bytes())
        output = tmp_path / "features.npz"
        assert main(["embed", "--models", str(models), "--cif", str(name), "--output", str(output)]) == 0
        features.append(np.load(output)["features"])
    assert np.array_equal(*features)


def test_the_printed_csv_is_that_of_a_file(models, tmp_path, capsys):
    (tmp_path / "empty.cif").write_text("")
    shutil.copy(SALT, tmp_path)
    output = tmp_path / "predictions.csv"
    for name in (output, "-"):
        assert main(["predict", "--models", str(models), "--dir", str(tmp_path), "--output", str(name)]) == 3
    printed = capsys.readouterr()
    assert printed.out == output.read_bytes().decode().replace("\r\n", "\n")
    assert "not predicted: " in printed.err


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs a shell with <(command)")
def test_the_output_of_a_command_is_a_file(models, tmp_path):
    command = f"'{sys.executable}' -m phase2 predict --models '{models}' --cif <(cat '{SALT}') --output preds.csv"
    subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True, timeout=300)
    assert pd.read_csv(tmp_path / "preds.csv")["formula"].tolist() == ["ClNa"]


@pytest.mark.parametrize(
    ("content", "words", "says"),
    [
        (b"", [], "stdin is empty"),
        (b"no structure", [], "stdin: stdin has no known structure format"),
        (b"x" * 1000, ["--set", "data.limits.unpacked_bytes=999"], "unpacked_bytes"),
    ],
)
def test_what_is_no_structure_is_refused(models, pipe, capsys, content, words, says):
    pipe(content)
    assert main(["predict", "--models", str(models), "--cif", "-", *words]) == 3
    assert says in capsys.readouterr().err


def test_a_terminal_is_not_waited_for(models, monkeypatch, capsys):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    assert main(["predict", "--models", str(models), "--cif", "-"]) == 3
    assert "is a terminal or closed" in capsys.readouterr().err
