"""What a user reads of an exception: what happened, why, and the fix."""

from __future__ import annotations

import errno

import typer

from phase2.cli.process.usage import explain_usage
from phase2.config.extras import missing_extra
from phase2.errors import Phase2Error, RequestError, TransientError
from phase2.storage.disk.errors import TOO_MANY_OPEN, too_many_open

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
_NOT_WRITABLE = {errno.EROFS, errno.EACCES, errno.EPERM}


def explain(error: Exception) -> Phase2Error:
    """Return the error that a user reads of an exception; one that nobody expected is a defect of phase2."""
    if isinstance(error, Phase2Error):
        return error
    if isinstance(error, typer.TyperException):
        return explain_usage(error)
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
            why="The disk of the run folder, of the cache or of the temporary files is full; saved files are intact.",
            fix="Free some space, then run the same command with --resume.",
        )
    if error.errno in TOO_MANY_OPEN:
        return too_many_open(f"{error.strerror}.")
    if error.errno in _NOT_WRITABLE:
        return RequestError(what, fix="Check the permissions, or point --output and PHASE2_CACHE_DIR elsewhere.")
    return RequestError(what, fix="Check the path and the disk.")
