"""The process boundary: errors of a command become a message and an exit code."""

from __future__ import annotations

import atexit
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import typer
from typer.main import get_command

from phase2.cli.console import echo_text, note, print_error
from phase2.cli.process.explanation import explain
from phase2.cli.process.failure import hand_over
from phase2.cli.process.log_notes import show_choices
from phase2.cli.process.repetition import note_repetition
from phase2.config.settings import termination_log
from phase2.errors import Phase2Error, PreemptedError, RequestError
from phase2.machine.allocator import keep_freed_memory
from phase2.output.secrets import without_secrets
from phase2.output.visible import escape_unencodable, line, visible, visible_lines

DEBUG_VARIABLE = "PHASE2_DEBUG"

HELP_OPTIONS = ("-h", "--help")

INTERRUPTED = 128 + signal.SIGINT

# Kubernetes keeps 4096 bytes of it, and a character is up to four.
_LONGEST_TERMINATION_MESSAGE = 1000

_REPORT_SECONDS = 10.0
"""Longest time that the report of an aborted process may take; a full pipe may block it."""


def run(app: typer.Typer, argv: list[str] | None = None, *, program: str | None = None) -> int:
    """Run a command line and return its exit code.

    Errors of phase2 print what happened, why, and the fix. Any other exception is a defect of phase2 and is reported as
    one. ``--debug`` (or ``PHASE2_DEBUG=1``) prints the traceback of both.
    """
    _open_closed_streams()
    escape_unencodable((sys.stdout, sys.stderr))
    _limit_spinning()
    _escape_log()
    show_choices()
    keep_freed_memory()
    try:
        with _sigterm_raises():
            _check_current_folder()
            code = _command(app)(
                args=argv, standalone_mode=False, prog_name=program, help_option_names=list(HELP_OPTIONS)
            )
    except Exception as error:  # noqa: BLE001
        if os.environ.get(DEBUG_VARIABLE):
            echo_text(traceback.format_exc(), err=True)
        return _report(error)
    except KeyboardInterrupt:
        note("interrupted")
        return INTERRUPTED
    except SystemExit:  # raised by typer when the reader of a pipe has gone
        return _closed_pipe()
    return code if isinstance(code, int) else 0


def _check_current_folder() -> None:
    """Refuse a current folder that was removed: libraries abort the process there, or say nothing of it.

    Raises:
        RequestError: It is gone, or may not be entered any more.
    """
    try:
        os.getcwd()  # noqa: PTH109 - what it raises is the question
    except OSError as error:
        raise RequestError(
            "The current folder is gone.", why=f"{error.strerror}.", fix="Change to a folder that exists."
        ) from error


@cache
def _command(app: typer.Typer) -> Callable[..., Any]:
    """Return the command of an application, made once: the types of some 700 options are read for it."""
    command = get_command(app)
    note_repetition(command)
    return command


@contextmanager
def _sigterm_raises() -> Iterator[None]:
    """Raise ``PreemptedError`` on SIGTERM, which the first process of a container ignores by default.

    Every command can be interrupted safely; training handles the signal itself and saves first. Once a process is
    stopping, a second SIGTERM, which orchestrators send, must not change its exit code.
    """
    replaceable = (signal.SIG_DFL, _ignore)
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) not in replaceable:
        yield
        return
    after: Any = signal.SIG_DFL
    signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    except PreemptedError:
        after = _ignore
        signal.signal(signal.SIGINT, _exit_now)
        # At its end the interpreter restores the default handler, unless the signal is ignored.
        atexit.register(signal.signal, signal.SIGTERM, signal.SIG_IGN)
        raise
    finally:
        signal.signal(signal.SIGTERM, after)


def _stop(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, _ignore)
    raise PreemptedError("Stopped by SIGTERM.", fix="Run the same command again: it resumes where that is possible.")


def _ignore(_number: int, _frame: FrameType | None) -> None:
    return


def _exit_now(_number: int, _frame: FrameType | None) -> None:
    os._exit(INTERRUPTED)


def _limit_spinning() -> None:
    """Make waiting threads yield sooner: docs/decisions/008. OpenMP reads this once, when torch is imported."""
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")


class _EscapingFormatter(logging.Formatter):
    """Formatter of what other modules log: as escaped as what the console prints."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name of logging
        return line(without_secrets(super().formatMessage(record)))

    def formatException(self, ei: Any) -> str:  # noqa: N802
        return visible_lines(without_secrets(super().formatException(ei)))


def _escape_log() -> None:
    if logging.lastResort is not None:  # the handler of warnings where no other is configured
        logging.lastResort.setFormatter(_EscapingFormatter())


def _report(error: Exception) -> int:
    if isinstance(error, BrokenPipeError):
        return _closed_pipe()
    explained = explain(error)
    if not hand_over(explained):
        print_error(explained)
        _write_termination_message(explained)
    return explained.exit_code


def abort_process(error: Phase2Error) -> NoReturn:
    """End this process at once with the exit code of an error, from any thread, whatever the others are doing.

    The error is reported as that of a command, with the stacks of all threads. Nothing is waited for, since the thread
    that computes may hold any lock, that of standard error included: files that are being written keep their old
    content, as after SIGKILL.
    """
    report = threading.Thread(target=_report_abort, args=(error,), daemon=True)
    report.start()
    report.join(_REPORT_SECONDS)
    os._exit(error.exit_code)


def _report_abort(error: Phase2Error) -> None:
    is_reported = hand_over(error)
    if not is_reported:
        _write_termination_message(error)
    # Not by faulthandler, which keeps the interpreter's lock while it writes: a full pipe would stop this process.
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    for ident, frame in sys._current_frames().items():  # noqa: SLF001 - the documented way to another thread's stack
        stack = "".join(traceback.format_stack(frame))
        echo_text(f"Stack of the thread {names.get(ident, ident)}:\n{stack}\n", err=True)
    if not is_reported:
        print_error(error)
    sys.stderr.flush()


def _write_termination_message(error: Phase2Error) -> None:
    """Write the error, in one line, to the termination log that Kubernetes reads."""
    file = termination_log()
    if file is not None:
        # A log that cannot be written must not change the exit code, which retries depend on.
        with suppress(OSError):
            text = visible(" ".join(str(error).split()))[:_LONGEST_TERMINATION_MESSAGE]
            file.write_text(f"{text}\n", encoding="utf-8")


def _closed_pipe() -> int:
    """Exit quietly, as programs do when the reader of their pipe has gone: 128 + SIGPIPE."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141


def _open_closed_streams() -> None:
    """Open the standard streams of a process that was started without them."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 - open until the end
