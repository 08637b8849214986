"""Run every command of a Markdown page, in order, in one shell, as a reader would type them.

Only blocks fenced as ``console`` run. A line that begins with ``$ `` is a command; what follows is sample output and is
not compared. Commands that set the machine up (``make setup``, ``make run``, ``make test``) are skipped with
``--skip``, because whoever runs this has just run them.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path


def main() -> int:
    """Run the commands and print one line each; stop at the first that fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path)
    parser.add_argument("--skip", action="append", default=[], help="A command that is not run.")
    options = parser.parse_args()
    commands = [c for c in console_commands(options.page.read_text()) if c not in options.skip]
    for number, command in enumerate(commands, 1):
        print(f"[{number}/{len(commands)}] $ {command}", flush=True)
        start = time.monotonic()
        status = subprocess.run(["bash", "-euo", "pipefail", "-c", command], env=_environment(), check=False).returncode
        print(f"    exit {status} after {time.monotonic() - start:.1f} s", flush=True)
        if status:
            print(f"README: {number - 1} passed, 1 failed: {command}")
            return 1
    print(f"README: {len(commands)} passed, 0 failed")
    return 0


def console_commands(page: str) -> list[str]:
    """Return the commands of a page's ``console`` blocks; a trailing backslash continues a command."""
    blocks = re.findall(r"^```console\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    text = "\n".join(blocks).replace("\\\n", " ")
    return [re.sub(r"\s+", " ", line[2:]).strip() for line in text.splitlines() if line.startswith("$ ")]


def _environment() -> dict[str, str]:
    binaries = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"}


if __name__ == "__main__":
    sys.exit(main())
