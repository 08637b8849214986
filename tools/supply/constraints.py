"""The pinned packages of constraints/*.txt, with the hashes of their files."""

import re
from dataclasses import dataclass

from packaging.markers import Marker
from packaging.utils import NormalizedName, canonicalize_name

from tools.generated import ROOT

LINUX = {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64", "os_name": "posix"}


@dataclass(frozen=True)
class Pinned:
    """One package at one version.

    Args:
        name: Canonical name.
        version: The version.
        hashes: SHA-256 of every file that serves, in hexadecimal.
    """

    name: NormalizedName
    version: str
    hashes: tuple[str, ...]


def pinned(name: str, python: str = "3.13") -> list[Pinned]:
    """Return the packages of a set that a platform gets: x86-64 Linux with a version of Python."""
    settings: dict[str, str] = {**LINUX, "python_version": python, "python_full_version": f"{python}.0", "extra": ""}
    text = (ROOT / "constraints" / f"{name}.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    found = []
    for line in text.splitlines():
        match = re.match(
            r"(?P<name>[\w.-]+)(?:\[[^]]*\])?==(?P<version>[^\s;]+)(?:\s*;(?P<marker>.*?))?(?=\s+--hash|\s*$)", line
        )
        if match and (not match["marker"] or Marker(match["marker"].strip()).evaluate(settings)):
            hashes = tuple(sorted(re.findall(r"--hash=sha256:([0-9a-f]{64})", line)))
            found.append(Pinned(canonicalize_name(match["name"]), match["version"], hashes))
    return found
