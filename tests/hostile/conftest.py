"""A trained model, the good structures, and commands as processes of which time and memory are measured."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from phase2.cli import main

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"

MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open("used", "w") as file:
    file.write(f"{used.ru_maxrss} {used.ru_utime + used.ru_stime}")
sys.exit(code)
"""
"""Runs a command from a small process: what a process starts with counts the memory of the one that started it."""


@dataclass(frozen=True)
class Outcome:
    """How a command ended: its exit code and output, the largest memory of it and its children, their CPU time."""

    code: int
    out: str
    err: str
    peak_bytes: int
    seconds: float

    def check(self, code, *, peak_bytes=1_500_000_000, seconds=600):
        """Assert a deliberate end within bounds; what a busy machine takes longer by does not count."""
        assert "Traceback" not in self.err, self.err
        assert "Internal error" not in self.err, self.err
        assert self.code == code, self.err
        assert self.peak_bytes < peak_bytes
        assert self.seconds < seconds


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def model(tmp_path_factory, cache):
    """Model file of a short training."""
    folder = tmp_path_factory.mktemp("models")
    words = ["--algorithm", "cgcnn", "--level", "smoke", "--epochs", "1", "--max-samples", "60", "--no-baselines"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHASE2_CACHE_DIR", str(cache))
        assert main(["train", *words, "--output", str(folder)]) == 0
    (path,) = folder.glob("*/run_*/best.pt")
    return path


@pytest.fixture
def command(tmp_path):
    """Run phase2, or a program of the manual, as a process."""

    def run(*words, program=("-m", "phase2"), cache=None):
        streams = [tmp_path / "stdout", tmp_path / "stderr"]
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(sys.path), "PHASE2_CACHE_DIR": str(cache or tmp_path / "cache"),
        }  # fmt: skip
        measured = [sys.executable, *program, *map(str, words)]
        with streams[0].open("wb") as out, streams[1].open("wb") as err:
            process = subprocess.run(
                [sys.executable, "-S", "-c", MEASURE, *measured],
                stdout=out, stderr=err, env=environment, cwd=tmp_path, check=False,
            )  # fmt: skip
        peak, seconds = (tmp_path / "used").read_text().split()
        printed, said = (path.read_text(encoding="utf-8", errors="replace") for path in streams)
        return Outcome(process.returncode, printed, said, int(peak) * 1024, float(seconds))

    return run


@pytest.fixture
def examples():
    return sorted(EXAMPLES.glob("*.cif"))
