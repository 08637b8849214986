"""``phase2 embed`` from structures to files and exit codes."""

from pathlib import Path

import numpy as np
import pytest

from phase2.cli import main

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def test_a_folder_is_embedded_and_what_cannot_be_read_is_named(models, tmp_path, capsys):
    folder = tmp_path / "structures"
    folder.mkdir()
    for path in sorted(EXAMPLES.glob("*.cif"))[:2]:
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "empty.cif").write_text("")
    output = tmp_path / "x.npz"
    assert main(["embed", "--models", str(models), "--dir", str(folder), "--output", str(output)]) == 3
    said = capsys.readouterr().err
    assert "empty.cif" in said
    assert "1 of 3 structures could not be embedded" in said
    with np.load(output) as content:
        assert len(content["ids"]) == len(content["features"]) == 2


def test_padded_batches_have_the_features_of_the_batches(models, tmp_path):
    features = []
    for words in ([], ["--padding-buckets", "2", "--batch-size", "2", "--workers", "2"]):
        output = tmp_path / "x.npz"
        assert main(["embed", "--models", str(models), "--dir", str(EXAMPLES), "--output", str(output), *words]) == 0
        with np.load(output) as content:
            features.append(content["features"])
    assert np.abs(features[1] - features[0]).max() <= 1e-6 * np.abs(features[0]).max()


POLONIUM = """polonium
1.0
3.35 0 0
0 3.35 0
0 0 3.35
Po
1
Direct
0 0 0
"""


def test_a_crystal_that_a_potential_gives_no_features_is_named_with_the_reason(tmp_path, capsys):
    folder, output = tmp_path / "structures", tmp_path / "x.npz"
    folder.mkdir()
    (folder / "Po.vasp").write_text(POLONIUM)
    (folder / "NaCl.cif").write_bytes((EXAMPLES / "NaCl.cif").read_bytes())
    words = ["embed", "--backbone", "sevennet-0", "--dir", str(folder), "--output", str(output)]
    assert main(words) == 3
    said = capsys.readouterr().err
    assert "Po.vasp" in said
    assert "SevenNet-0 (11Jul2024) gives it no features: it does not know Po." in said
    with np.load(output) as content:
        assert content["features"].shape == (1, 2048)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "--cif FILE, --dir FOLDER and --data NAME"),
        (["--cif", "x.cif", "--data", "sample"], "--cif FILE, --dir FOLDER and --data NAME"),
        (["--cif", "x.cif", "--backbone", "sevenet-0"], "Did you mean 'sevennet-0'"),
        (["--cif", "x.cif", "--backbone", "sevennet-0", "--run", "best"], "--model, --run and --backbone"),
    ],
)
def test_requests_that_make_no_sense_are_refused(words, says, tmp_path, capsys):
    assert main(["embed", *words, "--output", str(tmp_path / "x.npz")]) == 2
    assert says in capsys.readouterr().err


def test_an_unknown_format_is_refused_before_any_work(tmp_path, capsys):
    assert main(["embed", "--data", "sample", "--output", str(tmp_path / "x.csv")]) == 2
    assert ".parquet, .npz" in capsys.readouterr().err
