"""Bundle what an offline cluster needs: ``make airgap``, into dist/airgap, with SHA256SUMS and manifest.json.

A part that is not to be had here is named with the reason, and the exit code is 1; ``--list`` only lists.
"""

import argparse
import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

import phase2
from tools.generated import ROOT

from . import commit
from .bundle import NotCollectedError, Part, parts

SUMS, MANIFEST = "SHA256SUMS", "manifest.json"


def main() -> int:
    """Write the bundle and print what it has."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", action="store_true", help="List the parts and write nothing.")
    parser.add_argument("--to", type=Path, default=ROOT / "dist" / "airgap", help="Folder of the bundle; is replaced.")
    parser.add_argument("--only", action="append", metavar="KIND", help="Only parts of this kind; repeatable.")
    given = parser.parse_args()
    wanted = parts(os.environ.get("IMAGE", ""), os.environ.get("WHEELS") or "train")
    wanted = [part for part in wanted if not given.only or part.kind in given.only]
    if given.list:
        for part in wanted:
            print(f"{part.kind:<12} {part.name}\n{'':<12} from {part.source}")
        return 0
    shutil.rmtree(given.to, ignore_errors=True)
    given.to.mkdir(parents=True)
    missing = {part.name: reason for part in wanted if (reason := _collect(part, given.to))}
    _write_manifest(given.to, wanted, missing)
    print(f"{given.to}: {len(wanted) - len(missing)} of {len(wanted)} parts")
    return int(bool(missing))


def _collect(part: Part, folder: Path) -> str:
    """Collect a part; return why it is missing, or nothing."""
    print(f"{part.kind}: {part.name}", file=sys.stderr)
    try:
        part.collect(folder)
    except NotCollectedError as error:
        print(f"  missing: {error}\n  get it from {part.source}", file=sys.stderr)
        return str(error) or "unknown"
    return ""


def _write_manifest(folder: Path, wanted: list[Part], missing: dict[str, str]) -> None:
    listed = [
        {"kind": one.kind, "name": one.name, "source": one.source, "missing": missing.get(one.name)} for one in wanted
    ]
    about = {"version": phase2.__version__, "revision": commit.revision(), "parts": listed}
    (folder / MANIFEST).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    shutil.copy(ROOT / "docs" / "how-to" / "air-gap.md", folder / "README.md")
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SUMS)
    sums = "".join(f"{_sha256(path)}  {path.relative_to(folder)}\n" for path in files)
    (folder / SUMS).write_text(sums, encoding="utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(main())
