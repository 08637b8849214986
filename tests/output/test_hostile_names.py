"""Hostile text in whatever comes from outside, and what commands make of it on the console, in files and on pages."""

import contextlib
import csv
import io
import json
import logging
import re
import unicodedata

import numpy as np
import pytest
import torch

from phase2.cli.app import app
from phase2.cli.process.boundary import run
from phase2.data.targets import TargetScaler
from phase2.models.build import build_model
from phase2.models.files.modelfile import TrainedModel, save_model_file
from phase2.runs.records.manifest import DataFacts, read_manifest
from phase2.runs.report.handoff import handoff
from phase2.runs.report.model_card import model_card
from phase2.storage.disk.atomic import via_temporary, write_text
from phase2.storage.disk.lock import try_lock
from phase2.storage.records import write_record
from phase2.testing.crystals import rock_salt
from phase2.testing.finished_run import finished_run
from phase2.testing.tiny_training import PROPERTIES, TINY, tiny_config

HOSTILE = [
    "\x1b]0;pwned\x07=cmd|'/C calc'!A0\u202e|<img src=x>",
    "\r\nerror: forged\x9b2J",
    "![x](http://host/p) <script>alert(1)</script> ```\n# head",
    "https://me:hunter2hunter2@host/a?X-Amz-Signature=hunter2hunter2",
    "x" * 100_000,
]


def command(*words):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(app, list(words))
    return code, out.getvalue(), err.getvalue()


def assert_shown(*texts):
    for text in texts:
        for hidden in text.replace("\n", ""):
            assert unicodedata.category(hidden) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}, ascii(text[:300])
        assert not re.search("^error: forged", text, re.MULTILINE)
        assert max(map(len, text.split("\n"))) < 20_000


@pytest.fixture(params=range(len(HOSTILE)))
def hostile(request):
    return HOSTILE[request.param]


@pytest.fixture
def stored(tmp_path, hostile):
    """A finished run whose manifest holds the text wherever text is free."""
    made = finished_run(tmp_path / "output", {})
    found = read_manifest(made.manifest)
    (attempt,) = found.attempts
    facts = DataFacts(
        source=hostile, fingerprint=hostile, split_fingerprint=hostile, read=3, rejected=0, unlabelled=0, used=3,
        train=1, val=1, test=1, labels={"train": {hostile: 1}},
    )  # fmt: skip
    config = found.config.model_copy(update={"data": found.config.data.model_copy(update={"source": hostile[:4000]})})
    changed = found.model_copy(
        update={
            "config": config,
            "config_digest": hostile,
            "command": ("phase2", hostile),
            "data": facts,
            "code": found.code.model_copy(update={"commit": hostile, "packages": {hostile: hostile}}),
            "hardware": found.hardware.model_copy(update={"cpu": hostile}),
            "place": found.place.model_copy(update={"host": hostile, "pod": hostile}),
            "attempts": (attempt.model_copy(update={"reason": hostile, "host": hostile}),),
        }
    )
    write_record(made.manifest, changed)
    return made


def test_a_manifest_on_the_console(stored, hostile):
    store = ["--store", str(stored.path.parent.parent)]
    for words in (["show", stored.run_id], ["list"], ["compare", stored.run_id, stored.run_id]):
        code, out, err = command("runs", *words, *store)
        assert code in {0, 2}, err
        assert_shown(out, err)
        assert "hunter2" not in out + err
    _, out, _ = command("runs", "show", stored.run_id, "--json", *store)
    assert_shown(out.replace(hostile, ""))
    assert json.loads(out)["place"]["host"] == hostile


def test_a_manifest_on_the_pages(stored, hostile):
    for page in (handoff(read_manifest(stored.manifest), hostile), model_card(read_manifest(stored.manifest))):
        assert_shown(page)
        prose = re.sub(r"^```.*?^```$", "", page, flags=re.DOTALL | re.MULTILINE)
        prose = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", prose)
        assert not re.search(r"(?<!\\)<(img|script)|!\[x\]\(|^# head", prose, re.MULTILINE)
        assert page.count("\n# ") == 0


@pytest.mark.parametrize(
    "words",
    [
        ["runs", "show", "{}"],
        ["train", "--data", "{}", "--output", "nowhere"],
        ["train", "--from", "{}"],
        ["train", "--algorithm", "{}"],
        ["train", "--set", "training.loss={}"],
        ["predict", "--model", "{}", "--cif", "{}"],
        ["runs", "list", "--store", "{}"],
        ["{}"],
        ["pull", "{}", "--to", "{}"],
    ],
)
def test_arguments_in_messages(words, hostile, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PHASE2_TERMINATION_LOG", str(tmp_path / "log"))
    code, out, err = command(*(word.format(hostile) for word in words))
    assert code in {0, 2, 3, 4}, err
    assert_shown(out, err)
    assert "hunter2" not in out + err


def test_names_of_files_in_predictions(tmp_path, monkeypatch):
    names = [text.replace("/", "")[:80] for text in HOSTILE]
    folder = tmp_path / "structures"
    folder.mkdir()
    salt = rock_salt()
    poscar = "\n".join(
        ["x", "1.0", *(" ".join(map(str, row)) for row in salt.lattice), "Na Cl", "4 4", "Direct"]
        + [" ".join(map(str, row)) for row in salt.frac]
    )
    (folder / f"{names[0]}.vasp").write_text(poscar)
    for name in names:
        (folder / f"={name}.cif").write_text("nothing")
    labels = np.random.default_rng(0).uniform(0, 9, (30, 3))
    torch.manual_seed(0)
    trained = TrainedModel(
        build_model(TINY, 3, 12.0, 5.0).eval(), tiny_config(), PROPERTIES, TargetScaler.fit(labels, PROPERTIES), (11,),
        12.0, "run_1", 1, 0.5,
    )  # fmt: skip
    save_model_file(tmp_path / "best.pt", trained)
    monkeypatch.chdir(folder)
    written = tmp_path / "out.csv"
    code, out, err = command("predict", "--model", str(tmp_path / "best.pt"), "--dir", ".", "--output", str(written))
    assert code == 3, err
    assert_shown(out, err, written.read_text().replace("\r\n", "\n"))
    rows = list(csv.reader(io.StringIO(written.read_text())))
    assert len(rows) == 2 + len(names)
    assert not any(re.match(r"\s*[=+@-]", cell) for row in rows[1:] for cell in (row[0], row[-1]))


def test_what_other_modules_log(hostile, capfd):
    command("--version")
    assert logging.lastResort is not None
    text = logging.lastResort.format(logging.LogRecord("x", logging.WARNING, "x", 1, "%s", (hostile,), None))
    assert_shown(text)
    assert "hunter2" not in text


def test_temporary_files_are_not_written_through_planted_links(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("kept")
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in (".1.csv", f".{1}.csv", ".out.csv.tmp", "out.csv", ".lock"):
        with contextlib.suppress(FileExistsError):
            (folder / name).symlink_to(victim)
    write_text(folder / "out.csv", "new")
    via_temporary(folder / "other.csv", lambda path: write_text(path, "new"))
    with pytest.raises(OSError, match="symbolic"), try_lock(folder / ".lock"):
        pass
    assert victim.read_text() == "kept"
    assert [p.name for p in folder.iterdir() if p.name.endswith(".tmp.csv")] == []
