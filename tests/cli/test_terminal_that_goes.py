"""A training whose terminal goes away while it ignores hang-ups, as after ``disown``, ends as any other."""

import os
import pty
import select
import signal
import subprocess
import sys
import time

import pytest

from phase2.runs.layout import RunDirectory
from phase2.runs.records.manifest import read_manifest

TRAIN = ("train", "--algorithm", "cgcnn", "--level", "smoke", "--max-samples", "60", "--epochs", "30", "--no-baselines")


@pytest.mark.parametrize("lines", ["text", "json"])
def test_it_is_finished(cache, tmp_path, lines):
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "phase2", *TRAIN, "--output", str(tmp_path), "--log-format", lines],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=os.environ | {"TERM": "xterm"},
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),  # noqa: PLW1509 - one thread
    ) as process:
        os.close(theirs)
        shown, deadline = b"", time.monotonic() + 120
        while b"2/30" not in shown and b'"epoch": 2,' not in shown:
            assert time.monotonic() < deadline, shown
            if select.select([ours], [], [], 1)[0]:
                shown += os.read(ours, 65536)
        os.close(ours)
        assert process.wait(240) == 0
    (run,) = (RunDirectory(path) for path in tmp_path.glob("*/run_*"))
    manifest = read_manifest(run.manifest)
    assert (manifest.status, manifest.epochs) == ("finished", 30)
