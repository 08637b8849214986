"""Whether a training may continue a checkpoint: the same run, the same data, the same code."""

from __future__ import annotations

import logging
from collections.abc import Collection

import torch
from pydantic import ValidationError

from phase2.config.resumption import CODE
from phase2.config.schema import RunConfig
from phase2.errors import ModelFileError
from phase2.machine.hardware import cpu_model
from phase2.machine.versions import changed_versions, deciding_versions
from phase2.runs.resume.config_diff import differences
from phase2.training.checkpoints.checkpoint import Checkpoint, Origin, load_checkpoint
from phase2.training.result import TrainingFiles

_LOG = logging.getLogger(__name__)


def present_origin(config: RunConfig, device: torch.device) -> Origin:
    """What a checkpoint of this process is made with."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    machine = {"processor": cpu_model(), "device": name, "threads": str(torch.get_num_threads())}
    return Origin(config=config.model_dump_json(), code=deciding_versions(), machine=machine)


def newest_checkpoint(files: TrainingFiles) -> Checkpoint:
    """Read the newest checkpoint that can be used: a damaged one gives way to the one before, with a warning.

    Raises:
        ModelFileError: There is none, or none can be used.
    """
    try:
        return load_checkpoint(files.checkpoint)
    except ModelFileError as error:
        if not files.previous.is_file():
            raise
        checkpoint = load_checkpoint(files.previous)
        _LOG.warning("%s Going on from the checkpoint before it, step %d.", error, checkpoint.step)
        return checkpoint


def refuse_changes(
    checkpoint: Checkpoint, origin: Origin, config: RunConfig, fingerprint: str, *, accepted: Collection[str] = ()
) -> str:
    """Refuse to continue a checkpoint with what would not end where the run would have ended.

    Args:
        checkpoint: The checkpoint.
        origin: What this process runs with.
        config: The run's configuration.
        fingerprint: Fingerprint of its data.
        accepted: ``code`` continues with changed code.

    Returns:
        The changes that were accepted, in words; empty when there are none.

    Raises:
        ModelFileError: Configuration, data or code differ; the message names in what.
    """
    if checkpoint.config_digest != config.digest:
        raise _refused("configuration", _settings(checkpoint, config), "Start a new run for other settings.")
    if checkpoint.data_fingerprint != fingerprint:
        why = f"crystals, labels or split: {checkpoint.data_fingerprint[:12]} -> {fingerprint[:12]}"
        raise _refused("data", why, "Give the same data, or start a new run: another split would mix test and train.")
    changed = changed_versions(checkpoint.origin.code, origin.code)
    if changed and CODE not in accepted:
        fix = f"Use the same versions, or add --accept-change {CODE}: the run goes on and says so in its manifest."
        raise _refused("code", changed, fix)
    moved = changed_versions(checkpoint.origin.machine, origin.machine)
    if moved:
        _LOG.warning("Another machine than before (%s): the last digits may differ from an undisturbed run.", moved)
    return changed


def _settings(checkpoint: Checkpoint, config: RunConfig) -> str:
    try:
        return differences(RunConfig.model_validate_json(checkpoint.origin.config), config)
    except ValidationError:
        return f"fingerprint {checkpoint.config_digest[:12]} -> {config.digest[:12]}"


def _refused(what: str, why: str, fix: str) -> ModelFileError:
    return ModelFileError(f"The checkpoint was made with another {what}.", why=f"{why}.", fix=fix)
