"""Wall time of whole commands, start-up included: the help page and the two quickest trainings.

Each command runs several times; the median is printed. The baseline of the help page is the interpreter itself, that of
a training is the same one in a process that Python takes apart at its end (decision 020).
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TRAININGS = {
    "e3nn lite": ["train", "--algorithm", "e3nn", "--level", "lite"],
    "cgcnn smoke": ["train", "--algorithm", "cgcnn", "--level", "smoke"],
}
TAKEN_APART = "import sys; from phase2.cli import main; sys.exit(main())"


def main() -> None:
    """Print one line per command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    python = _median([sys.executable, "-c", "pass"], repeats * 3)
    help_page = _median([sys.executable, "-m", "phase2", "--help"], repeats * 3)
    print(f"phase2 --help: {help_page:.2f} s ({help_page / python:.1f} x the bare interpreter, {python:.2f} s)")
    with tempfile.TemporaryDirectory() as folder:
        for name, words in TRAININGS.items():
            asked = [*words, "--output", str(Path(folder) / name)]
            _seconds([sys.executable, "-m", "phase2", *asked])  # builds the graphs, should they not be there
            baseline = _median([sys.executable, "-c", TAKEN_APART, *asked], repeats)
            seconds = _median([sys.executable, "-m", "phase2", *asked], repeats)
            print(f"{name}: {seconds:.1f} s ({seconds / baseline:.2f} x when taken apart at the end, {baseline:.1f} s)")


def _median(command: list[str], repeats: int) -> float:
    return statistics.median(_seconds(command) for _ in range(repeats))


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
