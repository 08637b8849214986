"""Identity of a stored run: what its key says, and whether what is stored under the key agrees.

Nothing else names a run. An entry of an index, of ``.ids`` or of a list says where to look, and never what to remove,
download or resume.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from phase2.config.levels import FAMILIES
from phase2.errors import ModelFileError, RequestError
from phase2.runs.as_published import pin_manifest
from phase2.runs.keys import CLAIM, manifest_key
from phase2.runs.layout import CONFIG, LOCK, RunDirectory, is_run_id
from phase2.storage.base import ObjectDamagedError, ObjectMissingError, Store

_NAME = re.compile(r"run_[A-Za-z0-9]([A-Za-z0-9._-]{0,120}[A-Za-z0-9])?")
_CLAIM = re.compile(rb"[0-9a-f]{64} (?P<run_id>[\x21-\x7e]{1,63})")


class UnsoundRunError(ModelFileError):
    """What is stored under a run's key is no run, or another one."""


class _Identity(BaseModel):
    """Part of a manifest or a configuration; the family is absent from the latter."""

    model_config = ConfigDict(extra="ignore", strict=True)

    run_id: str
    family: str | None = None


def is_run_prefix(prefix: str) -> bool:
    """Return whether a text has the shape of a run's key: a family of the levels table, and ``run_...`` in ASCII."""
    family, _, name = prefix.partition("/")
    return family in FAMILIES.values() and _NAME.fullmatch(name) is not None and is_run_id(run_id_of(prefix))


def check_run_prefix(prefix: str) -> str:
    """Return a prefix that has the shape of a run's key.

    Raises:
        RequestError: It has another shape.

    Example:
        >>> check_run_prefix("multitask_cgcnn/run_20260101T000000Z_4f1c2a")
        'multitask_cgcnn/run_20260101T000000Z_4f1c2a'
    """
    if not is_run_prefix(prefix):
        raise RequestError(
            f"{prefix!r} is not a run.",
            why=f"A run is FAMILY/run_..., and a family is one of {', '.join(FAMILIES.values())}.",
            fix="'phase2 runs list' shows all runs.",
        )
    return prefix


def run_id_of(prefix: str) -> str:
    """Return the run id that a run's key says."""
    return RunDirectory(Path(prefix)).run_id


def check_identity(prefix: str, *, run_id: str, family: str | None, where: str) -> None:
    """Check that a record of a run is of the run that its key says.

    Args:
        prefix: ``<family>/<name>`` of the run.
        run_id: Id in the record.
        family: Family in the record; None where it has none.
        where: Name of the record in the message.

    Raises:
        UnsoundRunError: It is of another one.
    """
    expected = run_id_of(prefix)
    if run_id == expected and family in {None, prefix.partition("/")[0]}:
        return
    found = repr(run_id) if family is None else f"{run_id!r} of the family {family!r}"
    raise UnsoundRunError(
        f"{where} is not of the run '{prefix}'.",
        why=f"It is of the run {found}; its key says '{expected}'.",
        fix="Someone moved, renamed or replaced it; move it back, or remove it with the tools of the store.",
    )


def check_marks(store: Store, prefix: str, keys: Collection[str]) -> None:
    """Check that what is stored under a run's key is that run, by its own records.

    The manifest decides; where it is absent or cannot be read, the configuration does, and where there is none either,
    the claim of a publisher that was killed. Files that only phase2 makes are a run that ended before it had records.

    Args:
        store: The store.
        prefix: ``<family>/<name>``, of the shape of a run's key.
        keys: All keys under the prefix.

    Raises:
        UnsoundRunError: It is another run, or none.
    """
    damaged = ""
    published, _ = pin_manifest(store, prefix)
    for key in (manifest_key(prefix), f"{prefix}/{CONFIG}"):
        if key not in keys:
            continue
        found = _identity(published, key)
        if found is not None:
            check_identity(prefix, run_id=found.run_id, family=found.family, where=f"'{key}' in {store.url}")
            return
        damaged = damaged or key
    if f"{prefix}/{CLAIM}" in keys and not damaged:
        _check_claim(store, prefix)
    elif damaged or not all(_is_internal(key.removeprefix(f"{prefix}/")) for key in keys):
        raise UnsoundRunError(
            f"'{damaged or prefix}' in {store.url} " + ("is damaged." if damaged else "is not a run of phase2."),
            why="No manifest or configuration of this run can be read there.",
            fix="Nothing was changed. Look at what is there, and remove it with the tools of the store.",
        )


def _is_internal(path: str) -> bool:
    return path in {LOCK, CLAIM} or path.startswith(".checkpoint")


def _identity(store: Store, key: str) -> _Identity | None:
    """Read the identity of a record; None where the record cannot be read."""
    try:
        return _Identity.model_validate_json(store.read(key))
    except (ObjectMissingError, ObjectDamagedError, ValidationError):
        return None


def _check_claim(store: Store, prefix: str) -> None:
    key = f"{prefix}/{CLAIM}"
    try:
        claim = _CLAIM.fullmatch(store.read(key))
    except ObjectMissingError:
        return
    if claim is not None:
        check_identity(prefix, run_id=claim["run_id"].decode(), family=None, where=f"'{key}' in {store.url}")
