"""Whether a training may continue from a checkpoint: its own checkpoint, the same data, the same code.

Settings are compared where a run is resumed (:mod:`phase2.runs.resume.reconcile`), before there is a checkpoint at all.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import replace

import torch

from phase2.config.request.resume_request import CODE
from phase2.config.schema import RunConfig
from phase2.errors import ModelFileError
from phase2.machine.hardware import cpu_model
from phase2.machine.versions import changed_versions, deciding_versions
from phase2.models.kernels import PLAIN
from phase2.training.checkpoints.checkpoint import Checkpoint, Origin

_LOG = logging.getLogger(__name__)

_KERNELS = "kernels"


def present_origin(config: RunConfig, device: torch.device) -> Origin:
    """Describe what the checkpoints of this process are made with."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    machine = {"processor": cpu_model(), "device": name, "threads": str(torch.get_num_threads())}
    return Origin(config=config.model_dump_json(), code=deciding_versions(), machine=machine)


def with_kernels(origin: Origin, kernels: str) -> Origin:
    """Add the kernels to the machine of an origin; the plain ones, which every checkpoint had once, are not named."""
    return origin if kernels == PLAIN else replace(origin, machine=origin.machine | {_KERNELS: kernels})


def kernels_before(checkpoint: Checkpoint) -> str:
    """Name the kernels that a checkpoint was made with."""
    return checkpoint.origin.machine.get(_KERNELS, PLAIN)


def refuse_changes(
    checkpoint: Checkpoint, origin: Origin, config: RunConfig, fingerprint: str, *, accepted: Collection[str] = ()
) -> str:
    """Refuse a checkpoint from which the training would not end where the run would have ended.

    Args:
        checkpoint: The checkpoint.
        origin: What this process runs with.
        config: Recorded configuration of the run.
        fingerprint: Fingerprint of the data.
        accepted: ``code`` accepts changed code.

    Returns:
        The changes that were accepted, described; empty when there are none.

    Raises:
        ModelFileError: The checkpoint belongs to another run, or data or code differ; the message says in what.
    """
    if checkpoint.config_digest != config.digest:
        digests = f"digest of the configuration: {checkpoint.config_digest[:12]} -> {config.digest[:12]}"
        raise _refused("configuration", digests, "Restore the checkpoint of this run, or start a new run.")
    if checkpoint.data_fingerprint != fingerprint:
        why = f"crystals, labels or split: {checkpoint.data_fingerprint[:12]} -> {fingerprint[:12]}"
        raise _refused("data", why, "Give the same data, or start a new run: another split would mix test and train.")
    changed = changed_versions(checkpoint.origin.code, origin.code)
    if changed and CODE not in accepted:
        fix = f"Use the same versions, or add --accept-change {CODE}: the run continues, and its manifest says so."
        raise _refused("code", changed, fix)
    moved = changed_versions(checkpoint.origin.machine, origin.machine)
    if moved:
        _LOG.warning("Another machine than before (%s): the last digits may differ from an uninterrupted run.", moved)
    return changed


def _refused(what: str, why: str, fix: str) -> ModelFileError:
    return ModelFileError(f"The checkpoint was made with another {what}.", why=f"{why}.", fix=fix)
