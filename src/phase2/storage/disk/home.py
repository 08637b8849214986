"""Paths below a home directory, as people write them."""

from __future__ import annotations

import os
from pathlib import Path


def expand_home(path: str | os.PathLike[str]) -> Path:
    """Replace a leading ``~`` or ``~user`` by the home directory; that of an unknown user stays, and is no such path.

    ``Path.expanduser`` raises ``RuntimeError`` for an unknown user, which is an input like any other.

    Example:
        >>> expand_home("~nobody-has-this-name/runs").as_posix()
        '~nobody-has-this-name/runs'
    """
    return Path(os.path.expanduser(path))  # noqa: PTH111
