"""Runs a program inside an image, with docker, podman or buildah."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import phase2

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
    container = _run([name, *options, "from", "--quiet", image]).strip()
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
    """Fetch an image and write it as an archive that containerd, docker, podman and skopeo read.

    skopeo keeps the bytes of the registry, and so the digest; the others pack layers anew. ``$PLAIN_HTTP`` is for a
    registry without TLS.

    Returns:
        Why that was not possible; empty after success.
    """
    names = (os.environ["ENGINE"],) if os.environ.get("ENGINE") else ("skopeo", *ENGINES)
    name = next((one for one in names if shutil.which(one)), "")
    if not name:
        return f"none of {', '.join(names)} is installed"
    for words in _steps(name, image, to):
        done = subprocess.run([name, *options, *words], capture_output=True, text=True, check=False)
        if done.returncode:
            to.unlink(missing_ok=True)
            return f"{name} {words[0]}: {done.stderr.strip()[-300:]}"
    return ""


def archived_name(image: str) -> str:
    """Return the name with a tag under which an archive holds an image: runtimes find imported images by their tags."""
    name = image.partition("@")[0]
    return name if ":" in name.rpartition("/")[2] else f"{name}:{phase2.__version__}"


def _steps(name: str, image: str, to: Path) -> list[list[str]]:
    """Return the commands of an engine that make an archive of an image."""
    plain = bool(os.environ.get("PLAIN_HTTP"))
    archive, insecure = f"oci-archive:{to}:{archived_name(image)}", ["--tls-verify=false"] if plain else []
    if name == "skopeo":
        source = ["--src-tls-verify=false"] if plain else []
        return [["copy", "--quiet", "--preserve-digests", *source, f"docker://{_by_digest(image)}", archive]]
    if name == "buildah":
        return [["pull", "--quiet", *insecure, image], ["push", "--quiet", image, archive]]
    tagged = [["pull", "--quiet", *(insecure if name == "podman" else []), image], ["tag", image, archived_name(image)]]
    form = ["--quiet", "--format=oci-archive"] if name == "podman" else []
    return [*tagged, ["save", *form, "--output", str(to), archived_name(image)]]


def _by_digest(image: str) -> str:
    """Return a reference without its tag where it has a digest: skopeo takes one of the two."""
    name, at, digest = image.partition("@")
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}@{digest}" if at else image


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command[:4])} ... failed:\n{done.stderr[-2000:]}")
    return done.stdout
