"""The code that decides a run's numbers, as versions that can be compared."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path

import phase2
from phase2.machine.code_digest import code_digest

_PACKAGES = ("numpy", "torch", "e3nn", "scipy", "pymatgen")
# Commands, stores and pages may change without changing a number.
_DECIDING = ("config", "data", "models", "training")
_SCHEME = "v2"
_SOURCES = re.compile(r"\(sources (?:(?P<scheme>v\d+) )?(?P<digest>[0-9a-f]+)\)")


def deciding_versions() -> dict[str, str]:
    """Return versions by name: phase2 with a digest of the code that computes, and the packages it computes with."""
    packages = {name: version for name in _PACKAGES if (version := installed(name))}
    return {"phase2": f"{phase2.__version__} (sources {_SCHEME} {_sources()[:12]})", **packages}


def changed_versions(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """Name what differs between two sets of versions.

    Of phase2 the digest alone counts: a release that computes as the one before is no change.

    Args:
        old: Versions by name that a checkpoint was made with; empty where they are not known.
        new: Versions by name of this process.

    Returns:
        ``torch: 2.14.0 -> 2.15.0``, for instance; empty when nothing differs or the old ones are not known.
    """
    if not old:
        return ""
    names = [name for name in {**old, **new} if _comparable(old.get(name)) != _comparable(new.get(name))]
    changes = [f"{name}: {old.get(name, 'none')} -> {new.get(name, 'none')}" for name in names]
    if "phase2" in names and _is_byte_digest(old.get("phase2", "")):
        changes.append("the older digest is of the files' bytes and cannot be compared with one of what they mean")
    return "; ".join(changes)


def installed(name: str) -> str | None:
    """Return the version of an installed package; None where it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def deciding_sources(folder: Path) -> list[Path]:
    """List the modules that decide numbers.

    Args:
        folder: The folder of the package.
    """
    return [folder / "properties.py", *(path for name in _DECIDING for path in (folder / name).rglob("*.py"))]


@cache
def _sources() -> str:
    return code_digest(deciding_sources(Path(phase2.__file__).parent))


def _comparable(version: str | None) -> str | None:
    """Reduce a version of phase2 to scheme and digest."""
    found = _SOURCES.search(version or "")
    return found[0] if found else version


def _is_byte_digest(version: str) -> bool:
    """Whether a version was written by phase2 0.1.0, which hashed files, names and bytes."""
    found = _SOURCES.search(version)
    return found is not None and found["scheme"] is None
