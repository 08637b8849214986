"""What git says about the tree that is released."""

import subprocess

from tools.generated import ROOT


def revision() -> str:
    """Return the commit, with ``-dirty`` where files differ from it; empty outside a repository."""
    return _git("describe", "--always", "--abbrev=40", "--dirty", "--exclude=*")


def date() -> str:
    """Return the time of the commit, ISO 8601; the beginning of 1970 outside a repository."""
    return _git("log", "-1", "--format=%cI") or "1970-01-01T00:00:00+00:00"


def source() -> str:
    """Return the address that the repository was cloned from, without keys; empty where there is none."""
    address = _git("config", "--get", "remote.origin.url")
    scheme, separator, rest = address.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}" if separator else address


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
