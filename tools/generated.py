"""Generated files of the repository: written again, or only checked."""

import argparse
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def write_or_check(purpose: str, folder: Path, wanted: Mapping[str, str], there: Collection[Path] = ()) -> int:
    """Write the files that are stale; with ``--check`` on the command line, name them instead.

    Args:
        purpose: What the command does, for its help.
        folder: Where the files belong.
        wanted: Content of each file, by its path below the folder.
        there: Existing files, which are removed when they are not wanted.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(description=purpose)
    parser.add_argument("--check", action="store_true", help="Write nothing; exit 1 when a file is stale.")
    check = parser.parse_args().check
    names = wanted.keys() | {path.relative_to(folder).as_posix() for path in there}
    stale = [name for name in sorted(names) if wanted.get(name) != _read(folder / name)]
    for name in stale:
        path = folder / name
        if check:
            print(f"{path.relative_to(ROOT)} is stale: run 'make reference'.", file=sys.stderr)
        elif name in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[name], encoding="utf-8")
            print(path.relative_to(ROOT))
        else:
            path.unlink()
    return int(check and bool(stale))


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
