"""Errors of the processes that train a run together, handed over to the command that started them.

Each process leaves its error in the file that torch's elastic launcher names, so that the command reports one: the
first, which ended the others.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from phase2.errors import Phase2Error, error_from_json, error_to_json

LAUNCH_PREFIX = "phase2-"
"""Begin of the run id that the launcher has when phase2 starts it; another launcher reports nothing of phase2's."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Error of one process.

    Attributes:
        rank: Number of the process.
        time: When it was raised, seconds since the epoch.
        error: The error.
    """

    rank: int
    time: float
    error: Phase2Error


def hand_over(error: Phase2Error) -> bool:
    """Leave an error to the command that started this process; False where it has to report it itself."""
    path = os.environ.get("TORCHELASTIC_ERROR_FILE")
    if not path or not os.environ.get("TORCHELASTIC_RUN_ID", "").startswith(LAUNCH_PREFIX):
        return False
    content = {"message": str(error), "timestamp": int(time.time()), "rank": int(os.environ["RANK"])}
    try:
        Path(path).write_text(
            json.dumps({**content, "time": time.time(), "error": error_to_json(error)}), encoding="utf-8"
        )
    except OSError:
        return False
    return True


def read_failures(folder: Path) -> list[Failure]:
    """Read the errors that the processes left below a folder, the earliest first."""
    return sorted(_failures(folder), key=lambda failure: failure.time)


def _failures(folder: Path) -> Iterable[Failure]:
    for path in folder.rglob("error.json"):
        with suppress(OSError, ValueError, KeyError, TypeError):
            held = json.loads(path.read_text(encoding="utf-8"))
            yield Failure(held["rank"], held["time"], error_from_json(held["error"]))
