"""Completion by the shell, asked as the shells ask."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from phase2.cli import main
from phase2.cli.completion import SHELLS, VARIABLE
from phase2.config.levels import LEVELS

PROGRAM = Path(sys.executable).with_name("phase2")


def completed(line: str, **variables: str) -> list[str]:
    """Complete the last word of a line as the script of bash does."""
    words = line.split(" ")
    asked = {VARIABLE: "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    done = subprocess.run(
        [PROGRAM], env=os.environ | asked | variables, capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("phase2 tra", ["train", "transfer"]),
        ("phase2 runs pru", ["prune"]),
        ("phase2 train --all-p", ["--all-properties"]),
        ("phase2 train --level ", list(LEVELS)),
        ("phase2 submit --algorithm cg", ["cgcnn"]),
        ("phase2 train --properties band_gap,bulk", ["band_gap,bulk_modulus"]),
        ("phase2 explain --set training.l", ["training.label_exponent=", "training.loss=", "training.lr="]),
        ("phase2 predict --cif ", []),
    ],
)
def test_words_are_completed(line, answer):
    assert completed(line) == answer


def test_runs_are_completed_the_newest_first(tmp_path):
    for name in ("family/run_20261101T000000Z_a", "other/run_20261102T000000Z_b", "other/notes"):
        (tmp_path / name).mkdir(parents=True)
    store = {"PHASE2_STORE": str(tmp_path)}
    newest, oldest = "run_20261102T000000Z_b", "run_20261101T000000Z_a"
    assert completed("phase2 runs show ", **store) == ["latest", "best", newest, oldest]
    assert completed("phase2 runs compare latest run_20261101", **store) == [oldest]
    assert completed("phase2 predict --model run_20261102", **store) == [newest]
    assert completed("phase2 train --resume run_", **store) == [newest, oldest]
    assert completed("phase2 report run_", PHASE2_STORE="s3://bucket/prefix") == []


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_by_the_printed_script():
    script = (
        "source <(phase2 completion bash); COMP_WORDS=(phase2 train --lev); COMP_CWORD=2; "
        "_phase2_completion phase2; printf '%s\\n' \"${COMPREPLY[@]}\"; complete -p phase2"
    )
    path = {"PATH": f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", script], env=os.environ | path, capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split("\n")[0] == "--level"
    assert "-F _phase2_completion phase2" in done.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_has_a_script(shell, capsys):
    assert main(["completion", shell]) == 0
    assert f"{VARIABLE}=complete_{shell}" in capsys.readouterr().out


def test_an_unknown_shell_is_answered_with_the_nearest(capsys):
    assert main(["completion", "zhs"]) == 2
    assert "Did you mean 'zsh'?" in capsys.readouterr().err
