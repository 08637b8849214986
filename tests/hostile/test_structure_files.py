"""A hostile structure file costs its own row, whichever command reads it; what is good is read as if it were alone."""

import csv
import random
import shutil

import pytest

from phase2.cli import main
from phase2.config.limits import ReadingLimits
from phase2.data.crystals.readers import read_structure
from phase2.errors import DataError
from phase2.prediction.predicting import predict_structures
from phase2.prediction.predictor import Predictor
from phase2.prediction.reading.graph_reader import GraphReader

from .files import CROWD, HARMLESS, TEXTS, cif, json_record, mutated, poscar, write_oddities

pytestmark = pytest.mark.timeout(1_200)  # other processes, on a machine that may be busy

SHORT = ("--set", "data.limits.seconds=2", "--set", "data.limits.memory_bytes=800000000")
"""Limits that the slowest of the files reach soon."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of hostile files, with the names of those that count."""
    folder = tmp_path_factory.mktemp("hostile")
    names = write_oddities(folder)
    for name, make in TEXTS.items():
        (folder / name).write_text(make(), encoding="utf-8")
    yield folder, names | set(TEXTS)
    shutil.rmtree(folder)


@pytest.fixture
def mixed(folder, examples, tmp_path):
    """The same folder beside good structures, with names that stand between and around the others."""
    path, names = folder
    for k, example in enumerate(examples):
        shutil.copy(example, path / f"{'amtz'[k]}-good-{example.name}")
    return path, names


def rows_of(table):
    with table.open(newline="", encoding="utf-8") as file:
        return {row["file"].rpartition("/")[2]: row for row in csv.DictReader(file)}


def is_good(name):
    return "-good-" in name


def test_a_folder_is_predicted_but_for_its_hostile_files(mixed, model, examples, command, tmp_path):
    folder, names = mixed
    alone = tmp_path / "alone"
    alone.mkdir()
    for example in examples:
        shutil.copy(example, alone)
    command("predict", "--dir", alone, "--model", model, "--output", tmp_path / "alone.csv").check(0)
    ended = command("predict", "--dir", folder, "--model", model, "--output", tmp_path / "table.csv", *SHORT)
    ended.check(3)
    rows, expected = rows_of(tmp_path / "table.csv"), rows_of(tmp_path / "alone.csv")
    rows = {name.replace("\\u000a", "\n"): row for name, row in rows.items()}
    assert {name for name in rows if not is_good(name)} == names
    for name, row in rows.items():
        if is_good(name):
            wanted = expected[name.rpartition("-good-")[2]]
            assert (row["formula"], row["error"]) == (wanted["formula"], "")
            for heading in (column for column in row if "[" in column):
                assert float(row[heading]) == pytest.approx(float(wanted[heading]), rel=1e-4, abs=1e-4)
        elif name not in HARMLESS:
            assert row["error"], name
            assert len(row["error"]) < 1_000
    assert "data.limits.seconds" in rows["many-images.cif"]["error"]
    assert "data.limits.atoms" in rows["claims.vasp"]["error"]
    assert "data.limits.number_length" in rows["long-number.json"]["error"]
    assert "data.limits.file_bytes" in rows["sparse.cif"]["error"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pipe.cif", "no regular file"),
        ("device.cif", "no regular file"),
        ("folder.cif", "names a folder"),
        ("loop.cif", "cannot be read"),
        ("dangling.cif", "cannot be read"),
        ("sparse.cif", "3,000,000,000 bytes"),
        ("claims.vasp", "10,000,000,001 atoms"),
        ("many-images.cif", "data.limits.seconds"),
        ("long-number.json", "5,000 characters"),
    ],
)
def test_one_hostile_file_is_an_error_of_data(folder, model, capsys, name, said):
    assert main(["predict", "--cif", str(folder[0] / name), "--model", str(model), *SHORT]) == 3
    assert said in capsys.readouterr().err


def test_a_limit_is_raised_by_its_setting(model, tmp_path, capsys):
    path = tmp_path / "POSCAR"
    path.write_text(poscar())
    words = ["predict", "--cif", str(path), "--model", str(model), "--set"]
    assert main([*words, "data.limits.atoms=1"]) == 3
    assert "the limit data.limits.atoms is 1" in capsys.readouterr().err
    assert main([*words, "data.limits.atoms=2"]) == 0
    assert main([*words, "data.limits.atom=2"]) == 2
    assert "data.limits.atoms" in capsys.readouterr().err
    assert main([*words, "training.lr=1"]) == 2


def test_any_damage_costs_the_damaged_file(model, examples, command, tmp_path):
    rng = random.Random(16)
    folder = tmp_path / "damaged"
    folder.mkdir()
    texts = [(path.read_text(), ".cif") for path in examples]
    texts += [(poscar(), ".vasp"), (json_record(), ".json"), (cif(), ".cif")]
    for k in range(240):
        text, suffix = texts[k % len(texts)]
        content = mutated(text, rng)
        (folder / f"{k:03}{suffix}").write_text(content, encoding="utf-8", errors="surrogatepass")
    for example in examples:
        shutil.copy(example, folder / f"good-{example.name}")
    ended = command("predict", "--dir", folder, "--model", model, "--output", tmp_path / "table.csv", *SHORT)
    ended.check(3)
    rows = rows_of(tmp_path / "table.csv")
    assert len(rows) == 244
    assert all(not rows[f"good-{example.name}"]["error"] for example in examples)
    failures = sum(bool(row["error"]) for row in rows.values())
    print(f"{failures} of 240 damaged files were rejected, {240 - failures} read")  # noqa: T201 - the counts
    assert failures > 100


@pytest.mark.parametrize("name", sorted(set(TEXTS) - HARMLESS - {"many-images.cif"}))
def test_the_limits_before_the_parsers_hold_in_this_process_too(tmp_path, name):
    path = tmp_path / name
    path.write_text(TEXTS[name]())
    # Those that are refused when their neighbours are searched.
    if name.startswith(("crowd", "cluster")):
        assert read_structure(path).n_atoms == 4_500
        return
    with pytest.raises(DataError) as caught:
        read_structure(path)
    assert len(str(caught.value)) < 1_000 + len(str(path))


def test_a_file_that_takes_long_does_not_delay_the_order(examples, tmp_path, model):
    slow = tmp_path / "slow.cif"
    slow.write_text(CROWD)
    with GraphReader(ReadingLimits(seconds=1)) as reader:
        files = [examples[0], slow, examples[1], slow, examples[2]]
        table = predict_structures(Predictor.load(model), files, batch_size=2, reader=reader)
    assert [row.file for row in table.rows] == [str(path) for path in files]
    assert [bool(row.error) for row in table.rows] == [False, True, False, True, False]
    assert all("data.limits.seconds" in table.rows[k].error for k in (1, 3))
