"""Runs sections one after the other, each in a process of its own, which a failure or a hang ends alone.

The processes are forked from one that has imported PyTorch and has not touched the device.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import time
import traceback
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path

from pydantic import TypeAdapter

from bench.gpu.record.report import Section
from bench.gpu.record.rows import Row
from bench.gpu.sections.registry import Plan
from bench.gpu.setting import Setting

METHODS = ("forkserver", "spawn")

_ROW: TypeAdapter[Row] = TypeAdapter(Row)
_ROWS, _ERROR = "rows.jsonl", "error.txt"


def context(method: str) -> BaseContext:
    """Return how processes are started: forked from one that has imported everything, or each from nothing."""
    chosen = multiprocessing.get_context(method)
    if method == "forkserver":
        chosen.set_forkserver_preload(["bench.gpu.networks", "phase2.training.trainer", "e3nn.o3"])
    return chosen


def run_section(plan: Plan, setting: Setting, processes: BaseContext) -> Section:
    """Run a section until it ends, fails, or has used its time."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        process = processes.Process(target=write_rows, args=(plan, setting, folder))  # type: ignore[attr-defined]
        is_late, error = False, ""
        try:
            process.start()
        except (EOFError, OSError) as cause:  # the process that it is forked from has ended
            error = f"its process was not started: {type(cause).__name__}: {cause}"
        else:
            is_late = _join(process, plan.budget)
            error = _error(folder, process.exitcode)
        return Section(
            name=plan.name,
            status="failed" if error or is_late else "complete",
            seconds=round(time.perf_counter() - start, 2),
            budget=plan.budget,
            error=f"ended after its {plan.budget:.0f} seconds" if is_late else error,
            rows=_read(folder / _ROWS),
        )


def write_rows(plan: Plan, setting: Setting, folder: Path) -> None:
    """Run a section in this process, and write each row as soon as it is there."""
    os.setsid()  # what it starts is ended with it
    try:
        with (folder / _ROWS).open("a", encoding="utf-8") as file:
            for row in plan.load()(setting):
                file.write(row.model_dump_json() + "\n")
                file.flush()
    except Exception as error:
        traceback.print_exc()
        (folder / _ERROR).write_text(f"{type(error).__name__}: {error}", encoding="utf-8")
        raise SystemExit(1) from error


def _join(process: BaseProcess, seconds: float) -> bool:
    """Wait for a process, and return whether it had to be ended."""
    try:
        process.join(seconds)
    finally:
        is_late = process.is_alive()
        if is_late:
            _kill(process)
    return is_late


def _kill(process: BaseProcess) -> None:
    """End a process and those that it has started."""
    assert process.pid is not None
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:  # it has not come so far as to lead a group
        process.kill()
    process.join()


def _error(folder: Path, exit_code: int | None) -> str:
    """Say why a process failed; "" where it did not."""
    if (folder / _ERROR).exists():
        return (folder / _ERROR).read_text(encoding="utf-8")
    return f"its process ended with {exit_code}" if exit_code else ""


def _read(path: Path) -> tuple[Row, ...]:
    """Read the rows; the last line of a process that was ended may be incomplete."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
    return tuple(_ROW.validate_json(line) for line in lines if line.endswith("\n"))
