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
    """Return the address that the repository was cloned from, without keys; empty where it is none for others."""
    return public_address(_git("config", "--get", "remote.origin.url"))


def public_address(remote: str) -> str:
    """Return the address of a remote without keys; empty for a folder of this machine.

    Example:
        >>> public_address("git@example.com:team/phase2.git")
        'ssh://example.com/team/phase2.git'
    """
    scheme, separator, rest = remote.partition("://")
    if separator:
        return "" if scheme == "file" else f"{scheme}://{rest.rpartition('@')[2]}"
    host, colon, path = remote.partition(":")
    return f"ssh://{host.rpartition('@')[2]}/{path}" if colon and "/" not in host else ""


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
