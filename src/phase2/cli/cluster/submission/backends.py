"""Choice of a backend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from phase2.errors import UnknownNameError

if TYPE_CHECKING:
    from phase2.cluster.backends.base import RunBackend

BackendChoice = Literal["job", "argo", "jobset", "trainjob", "local"]
BACKENDS: tuple[BackendChoice, ...] = get_args(BackendChoice)
DEFAULT_BACKEND: BackendChoice = "job"


def check_backend(name: str) -> BackendChoice:
    """Validate the value of ``--backend``.

    Raises:
        UnknownNameError: There is none of this name.
    """
    for backend in BACKENDS:
        if name == backend:
            return backend
    raise UnknownNameError.of("backend", name, BACKENDS)


def cluster_backend(name: BackendChoice) -> RunBackend:
    """Return the cluster backend of a name other than ``local``."""
    from phase2.cluster.backends.registry import CLUSTER_BACKENDS

    assert name != "local"  # noqa: S101 - the commands branch before
    return CLUSTER_BACKENDS[name]
