"""The layout of a run directory: its path, its name, and the names of its files."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from phase2.errors import RequestError, TransientError
from phase2.storage.disk.errors import disk_errors, explain_os_error
from phase2.storage.disk.lock import is_locked, try_lock, wait_for_lock

BEST = "best.pt"
SAFETENSORS = "model.safetensors"
"""What a folder of the Hugging Face Hub has in the place of ``best.pt``."""
CONFIG = "run_config.json"
HANDOFF = "HANDOFF.md"
MANIFEST = "run_manifest.json"
REPORT = "report.html"
LOCK = ".lock"
TIME_FORMAT = "%Y%m%dT%H%M%SZ"

_NAME = re.compile(r"run_(\d{8}T\d{6}Z)_(.+)")
_RUN_ID = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")


class _File:
    """Descriptor of a file of a run: ``run.best`` is ``run.path / "best.pt"``."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, run: RunDirectory, kind: type[RunDirectory]) -> Path:
        return run.path / self.name


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """A folder ``<output>/<family>/run_<UTC time>_<id>``.

    Attributes:
        path: The folder.
    """

    path: Path

    best = _File(BEST)
    checkpoint = _File("checkpoint.pt")
    previous_checkpoint = _File(".checkpoint.previous.pt")
    progress = _File(".progress.json")
    run_config = _File(CONFIG)
    attempts = _File("attempts.json")
    history = _File("history.json")
    results = _File("results.json")
    predictions_val = _File("predictions_val.csv")
    predictions_test = _File("predictions_test.csv")
    rejected = _File("rejected.csv")
    crystals = _File("crystals.json")
    parity = _File("parity.png")
    learning_curve = _File("learning_curve.png")
    calibration = _File("calibration.png")
    handoff = _File(HANDOFF)
    model_card = _File("MODEL_CARD.md")
    report = _File(REPORT)
    manifest = _File(MANIFEST)

    @classmethod
    def create(cls, output: Path, family: str, *, run_id: str | None = None) -> RunDirectory:
        """Create the folder of a new run; runs that start in the same second get separate folders.

        Args:
            output: Folder that holds the families.
            family: Family of the run, ``multitask_cgcnn`` for instance.
            run_id: Id of the run; drawn at random when None.

        Raises:
            RequestError: The folder cannot be created, or the id is not a valid name or taken in this family.
        """
        if run_id is not None:
            check_run_id(run_id)
        parent = output / family
        try:
            parent.mkdir(parents=True, exist_ok=True)
            with wait_for_lock(parent / LOCK):
                taken = {run.run_id for run in runs_of_family(parent)}
                if run_id in taken:
                    raise RequestError(
                        f"The run '{run_id}' exists already in {parent}.", fix="Use --resume, or another PHASE2_RUN_ID."
                    )
                started = datetime.now(UTC).strftime(TIME_FORMAT)
                path = parent / f"run_{started}_{run_id or _free_id(taken)}"
                path.mkdir()
        except OSError as error:
            if isinstance(explain_os_error(error, parent), TransientError):
                raise  # a full disk
            raise RequestError(
                f"No run can be written to {parent}.",
                why=f"{error.strerror}: {error.filename}.",
                fix="Name a writable folder with --output.",
            ) from error
        return cls(path)

    @classmethod
    def reopen(cls, output: Path, prefix: str) -> RunDirectory:
        """Return the folder of an existing run, ``<family>/<name>``; create it where it is not on this machine.

        Raises:
            RequestError: It cannot be created.
        """
        path = output / prefix
        with disk_errors(path):
            path.mkdir(parents=True, exist_ok=True)
        return cls(path)

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.path.name

    @property
    def family(self) -> str:
        """Name of the folder above."""
        return self.path.resolve().parent.name

    @property
    def run_id(self) -> str:
        """The part of the name that identifies the run; the whole name of a folder that was renamed."""
        found = _NAME.fullmatch(self.name)
        return found[2] if found else self.name

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes from training in this folder for the duration of a block.

        Raises:
            TransientError: Another process trains here.
        """
        with try_lock(self.path / LOCK) as locked:
            if not locked:
                raise TransientError(
                    f"Another process is training in {self.path}.",
                    why="Two processes would overwrite each other's checkpoints.",
                    fix="Try again when it has ended, or start another run (no --resume, another PHASE2_RUN_ID).",
                )
            yield

    def is_running(self) -> bool:
        """Return whether a process holds the lock."""
        return is_locked(self.path / LOCK) is True


def model_file_in(folder: Path) -> Path:
    """Return the model file of a folder: that of a run, or of a model of the Hugging Face Hub."""
    shared = folder / SAFETENSORS
    return shared if shared.is_file() and not (folder / BEST).exists() else folder / BEST


def holds_run(folder: Path) -> bool:
    """Tell whether a path is the folder of a run, finished or not; False for a text that can be no path."""
    with suppress(OSError):  # longer than a path may be
        return any((folder / known).is_file() for known in (MANIFEST, CONFIG))
    return False


def runs_of_family(folder: Path) -> list[RunDirectory]:
    """List the run directories in a family's folder, the oldest first; ignore everything else there."""
    try:
        found = [path for path in folder.iterdir() if _NAME.fullmatch(path.name) and path.is_dir()]
    except OSError:
        return []
    return [RunDirectory(path) for path in sorted(found)]


def new_run_id() -> str:
    """Generate the id of a new run: eight random hexadecimal digits."""
    return secrets.token_hex(4)


def _free_id(taken: set[str]) -> str:
    while (run_id := new_run_id()) in taken:
        pass
    return run_id


def is_run_id(text: str) -> bool:
    """Return whether a text is a valid run id."""
    return _RUN_ID.fullmatch(text) is not None


def check_run_id(run_id: str) -> str:
    """Return an id that is valid as a file name, a Kubernetes label value and a part of an object key.

    Raises:
        RequestError: It is not valid.
    """
    if not is_run_id(run_id):
        raise RequestError(
            f"'{run_id}' is not a valid run id.",
            why="It has 1 to 63 letters, digits, '.', '_' and '-', and begins and ends with a letter or a digit.",
            fix="Set PHASE2_RUN_ID to such a name.",
        )
    return run_id
