"""Draw the pictures of the documentation: ``python -m tools.pictures [--check | --run RUN] [NAME ...]``.

Trains what ``make run`` trains, unless a finished run of that is named. With ``--check`` nothing is drawn: each
picture that was drawn by other code than there is now is named.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.seeds import options_of_make_run

from phase2.runs.layout import MANIFEST
from phase2.runs.records.manifest import RunManifest, read_manifest
from tools.pictures.record import FOLDER, RECORD, Drawn, problems, recorded, sha256, write_record
from tools.pictures.registry import PICTURES


def main() -> int:
    """Draw, or check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="Draw nothing; exit 1 when a picture is not current.")
    parser.add_argument("--run", type=Path, help="Folder of a finished run of `make run`; trained anew by default.")
    parser.add_argument("names", nargs="*", help="Pictures; by default all.")
    chosen = parser.parse_args()
    if chosen.check:
        found = list(problems(PICTURES, recorded()))
        print(*found, sep="\n", file=sys.stderr)
        return int(bool(found))
    with tempfile.TemporaryDirectory() as folder:
        _draw(chosen.run or _trained(Path(folder)), chosen.names or [picture.name for picture in PICTURES])
    return 0


def _draw(run: Path, names: list[str]) -> None:
    drawn = recorded() if RECORD.exists() else {}
    manifest = read_manifest(run / MANIFEST)
    for picture in PICTURES:
        if picture.name in names:
            target = FOLDER / picture.name
            picture.draw(run, target)
            drawn[picture.name] = Drawn(picture.shows, *_described(manifest), picture.digest(), sha256(target))
            print(target)
    write_record({picture.name: drawn[picture.name] for picture in PICTURES if picture.name in drawn})


def _trained(folder: Path) -> Path:
    command = [sys.executable, "-m", "phase2", "train", *options_of_make_run(), "--output", str(folder)]
    subprocess.run(command, check=True)
    (manifest,) = folder.rglob(MANIFEST)
    return manifest.parent


def _described(manifest: RunManifest) -> tuple[str, str]:
    """The run, and the code that trained it, in words."""
    code = manifest.code
    run = f"{manifest.algorithm} {manifest.mode}, {manifest.epochs} epochs, score {manifest.score:.3f}"
    return run, " ".join(filter(None, (code.phase2, (code.commit or "")[:9])))


if __name__ == "__main__":
    sys.exit(main())
