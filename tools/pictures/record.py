"""``docs/images/pictures.json``: of each picture, what drew it and from what."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.generated import ROOT
from tools.pictures.picture import Picture

FOLDER = ROOT / "docs" / "images"
RECORD = FOLDER / "pictures.json"


@dataclass(frozen=True)
class Drawn:
    """What is recorded of a picture.

    Attributes:
        shows: What is to be seen.
        run: The run that it was made of: request and score in words.
        code: Version and commit of phase2 that trained this run.
        sources: Digest of what drew it.
        sha256: Of the file.
    """

    shows: str
    run: str
    code: str
    sources: str
    sha256: str


def recorded() -> dict[str, Drawn]:
    """Return the record, by file name."""
    return {name: Drawn(**entry) for name, entry in json.loads(RECORD.read_text(encoding="utf-8")).items()}


def write_record(drawn: dict[str, Drawn]) -> None:
    """Write the record."""
    entries = {name: asdict(drawn[name]) for name in sorted(drawn)}
    RECORD.write_text(json.dumps(entries, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def problems(pictures: Iterable[Picture], drawn: dict[str, Drawn], folder: Path = FOLDER) -> Iterator[str]:
    """Yield a sentence for each picture that is not current, without drawing anything."""
    known = {picture.name: picture for picture in pictures}
    there = {path.name for path in folder.iterdir() if path.suffix in (".png", ".svg", ".gif", ".webp")}
    for name in sorted(there - known.keys()):
        yield f"docs/images/{name} is drawn by nothing: add it to tools/pictures/registry.py, or remove it."
    for name, picture in sorted(known.items()):
        entry = drawn.get(name)
        if entry is None or name not in there:
            yield f"docs/images/{name} has not been drawn yet: run 'make pictures'."
        elif sha256(folder / name) != entry.sha256:
            yield f"docs/images/{name} is not the file that was drawn: run 'make pictures'."
        elif picture.digest() != entry.sources:
            yield f"docs/images/{name} was drawn by other code than there is now: run 'make pictures'."
    for name in sorted(drawn.keys() - known.keys()):
        yield f"docs/images/pictures.json has {name}, which tools/pictures/registry.py does not."


def sha256(file: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
