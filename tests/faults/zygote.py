"""Starts hundreds of phase2 processes quickly: imports everything once, then forks a process per command.

It reads one JSON object per line from standard input and answers each with lines of JSON: ``{"pid": ...}`` when the
process runs, ``{"ended": pid, "code": ...}`` when it has ended. It never computes anything itself, so that its children
start with the state of a fresh process. A command may come with a death: the process kills itself, as SIGKILL would at
that instant, before or after its k-th disk operation or its k-th request to a bucket.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta

import boto3  # noqa: F401
import crepes  # noqa: F401 - what the end of a run would import
import sklearn.decomposition
import sklearn.neighbors  # noqa: F401
import time_machine
import torch._dynamo  # noqa: F401 - what the first step of an optimiser would import

from phase2.cli import main
from phase2.prediction import predictor  # noqa: F401
from phase2.runs.publish import claim as publish_claim
from phase2.storage.s3.requests import Requests
from phase2.training.run import experiment, finalize  # noqa: F401 - what a command would import

DISK = ("fsync", "replace", "rename", "link", "unlink", "mkdir", "rmdir")


def serve() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        if "shell" in order:
            _say(code=subprocess.run(order["shell"], shell=True, check=False).returncode)
            continue
        pid = os.fork()
        if pid == 0:
            _become(order)
        _say(pid=pid)
        _, status = os.waitpid(pid, 0)
        _say(ended=pid, code=os.waitstatus_to_exitcode(status))


def _say(**words: object) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def _become(order: dict) -> None:
    """Run a command in this forked process and exit."""
    code = 99
    vars(finalize)["draw_figures"] = lambda *_: ""  # which take half the time of so small a run
    publish_claim.SAME_RUN_CLAIM_TIMEOUT = timedelta(seconds=1)  # the same takeover, sooner
    try:
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        for stream in (1, 2):
            os.dup2(log, stream)
        os.environ.update(order["environment"])
        operations = _count_operations(order.get("death"))
        with time_machine.travel(order["clock"], tick=True) if order.get("clock") else nullcontext() as clock:
            if order.get("jumps"):
                threading.Thread(target=_jump, args=(clock, order["jumps"]), daemon=True).start()
            code = main(order["argv"])
        if order.get("count"):
            with open(order["count"], "w") as file:  # noqa: PTH123
                json.dump(operations, file)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _jump(clock: time_machine.Traveller, jumps: list[float]) -> None:
    """Move the clock repeatedly, forwards and backwards."""
    pause = threading.Event()
    for shift in jumps:
        pause.wait(0.02)
        clock.shift(shift)


def _count_operations(death: dict | None) -> dict[str, int]:
    """Count disk operations and requests, and kill this process at one of them if ordered."""
    counts = {"disk": 0, "request": 0}
    lock = threading.Lock()

    def counted(kind: str, call: Callable) -> Callable:
        def counting(*words: object, **options: object) -> object:
            with lock:
                counts[kind] += 1
                last = death is not None and death["kind"] == kind and counts[kind] == death["at"]
            if death is not None and last and not death["after"]:
                os.kill(os.getpid(), signal.SIGKILL)
            done = call(*words, **options)
            if last:
                os.kill(os.getpid(), signal.SIGKILL)
            return done

        return counting

    for name in DISK:
        setattr(os, name, counted("disk", getattr(os, name)))
    Requests.call_once = counted("request", Requests.call_once)
    return counts


if __name__ == "__main__":
    serve()
