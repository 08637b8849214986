"""Runs a program inside an image, with docker, podman or buildah."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ENGINES = ("docker", "podman", "buildah")


def engine() -> str:
    """Return the engine of ``$ENGINE``, or the first that is installed."""
    chosen = os.environ.get("ENGINE") or next((name for name in ENGINES if shutil.which(name)), "")
    if not chosen:
        sys.exit("Looking into an image takes docker, podman or buildah: install one, or leave IMAGE out.")
    return chosen


def python_in(image: str, script: Path, options: tuple[str, ...] = ()) -> str:
    """Run a script with an image's Python, without network, and return what it prints.

    Args:
        image: Reference of the image.
        script: File of the script; it needs nothing but the standard library.
        options: Options of the engine itself, before its command.
    """
    name, code = engine(), script.read_text(encoding="utf-8")
    if name != "buildah":
        words = ["run", "--rm", "--network=none", "--entrypoint=python3", image, "-c", code]
        return _run([name, *options, *words])
    container = _run([name, *options, "from", "--pull-never", image]).strip()
    try:
        return _run([name, *options, "run", "--isolation=chroot", container, "--", "python3", "-c", code])
    finally:
        _run([name, *options, "rm", container])


def digest_of(image: str, options: tuple[str, ...] = ()) -> str:
    """Return the digest of an image: that of its reference, or that which the engine knows."""
    _, _, digest = image.partition("@")
    if digest:
        return digest
    name = engine()
    form = "{{.FromImageDigest}}" if name == "buildah" else "{{.Id}}"
    words = ["inspect", "--type=image", "--format", form, image]
    return _run([name, *options, *words]).strip()


def save(image: str, to: Path, options: tuple[str, ...] = ()) -> str:
    """Pull an image and write it as an archive that containerd, docker and podman import.

    Returns:
        Why that was not possible; empty after success.
    """
    name = next((one for one in ENGINES if shutil.which(one)), "") if not os.environ.get("ENGINE") else engine()
    if not name:
        return "neither docker, podman nor buildah is installed"
    steps = {
        "docker": [["pull", "--quiet", image], ["save", "--output", str(to), image]],
        "podman": [["pull", "--quiet", image], ["save", "--quiet", "--format=oci-archive", "--output", str(to), image]],
        "buildah": [
            ["pull", "--quiet", image],
            ["push", "--quiet", image, f"oci-archive:{to}:{image.partition('@')[0]}"],
        ],
    }
    for words in steps[name]:
        done = subprocess.run([name, *options, *words], capture_output=True, text=True, check=False)
        if done.returncode:
            to.unlink(missing_ok=True)
            return f"{name} {words[0]}: {done.stderr.strip()[-300:]}"
    return ""


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command[:4])} ... failed:\n{done.stderr[-2000:]}")
    return done.stdout
