"""Builds of programs from their Go modules, each version once on a machine."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
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


def go_module(module: str, version: str) -> Path:
    """Return the folder of a module's sources, which are downloaded the first time."""
    go = shutil.which("go")
    if go is None:
        sys.exit(f"{module} comes from its Go module: install Go 1.26 or newer.")
    command = [go, "mod", "download", "-json", f"{module}@{version}"]
    with tempfile.TemporaryDirectory() as folder:  # no module of its own
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-1000:]}{done.stderr[-1000:]}")
    return Path(json.loads(done.stdout)["Dir"])


def _build(command: list[str], folder: Path) -> None:
    making = folder.with_name(f".{folder.name}.{os.getpid()}")
    environment = os.environ | {"GOBIN": str(making), "GOFLAGS": "-mod=mod", "CGO_ENABLED": "0"}
    try:
        subprocess.run(command, env=environment, check=True)
        making.rename(folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)
