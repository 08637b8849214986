"""Fetch the JavaScript libraries of src/phase2/web/vendor from npm, or check those that are there.

Versions and digests are in ``libraries.json``. To take another version, write it there and run this with ``--renew``,
which fetches and writes the digests of what came; read what changed before it is committed.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from phase2.web.vendored import LIBRARIES, Library
from tools.generated import ROOT

FOLDER = ROOT / "src" / "phase2" / "web" / "vendor"


def main() -> int:
    """Fetch, renew or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="Fetch nothing; exit 1 where a file is not as declared.")
    parser.add_argument("--renew", action="store_true", help="Take what npm has, and write down its digests.")
    given = parser.parse_args()
    if given.check:
        wrong = problems(FOLDER)
        print("\n".join(wrong), end="\n" if wrong else "", file=sys.stderr)
        return int(bool(wrong))
    fetched = {key: _fetch(library, renew=given.renew) for key, library in LIBRARIES.items()}
    if given.renew:
        declared = json.dumps({key: one.model_dump() for key, one in fetched.items()}, indent=2)
        (FOLDER / "libraries.json").write_text(declared + "\n", encoding="utf-8")
    return 0


def problems(folder: Path) -> list[str]:
    """Return what differs between a folder and what is declared: a line for each file."""
    wanted = {"libraries.json": ""}
    for one in LIBRARIES.values():
        wanted |= {one.file: one.sha256, one.license_file: one.license_sha256}
    there = {path.name: _sha256(path.read_bytes()) for path in folder.iterdir()}
    missing = [f"{name} is missing: run 'python -m tools.web_assets'." for name in wanted.keys() - there.keys()]
    foreign = [f"{name} is not declared in libraries.json." for name in there.keys() - wanted.keys()]
    changed = [
        f"{name} is not the file of its package: run 'python -m tools.web_assets'."
        for name, digest in wanted.items()
        if digest and there.get(name, digest) != digest
    ]
    return sorted(missing + foreign + changed)


def _fetch(library: Library, *, renew: bool) -> Library:
    """Put the script and the licence of a library into the folder; return it as it is now."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", f"{library.package}@{library.version}", "--pack-destination", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
        if done.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{done.stderr.strip()[-500:]}")
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as package:
            script, terms = (_member(package, name) for name in (library.member, "LICENSE"))
    digests = {"sha256": _sha256(script), "license_sha256": _sha256(terms)}
    for field, digest in digests.items():
        if not renew and getattr(library, field) != digest:
            sys.exit(f"{library.package} {library.version} is not what was declared: {field} is {digest}.")
    (FOLDER / library.file).write_bytes(script)
    (FOLDER / library.license_file).write_bytes(terms)
    print(f"{library.notice}: {len(script):,} bytes")
    return library.model_copy(update={**digests, "bytes": len(script)})


def _member(package: tarfile.TarFile, name: str) -> bytes:
    file = package.extractfile(f"package/{name}")
    if file is None:
        sys.exit(f"{name} is no file of the package.")
    return file.read()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
