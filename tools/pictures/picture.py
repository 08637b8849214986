"""A picture of the documentation, and the digest of what draws it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from phase2.machine.code_digest import code_digest
from tools.generated import ROOT


@dataclass(frozen=True)
class Picture:
    """A file in docs/images.

    Attributes:
        name: Its file name.
        shows: What is to be seen, for the record.
        sources: What draws it: files, or folders with all of their files, from the root of the repository.
        draw: Draws it into a file, of a finished run of ``make run``.
    """

    name: str
    shows: str
    sources: tuple[str, ...]
    draw: Callable[[Path, Path], None]

    def digest(self) -> str:
        """Return the SHA-256 of what the sources mean: comments, docstrings and layout of Python do not count.

        Raises:
            FileNotFoundError: A source is not there.
        """
        files = sorted({file for source in self.sources for file in _files(ROOT / source)})
        python = [file for file in files if file.suffix == ".py"]
        parts = [code_digest(python)]
        parts += [hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.suffix != ".py"]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _files(source: Path) -> list[Path]:
    if source.is_dir():
        return [file for file in source.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    if not source.exists():
        raise FileNotFoundError(f"{source} is named as a source of a picture, and is not there.")
    return [source]
