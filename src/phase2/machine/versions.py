"""The code that decides a run's numbers, as versions that can be compared."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import phase2

_PACKAGES = ("numpy", "torch", "e3nn", "scipy", "pymatgen")
# Commands, stores and pages may change without changing a number.
_DECIDING = ("config", "data", "models", "training")


def deciding_versions() -> dict[str, str]:
    """Versions by name: phase2 with a digest of the sources that compute, and the packages it computes with."""
    packages = {name: version for name in _PACKAGES if (version := installed(name))}
    return {"phase2": f"{phase2.__version__} (sources {_sources()[:12]})", **packages}


def changed_versions(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """Name what differs: ``torch: 2.14.0 -> 2.15.0``; empty when nothing does or the old ones are not known."""
    if not old:
        return ""
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return "; ".join(f"{name}: {old.get(name, 'none')} -> {new.get(name, 'none')}" for name in names)


def _sources() -> str:
    folder = Path(phase2.__file__).parent
    files = [folder / "properties.py", *(path for name in _DECIDING for path in sorted((folder / name).rglob("*.py")))]
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def installed(name: str) -> str | None:
    """Version of an installed package; None where it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
