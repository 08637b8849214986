"""The code of a run: versions, commit, container image."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path

import phase2
from phase2.machine.versions import installed
from phase2.storage.records import Record

# Set by the image's build and by the pod's manifest.
COMMIT_VARIABLE = "PHASE2_COMMIT"
IMAGE_DIGEST_VARIABLE = "PHASE2_IMAGE_DIGEST"

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_DIRTY = "-dirty"

# What the numbers of a run depend on.
_PACKAGES = (
    *("numpy", "torch", "e3nn", "pymatgen", "pydantic", "scipy", "scikit-learn", "triton", "matplotlib"),
    *("sevenn", "chgnet"),
)


class Code(Record):
    """The code of a run.

    Attributes:
        phase2: Version of phase2.
        commit: Git commit of its source, from the checkout or the image's build; null where neither is known.
        dirty: Whether the checkout differed from the commit; null outside a checkout.
        image_digest: Digest of the container image; null where none was given.
        python: Version of Python.
        packages: Versions of the packages that the numbers depend on.
    """

    phase2: str
    commit: str | None
    dirty: bool | None
    image_digest: str | None
    python: str
    packages: dict[str, str]


def detect_code() -> Code:
    """Read the versions, the commit and the image of the running code."""
    commit, dirty = _checkout(Path(phase2.__file__).parent)
    if commit is None and (built := os.environ.get(COMMIT_VARIABLE)):
        commit, dirty = built.removesuffix(_DIRTY), built.endswith(_DIRTY)
    return Code(
        phase2=phase2.__version__,
        commit=commit,
        dirty=dirty,
        image_digest=_image_digest(),
        python=platform.python_version(),
        packages={name: version for name in _PACKAGES if (version := installed(name))},
    )


def _image_digest() -> str | None:
    """Return the digest, also where the variable holds a whole image reference: workflow templates cannot split one."""
    found = _DIGEST.search(os.environ.get(IMAGE_DIGEST_VARIABLE, ""))
    return found[0] if found else None


def _checkout(folder: Path) -> tuple[str | None, bool | None]:
    """Return the commit of the checkout that tracks a folder, and whether it has changes.

    A folder that merely lies inside another project's checkout, as an installed package does, is not tracked by it.
    """
    if _git(folder, "ls-files", "--error-unmatch", "__init__.py") is None:
        return None, None
    commit = _git(folder, "rev-parse", "HEAD")
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return commit, None if changes is None else bool(changes)


def _git(folder: Path, *words: str) -> str | None:
    # Variables such as GIT_DIR, which git sets in its hooks, would point to another checkout.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(folder), *words],  # noqa: S607
            capture_output=True,
            text=True,
            env=environment,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
