"""The process boundary: messages, exit codes, and what a start-up imports."""

import errno
import json
import shlex
import subprocess
import sys

import pytest
import typer

from phase2.cli import main
from phase2.cli.process.boundary import run
from phase2.errors import DataError, PreemptedError, TransientError

REFUSED = [
    (["train", "--algorithm", "e3nn", "--preset", "small"], "--preset small does not go with"),
    (["train", "--level", "pro", "--competition"], "exclude each other"),
    (["train", "--level", "lite", "--epochs", "3"], "fixed at 2 epochs"),
    (["train", "--level", "profi"], "Did you mean 'pro'?"),
    (["train", "--properties", "bandgap"], "Did you mean 'band_gap'?"),
    (["train", "--epochs", "-1"], "--epochs -1 is not a positive number"),
    (["train", "--epochs", "many"], "--epochs"),
    (["train", "--epoch", "3"], "--epoch"),
    (["train", "--data", ""], "--data is empty"),
    (["train", "--data", "\udce9"], "--data \\udce9 is not UTF-8"),
    (["train", "--output", "\udce9"], "--output \\udce9 is not UTF-8"),
    (["train", "--split", "file:\udce9"], "--split file:\\udce9 is not UTF-8"),
    (["train", "pro"], "Write --resume pro to continue that run"),
    (["train", "--resume", "nonsense", "--output", "no-such-folder"], "There is no run 'nonsense'"),
    (["train", "--accept-change", "kode"], "Did you mean 'code'?"),
    (["train", "--checkpoint-minutes", "0"], "--checkpoint-minutes 0.0 is not a positive number"),
    (["train", "--store", "ftp://x"], "'ftp://...' is not the address of a store"),
    (["explain", "--algorithm", "cgcn"], "Did you mean 'cgcnn'?"),
    (["predict"], "Give one of --cif FILE, --dir FOLDER and --data NAME"),
    (["predict", "--cif", "x.cif", "--output", "x.xlsx"], "no known format"),
    (["nonsense"], "nonsense"),
    (["--level", "pro"], "It is an option of 'phase2 train', "),
    (["runs", "--best"], "It is an option of 'phase2 tune', 'phase2 tune show'."),
    (["predict", "--modle", "x"], "'phase2 predict --help' shows what the command takes"),
]


@pytest.mark.parametrize(
    ("argv", "says"), REFUSED, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_a_bad_request_exits_with_2_and_says_why(argv, says, capsys):
    assert main(argv) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: ")
    assert says in printed.err
    assert "Traceback" not in printed.err


def _raising(error: BaseException) -> typer.Typer:
    app = typer.Typer()

    @app.command()
    def command() -> None:
        raise error

    return app


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DataError("D."), 3),
        (TransientError("T."), 75),
        (PreemptedError("P."), 143),
        (OSError(errno.ENOSPC, "No space left on device", "/x"), 75),
        (OSError(errno.ENAMETOOLONG, "File name too long", "/x"), 2),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), 2),
        (RuntimeError("boom"), 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_every_error_has_its_exit_code_and_no_traceback(error, code, capsys):
    assert run(_raising(error), []) == code
    printed = capsys.readouterr().err
    assert printed
    assert "Traceback" not in printed


def test_debug_shows_the_traceback(capsys, monkeypatch):
    monkeypatch.setenv("PHASE2_DEBUG", "1")
    assert run(_raising(DataError("D.")), []) == 3
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("command", [[], ["train"], ["runs", "list"]])
def test_help_is_long_or_short(command, capsys):
    printed = []
    for option in ("-h", "--help"):
        assert main([*command, option]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    assert "-h, --help" in printed[0]


HEAVY = ("torch", "e3nn", "pymatgen", "numpy", "pydantic", "rich", "matplotlib", "scipy", "boto3")
HELP_AND_COUNT_HEAVY = f"""
import sys
from phase2.cli import main
main(["--help"])
sys.exit(",".join(m for m in {HEAVY} if m in sys.modules) or 0)
"""


def test_help_imports_nothing_heavy():
    done = subprocess.run([sys.executable, "-c", HELP_AND_COUNT_HEAVY], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "train" in done.stdout


def test_explain_prints_every_value_with_its_origin(capsys):
    assert main(["explain", "--algorithm", "cgcnn", "--level", "max", "--epochs", "3", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["config"]["training"]["epochs"] == 3
    assert shown["origins"]["training.epochs"] == "--epochs"
    assert shown["origins"]["training.lr"] == "level cgcnn max"


def test_dry_run_names_the_backend_and_the_folder(capsys, tmp_path):
    assert main(["train", "--algorithm", "e3nn", "--level", "pro", "--dry-run", "--output", str(tmp_path / "m")]) == 0
    printed = capsys.readouterr().out
    assert "scripts/phase2_multitask/train_multitask_pro.py --level pro" in printed
    assert "multitask_pro_e3nn/run_*" in printed
    assert not (tmp_path / "m").exists()


def test_no_arguments_print_the_help(capsys):
    assert main([]) == 0
    assert "Usage" in capsys.readouterr().out


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("phase2 ")


@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "0<&-"])
def test_a_process_without_standard_streams_still_works(closed):
    command = f"{shlex.quote(sys.executable)} -m phase2 explain {closed}"
    assert subprocess.run(["bash", "-c", command], capture_output=True, check=False).returncode == 0


def test_the_termination_log_gets_the_error_in_one_line(tmp_path, monkeypatch, capsys):
    log = tmp_path / "termination-log"
    monkeypatch.setenv("PHASE2_TERMINATION_LOG", str(log))
    assert run(_raising(DataError("It is\nbad.", why="So it is.", fix="Mend it.")), []) == 3
    assert log.read_text() == "It is bad. So it is. Mend it.\n"
    assert run(_raising(DataError("É" * 5000)), []) == 3
    assert len(log.read_bytes()) < 4096


def test_a_termination_log_that_cannot_be_written_changes_no_exit_code(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PHASE2_TERMINATION_LOG", str(tmp_path))
    assert run(_raising(TransientError("T.")), []) == 75
    assert "error: T." in capsys.readouterr().err


def test_a_current_folder_that_is_gone_is_named(tmp_path):
    """Where torch would abort the process as it is imported."""
    code = "import os, sys; os.rmdir(os.getcwd()); from phase2.cli import main; sys.exit(main(sys.argv[1:]))"
    words = [sys.executable, "-c", code, "train", "--algorithm", "cgcnn", "--level", "smoke"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: The current folder is gone.")
