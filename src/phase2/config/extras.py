"""Optional packages, and the extra that installs each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from phase2.errors import MissingExtraError

EXTRAS = {
    "torch": "train",
    "e3nn": "train",
    "pymatgen": "train",
    "pynvml": "train",
    "sklearn": "train",
    "ase": "train",
    "crepes": "train",
    "gemmi": "train",
    "spglib": "train",
    "threadpoolctl": "train",
    "pandas": "notebook",
    "jinja2": "report",
    "markupsafe": "report",
    "matplotlib": "report",
    "pyarrow": "report",
    "optuna": "tune",
    "torch_geometric": "dev",
    "kubernetes": "cluster",
    "sevenn": "foundation",
    "tensorboard": "tensorboard",
    "mlflow": "mlflow",
    "wandb": "wandb",
    "huggingface_hub": "hub",
    "safetensors": "hub",
    "apprise": "notify",
}
"""The extra that each optional package belongs to, by import name."""

APART = {"chgnet": "chgnet==0.4.2"}
"""What pip installs for packages that are in no extra, by import name: what these require may not be installed.

chgnet requires nvidia-ml-py3, which overwrites the module ``pynvml`` of nvidia-ml-py.
"""


def missing_extra(error: ModuleNotFoundError) -> MissingExtraError | None:
    """Return what to install for a package that was not found; None where phase2 does not know it."""
    package = (error.name or "").partition(".")[0]
    if package in APART:
        return MissingExtraError(
            f"This needs the package '{package}'.",
            why="It is in no extra: what it requires would overwrite a module that phase2 uses.",
            fix=f"pip install --no-deps {APART[package]}",
        )
    if package not in EXTRAS:
        return None
    extra = EXTRAS[package]
    return MissingExtraError(
        f"This needs the package '{package}'.",
        why=f"It belongs to the extra '{extra}', which is not installed.",
        fix=f"pip install 'phase2[{extra}]'",
    )


def refuse_missing(*packages: str) -> None:
    """Refuse to go on without packages that another process is about to import.

    Raises:
        MissingExtraError: One of them is not installed.
    """
    for package in packages:
        if find_spec(package) is None:
            error = ModuleNotFoundError(f"No module named '{package}'", name=package)
            raise missing_extra(error) or error


@contextmanager
def explain_missing_packages() -> Iterator[None]:
    """Say which extra to install where the block imports a package that is not there.

    Raises:
        MissingExtraError: A package of an extra is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        explained = missing_extra(error)
        if explained is None:
            raise
        raise explained from error
