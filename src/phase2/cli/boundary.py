"""The process boundary: whatever a command raises becomes a message and an exit code."""

from __future__ import annotations

import errno
import os
import sys
import traceback

import typer

from phase2.cli.console import note, print_error
from phase2.errors import Phase2Error, RequestError

DEBUG_VARIABLE = "PHASE2_DEBUG"

_EXTRAS = {
    "torch": "train",
    "e3nn": "train",
    "pymatgen": "train",
    "matplotlib": "report",
    "pyarrow": "report",
    "torch_geometric": "dev",
}

_FILE_FIXES = {
    errno.ENOSPC: "Free some space, or point --output and PHASE2_CACHE_DIR to another disk; then --resume.",
    errno.EROFS: "Point --output and PHASE2_CACHE_DIR to a folder that can be written.",
    errno.EACCES: "Check the permissions, or point --output and PHASE2_CACHE_DIR to a folder that can be written.",
    errno.EPERM: "Check the permissions, or point --output and PHASE2_CACHE_DIR to a folder that can be written.",
    errno.ENOENT: "Check the path.",
    errno.EISDIR: "Give the path of a file.",
    errno.ENOTDIR: "Give the path of a folder.",
}


def run(app: typer.Typer, argv: list[str] | None = None, *, program: str | None = None) -> int:
    """Run a command line and return the exit code.

    Errors made on purpose print what happened, why and what to do. Anything else is a defect of phase2 and says so.
    ``--debug`` (or ``PHASE2_DEBUG=1``) shows the traceback of both.
    """
    _shorten_spinning()
    try:
        code = app(args=argv, standalone_mode=False, prog_name=program)
    except Exception as error:  # noqa: BLE001
        if os.environ.get(DEBUG_VARIABLE):
            traceback.print_exc()
        return _report(error)
    except KeyboardInterrupt:
        note("interrupted")
        return 130
    return code if isinstance(code, int) else 0


def _shorten_spinning() -> None:
    """Let waiting threads give way sooner: docs/decisions/008. The runtime reads this once, when torch is imported."""
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")


def _report(error: Exception) -> int:
    if isinstance(error, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    explained = _explain(error)
    print_error(explained)
    return explained.exit_code


def _explain(error: Exception) -> Phase2Error:
    if isinstance(error, Phase2Error):
        return error
    if isinstance(error, typer.TyperException):
        return RequestError(error.format_message(), fix="Add --help to see what the command takes.")
    if isinstance(error, OSError) and error.errno in _FILE_FIXES:
        where = f": {error.filename}" if error.filename else ""
        return RequestError(f"{error.strerror}{where}.", fix=_FILE_FIXES[error.errno])
    if isinstance(error, ModuleNotFoundError) and error.name in _EXTRAS:
        extra = _EXTRAS[error.name]
        return RequestError(
            f"This command needs the package '{error.name}'.",
            why=f"It belongs to the extra '{extra}', which is not installed.",
            fix=f"pip install 'phase2[{extra}]'",
        )
    return Phase2Error(
        f"Internal error: {type(error).__name__}: {error}",
        why="This is a defect of phase2, not of your input.",
        fix="Run again with --debug and report the traceback.",
    )
