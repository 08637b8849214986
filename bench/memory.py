"""Peak memory of real runs on a CPU, compared with the estimate of `phase2.machine.memory`.

Only the anonymous memory of the process counts: the page cache of files is freed when memory runs short. Gradient
boosting is left out: it asks for the memory that is free by itself.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.machine.memory import LIBRARIES, needed_memory

# algorithm, level, crystals, batch size
RUNS = (
    ("cgcnn", "smoke", 800, 64),
    ("cgcnn", "smoke", 6000, 1024),
    ("cgcnn", "std", 3000, 1024),
    ("cgcnn", "pro", 600, 128),
    ("cgcnn", "pro", 3000, 1024),
    ("e3nn", "smoke", 600, 128),
    ("e3nn", "std", 400, 64),
    ("e3nn", "pro", 60, 4),
    ("e3nn", "pro", 500, 100),
)


def main() -> None:
    """Print a line per run; a ratio below 1 means that the estimate is too low."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="sample", help="data set or path")
    data = parser.parse_args().data
    for algorithm, level, samples, batch in RUNS:
        request = RunRequest(
            algorithm=algorithm, level=level, epochs=1, max_samples=samples, batch_size=batch, data=data
        )  # fmt: skip
        needed = needed_memory(resolve(request).config, workers=2) - LIBRARIES
        with tempfile.TemporaryDirectory() as folder:
            peak = _peak([*request.command(), "--output", folder, "--no-baselines"])
        name = f"{algorithm} {level}, batches of {batch}"
        print(f"{name:<30} {peak / 1e6:>6.0f} MB, said {needed / 1e6:>6.0f} MB: {needed / peak:.2f}")


def _peak(words: list[str]) -> int:
    """Measure the peak anonymous memory of a command of phase2."""
    command = [sys.executable, "-m", *words]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        peak = 0
        while process.poll() is None:
            peak = max(peak, _anonymous(process.pid))
            time.sleep(0.01)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}.")
    return peak


def _anonymous(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon")), 0)


if __name__ == "__main__":
    main()
