"""List what a system has installed, as JSON: Debian's packages and Python's. Runs inside images, by itself."""

import importlib.metadata
import json
import re
import sys
from pathlib import Path

DPKG = Path("/var/lib/dpkg/status")
COPYRIGHT = Path("/usr/share/doc")


def debian() -> list[dict[str, str]]:
    """Return the installed packages of Debian: name, version, architecture and licences."""
    found = []
    paragraphs = DPKG.read_text(encoding="utf-8").split("\n\n") if DPKG.exists() else []
    for paragraph in paragraphs:
        fields = dict(re.findall(r"^([A-Za-z-]+): (.*)$", paragraph, re.MULTILINE))
        if fields.get("Status") == "install ok installed":
            package = {key: fields[key.title()] for key in ("version", "architecture")}
            found.append({"name": fields["Package"], **package, "license": _debian_license(fields["Package"])})
    return sorted(found, key=lambda one: (one["name"], one["architecture"]))


def python() -> list[dict[str, str]]:
    """Return the installed packages of Python: name, version and licence."""
    found = {}
    for one in importlib.metadata.distributions():
        about = one.metadata
        found[about["Name"]] = {"name": about["Name"], "version": one.version, "license": license_of(about)}
    return [found[name] for name in sorted(found, key=str.lower)]


def license_of(about: "importlib.metadata.PackageMetadata") -> str:
    """Return the licence that a package's metadata states, in the first of its three places; empty without one."""
    classifiers = [
        word.rpartition(" :: ")[2] for word in about.get_all("Classifier") or [] if word.startswith("License ::")
    ]
    stated = _first(about, "License").strip()
    short = stated if len(stated) <= 64 and "\n" not in stated and stated.upper() != "UNKNOWN" else ""
    return _first(about, "License-Expression") or short or " AND ".join(classifiers)


def _first(about: "importlib.metadata.PackageMetadata", field: str) -> str:
    return str((about.get_all(field) or [""])[0])


def _debian_license(name: str) -> str:
    """Return the licences in a machine-readable copyright file, by their short names."""
    path = COPYRIGHT / name / "copyright"
    if not path.is_file():
        return ""
    text = path.read_text(encoding="utf-8", errors="replace")
    if not text.startswith("Format:"):
        return ""
    names = re.findall(r"^License:[ \t]*(\S[^\n]*)$", text, re.MULTILINE)
    return ", ".join(sorted({word.strip() for word in names}))


if __name__ == "__main__":
    json.dump({"debian": debian(), "python": python()}, sys.stdout)
