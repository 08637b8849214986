"""Builds of programs from their Go modules, each version once on a machine."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from phase2.config.settings import cache_dir
from phase2.storage.disk.lock import wait_for_lock


def go_program(name: str, package: str, version: str, *flags: str) -> Path:
    """Return the path of a program, which is built the first time it is asked for; that takes minutes.

    Args:
        name: Name of the program.
        package: Go package that it is built from.
        version: Version of the module that has the package.
        flags: Further options of ``go install``.
    """
    folder = cache_dir() / "programs" / f"{name}-{version}"
    program = folder / name
    if program.exists():
        return program
    go = shutil.which("go")
    if go is None:
        sys.exit(f"{name} is built from its source: install Go 1.26 or newer.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with wait_for_lock(folder.with_name(f".{folder.name}.lock"), purpose=f"building {name}"):
        if not program.exists():  # another process may have been faster
            _build([go, "install", *flags, f"{package}@{version}"], folder)
    return program


def _build(command: list[str], folder: Path) -> None:
    making = folder.with_name(f".{folder.name}.{os.getpid()}")
    environment = os.environ | {"GOBIN": str(making), "GOFLAGS": "-mod=mod", "CGO_ENABLED": "0"}
    try:
        subprocess.run(command, env=environment, check=True)
        making.rename(folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)
