"""Training what a study lacks, one run after the other."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from bench.study.results import finished_run
from bench.study.rows import StudyRun
from phase2.config.resolve import resolve
from phase2.errors import DataError, ModelFileError, RequestError
from phase2.runs.layout import runs_of_family
from phase2.storage.urls import open_store


def command_line(run: StudyRun, store: str, output: Path) -> str:
    """Return the command that trains a run, for a shell."""
    variables = " ".join(f"{name}={shlex.quote(value)}" for name, value in run.variables(store).items())
    return f"{variables} {shlex.join(run.words(store, output))}"


def with_sources(runs: Iterable[StudyRun]) -> list[StudyRun]:
    """Return runs, each after the one that it starts from."""
    return list(dict.fromkeys(one for run in runs for one in (run.source, run) if one is not None))


def train_missing(runs: Sequence[StudyRun], url: str, output: Path) -> int:
    """Train the runs that are not finished in a store; one that was interrupted continues from its checkpoint.

    A run that cannot be trained, such as one that diverges, is reported and passed over, with those that would start
    from it, and so is one that another process is training: several processes may share a study and an output folder.
    An interruption, or a store that does not respond, ends the study until it is started again.

    Args:
        runs: The runs; those that they start from are trained before them.
        url: Address of the store.
        output: Folder for runs in progress; what is finished is kept in the store alone.

    Returns:
        Exit code of the last run that failed; 0 when all are finished.

    Raises:
        RequestError: A run in the store has other settings than those declared.
    """
    store, code = open_store(url), 0
    runs = with_sources(runs)
    for position, run in enumerate(runs, 1):
        if finished_run(store, run) is not None or (run.source and finished_run(store, run.source) is None):
            continue
        print(f"[{position}/{len(runs)}] {command_line(run, url, output)}", flush=True)
        ended = _train(run, url, output)
        if (found := finished_run(store, run)) is not None:  # by this process, or by another meanwhile
            if (output / found.prefix).exists():
                shutil.rmtree(output / found.prefix)
            errors = ", ".join(f"{key} {mae:.3g}" for key, mae in found.val.items())
            print(f"val MAE: {errors}; {found.seconds:.0f} s", flush=True)
            continue
        code = ended or 1
        print(f"{run.run_id}: exit code {code}", file=sys.stderr)
        if code not in _LASTING and not _is_running(run, output):
            return code
    return code


_LASTING = (RequestError.exit_code, DataError.exit_code, ModelFileError.exit_code)
"""Exit codes of a run that would end the same way again."""


def _is_running(run: StudyRun, output: Path) -> bool:
    """Return whether a process of this machine is training a run."""
    family = resolve(run.request()).config.family
    return any(one.run_id == run.run_id and one.is_running() for one in runs_of_family(output / family))


def _train(run: StudyRun, url: str, output: Path) -> int:
    words = [sys.executable, "-m", "phase2", *run.words(url, output)[1:]]
    # Its standard output has the test errors, which nobody is to see while rows are being chosen.
    process = subprocess.Popen(words, env=os.environ | run.variables(url), stdout=subprocess.DEVNULL)
    with _stopped_with_us(process):
        code = process.wait()
    return code if code >= 0 else 128 - code


@contextmanager
def _stopped_with_us(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Let a request to stop reach a training, which then saves its checkpoint and ends, before this process ends."""

    def on_terminate(number: int, _: FrameType | None) -> None:
        process.send_signal(number)

    def on_interrupt(*_: object) -> None:
        """Wait: a terminal sends Ctrl-C to the training as well."""

    before = signal.signal(signal.SIGTERM, on_terminate), signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGINT, before[1])
