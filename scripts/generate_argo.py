"""Generate the manifests below argo from the table of levels; with --check, fail when one is stale."""

import argparse
import sys
from pathlib import Path

from argo_manifests.files import files

FOLDER = Path(__file__).resolve().parent.parent / "argo"


def main() -> int:
    """Write the files, or say which are stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="Write nothing; exit 1 when a file is stale.")
    check = parser.parse_args().check
    wanted = files()
    there = {str(path.relative_to(FOLDER)): path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.yaml")}
    stale = [name for name in sorted(wanted.keys() | there.keys()) if wanted.get(name) != there.get(name)]
    for name in stale:
        if check:
            print(f"argo/{name} is stale: run 'make reference'.", file=sys.stderr)
        elif name in wanted:
            (FOLDER / name).parent.mkdir(parents=True, exist_ok=True)
            (FOLDER / name).write_text(wanted[name], encoding="utf-8")
            print(f"argo/{name}")
        else:
            (FOLDER / name).unlink()
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
