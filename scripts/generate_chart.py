"""Generate the chart's files from k8s/, argo/ and the code; with --check, fail when one is stale."""

import argparse
import sys

from chart_files.files import CHART, files


def main() -> int:
    """Write the files, or say which are stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="Write nothing; exit 1 when a file is stale.")
    check = parser.parse_args().check
    wanted = files()
    there = {name for name in wanted if (CHART / name).exists()}
    there |= {path.relative_to(CHART).as_posix() for path in (CHART / "files").rglob("*.yaml")}
    read = {name: (CHART / name).read_text(encoding="utf-8") for name in there}
    stale = [name for name in sorted(wanted.keys() | there) if wanted.get(name) != read.get(name)]
    for name in stale:
        if check:
            print(f"charts/phase2-runner/{name} is stale: run 'make reference'.", file=sys.stderr)
        elif name in wanted:
            (CHART / name).parent.mkdir(parents=True, exist_ok=True)
            (CHART / name).write_text(wanted[name], encoding="utf-8")
            print(f"charts/phase2-runner/{name}")
        else:
            (CHART / name).unlink()
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
