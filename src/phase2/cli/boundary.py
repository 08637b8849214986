"""The process boundary: whatever a command raises becomes a message and an exit code."""

from __future__ import annotations

import atexit
import errno
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import typer

from phase2.cli.console import note, print_error
from phase2.config.extras import missing_extra
from phase2.config.settings import termination_log
from phase2.errors import Phase2Error, PreemptedError, RequestError, TransientError

DEBUG_VARIABLE = "PHASE2_DEBUG"

INTERRUPTED = 128 + signal.SIGINT

# Kubernetes keeps 4096 bytes of it, and a character is up to four.
_LONGEST_TERMINATION_MESSAGE = 1000

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
_NOT_WRITABLE = {errno.EROFS, errno.EACCES, errno.EPERM}


def run(app: typer.Typer, argv: list[str] | None = None, *, program: str | None = None) -> int:
    """Run a command line and return the exit code.

    Errors made on purpose print what happened, why and what to do. Anything else is a defect of phase2 and says so.
    ``--debug`` (or ``PHASE2_DEBUG=1``) shows the traceback of both.
    """
    _open_closed_streams()
    _shorten_spinning()
    try:
        with _stopped_by_sigterm():
            code = app(args=argv, standalone_mode=False, prog_name=program)
    except Exception as error:  # noqa: BLE001
        if os.environ.get(DEBUG_VARIABLE):
            traceback.print_exc()
        return _report(error)
    except KeyboardInterrupt:
        note("interrupted")
        return INTERRUPTED
    except SystemExit:  # typer's answer to a reader that went away
        return _closed_pipe()
    return code if isinstance(code, int) else 0


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """End with an exit code of ours on SIGTERM, which the first process of a container would otherwise not even hear.

    Whatever a command was doing is safe to leave; training listens itself and saves first. A process that was stopped
    is on its way out, and SIGTERM, which orchestrators send twice, must not change its exit code any more.
    """
    free = (signal.SIG_DFL, _go_on_ending)
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) not in free:
        yield
        return
    after: Any = signal.SIG_DFL
    signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    except PreemptedError:
        after = _go_on_ending
        signal.signal(signal.SIGINT, _end_now)
        # The interpreter's last act is to restore the default, unless the signal is ignored altogether.
        atexit.register(signal.signal, signal.SIGTERM, signal.SIG_IGN)
        raise
    finally:
        signal.signal(signal.SIGTERM, after)


def _stop(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, _go_on_ending)
    raise PreemptedError("Stopped by SIGTERM.", fix="Run the same command again: it goes on where that is possible.")


def _go_on_ending(_number: int, _frame: FrameType | None) -> None:
    return


def _end_now(_number: int, _frame: FrameType | None) -> None:
    os._exit(INTERRUPTED)


def _shorten_spinning() -> None:
    """Let waiting threads give way sooner: docs/decisions/008. The runtime reads this once, when torch is imported."""
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")


def _report(error: Exception) -> int:
    if isinstance(error, BrokenPipeError):
        return _closed_pipe()
    explained = _explain(error)
    print_error(explained)
    _leave_termination_message(explained)
    return explained.exit_code


def _leave_termination_message(error: Phase2Error) -> None:
    """Leave the error, in one line, where Kubernetes reads what a container says at its end."""
    file = termination_log()
    if file is not None:
        # A place that cannot be written must not change the exit code, which is what retries go by.
        with suppress(OSError):
            file.write_text(" ".join(str(error).split())[:_LONGEST_TERMINATION_MESSAGE] + "\n", encoding="utf-8")


def _explain(error: Exception) -> Phase2Error:
    if isinstance(error, Phase2Error):
        return error
    if isinstance(error, typer.TyperException):
        return RequestError(error.format_message(), fix="Add --help to see what the command takes.")
    if isinstance(error, OSError):
        return _explain_file_error(error)
    if isinstance(error, ModuleNotFoundError) and (explained := missing_extra(error)):
        return explained
    return Phase2Error(
        f"Internal error: {type(error).__name__}: {error}",
        why="This is a defect of phase2, not of your input.",
        fix="Run again with --debug and report the traceback.",
    )


def _explain_file_error(error: OSError) -> Phase2Error:
    where = f": {error.filename}" if error.filename else ""
    what = f"{error.strerror or error}{where}."
    if error.errno in _NO_SPACE:
        return TransientError(
            what,
            why="The disk of the run folder, of the cache or of the temporary files is full; what was saved is whole.",
            fix="Free some space, then run the same command with --resume.",
        )
    if error.errno in _NOT_WRITABLE:
        return RequestError(what, fix="Check the permissions, or point --output and PHASE2_CACHE_DIR elsewhere.")
    return RequestError(what, fix="Check the path and the disk.")


def _closed_pipe() -> int:
    """End quietly, as programs do whose reader went away: 128 + SIGPIPE."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141


def _open_closed_streams() -> None:
    """Give a process that was started without standard streams some to write to."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 - open until the end
