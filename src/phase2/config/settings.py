"""Settings from environment variables: cache, store, run id and container."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, get_args

from phase2.errors import RequestError, UnknownNameError

CACHE_VARIABLE = "PHASE2_CACHE_DIR"
RUN_ID_VARIABLE = "PHASE2_RUN_ID"
STAY_VARIABLE = "PHASE2_STAY"
JOIN_VARIABLE = "PHASE2_JOIN_MINUTES"
PACKED_VARIABLE = "PHASE2_PACKED"
GPUS_VARIABLE = "PHASE2_GPUS"
KERNELS_VARIABLE = "PHASE2_KERNELS"
METRICS_PORT_VARIABLE = "PHASE2_METRICS_PORT"
WORKFLOW_VARIABLE = "PHASE2_WORKFLOW_NAME"
BASELINES_VARIABLE = "PHASE2_BASELINES"
RESUME_VARIABLE = "PHASE2_RESUME"
SET_VARIABLE = "PHASE2_SET"
PROPERTY_VARIABLE = "PHASE2_PROPERTY"
STORE_VARIABLE = "PHASE2_STORE"
TRACK_VARIABLE = "PHASE2_TRACK"
TRACK_PATIENCE_VARIABLE = "PHASE2_TRACK_PATIENCE"
TENSORBOARD_VARIABLE = "PHASE2_TENSORBOARD_DIR"
NOTIFY_VARIABLE = "PHASE2_NOTIFY"
NOTIFY_ON_VARIABLE = "PHASE2_NOTIFY_ON"
PATIENCE_VARIABLE = "PHASE2_STORE_PATIENCE"
ARGO_PROGRESS_VARIABLE = "ARGO_PROGRESS_FILE"
TERMINATION_LOG_VARIABLE = "PHASE2_TERMINATION_LOG"
IMAGE_VARIABLE = "PHASE2_IMAGE"
NAMESPACE_VARIABLE = "PHASE2_NAMESPACE"
LOG_FORMAT_VARIABLE = "PHASE2_LOG_FORMAT"
_IN_POD_VARIABLES = ("PHASE2_POD_NAME", "KUBERNETES_SERVICE_HOST")

Kernels = Literal["plain", "triton"]
"""What computes the inner sums of a network: PyTorch's operations, or fused kernels written in Triton."""
KERNELS: tuple[Kernels, ...] = get_args(Kernels)

LogFormat = Literal["text", "json"]
"""Format of the lines that a training writes: a table for people, or JSON for programs."""

CHECKPOINT_MINUTES = 10.0
"""Longest time between two checkpoints, unless the user says otherwise."""
STALL_MINUTES = 30.0
"""Time without a step after which a training counts as stalled, unless the user says otherwise."""


def cache_dir() -> Path:
    """Return the folder of downloads and graph stores: ``$PHASE2_CACHE_DIR``, or the user's cache folder.

    Raises:
        RequestError: Neither is known: the user, as one of a container may, has no home directory.
    """
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named)
    from platformdirs import user_cache_path

    try:
        return user_cache_path("phase2")
    except RuntimeError as error:
        raise RequestError(
            "There is no folder for downloads and graphs.",
            why="The user has no home directory.",
            fix=f"Name a folder that may be written to in {CACHE_VARIABLE}.",
        ) from error


def progress_file() -> Path | None:
    """Return the file that an Argo executor reads progress from (``done/total``); None outside of Argo."""
    name = os.environ.get(ARGO_PROGRESS_VARIABLE)
    return Path(name) if name else None


def run_id_of_process() -> str | None:
    """Return the run id of this process (``$PHASE2_RUN_ID``), shared by all attempts; None when not set.

    In a workflow that neither names its run nor continues one, the run has the name of the workflow.
    """
    named = os.environ.get(RUN_ID_VARIABLE)
    return named or (None if run_to_resume() else workflow_name())


def stays_with_run() -> bool:
    """Whether this process, one of several machines that train a run, stays until it is ended (``PHASE2_STAY``).

    The pods of a Job do: of a pod that has ended well Kubernetes starts no other, and without it the first one could
    not resume.
    """
    return os.environ.get(STAY_VARIABLE) == "1"


def join_minutes() -> float | None:
    """Return the longest time that machines wait for one another (``$PHASE2_JOIN_MINUTES``); None for no own limit.

    Raises:
        RequestError: The variable is no positive number.
    """
    word = os.environ.get(JOIN_VARIABLE)
    if not word:
        return None
    try:
        minutes = float(word)
    except ValueError:
        minutes = 0
    if not 0 < minutes < 1e4:
        raise RequestError(f"{JOIN_VARIABLE}={word} is not understood.", fix="Use a number of minutes.")
    return minutes


def packed_runs() -> int:
    """Return how many trainings share this machine at once, this one among them (``$PHASE2_PACKED``, or 1)."""
    word = os.environ.get(PACKED_VARIABLE, "")
    return max(1, int(word)) if word.isdecimal() else 1


def reserved_gpus() -> int:
    """Return how many GPUs a pod reserves for the run that it trains (``$PHASE2_GPUS``); 0 where it reserves none.

    Raises:
        RequestError: The variable is no number.
    """
    word = os.environ.get(GPUS_VARIABLE) or "0"
    if not word.isdecimal():
        raise RequestError(f"{GPUS_VARIABLE}={word} is not understood.", fix="Use a number of GPUs.")
    return int(word)


def wanted_kernels() -> Kernels | None:
    """Return what has to compute the inner sums of networks (``$PHASE2_KERNELS``); None where a trial chooses.

    Raises:
        UnknownNameError: The variable names nothing known.
    """
    word = os.environ.get(KERNELS_VARIABLE, "auto") or "auto"
    for name in KERNELS:
        if name == word:
            return name
    if word != "auto":
        raise UnknownNameError.of("kernels", word, ["auto", *KERNELS])
    return None


def run_to_resume() -> str | None:
    """Return the run that a workflow resumes (``$PHASE2_RESUME``), as ``--resume RUN`` does elsewhere."""
    return os.environ.get(RESUME_VARIABLE) or None


def workflow_name() -> str | None:
    """Return the workflow that this process is a step of (``$PHASE2_WORKFLOW_NAME``); None outside of one."""
    return os.environ.get(WORKFLOW_VARIABLE) or None


def store_patience() -> float:
    """Return the seconds for which a finished run retries an unreachable store (``$PHASE2_STORE_PATIENCE``, or 180).

    Raises:
        RequestError: The variable is no number.
    """
    return _seconds(PATIENCE_VARIABLE, 180.0)


def track_patience() -> float:
    """Return the seconds for which a finished run waits for its trackers (``$PHASE2_TRACK_PATIENCE``, or 30).

    Raises:
        RequestError: The variable is no number.
    """
    return _seconds(TRACK_PATIENCE_VARIABLE, 30.0)


def _seconds(variable: str, default: float) -> float:
    word = os.environ.get(variable) or str(default)
    try:
        seconds = float(word)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise RequestError(f"{variable}={word} is not understood.", fix="Use a number of seconds.")
    return seconds


def termination_log() -> Path | None:
    """Return the file of the pod's termination message (``$PHASE2_TERMINATION_LOG``); None outside of a pod."""
    name = os.environ.get(TERMINATION_LOG_VARIABLE)
    return Path(name) if name else None


def image_reference() -> str | None:
    """Return the container image of submitted runs (``$PHASE2_IMAGE``); None when not set."""
    return os.environ.get(IMAGE_VARIABLE) or None


def cluster_namespace() -> str | None:
    """Return the namespace of submitted runs (``$PHASE2_NAMESPACE``); None when not set."""
    return os.environ.get(NAMESPACE_VARIABLE) or None


def store_url() -> str | None:
    """Return the store of runs (``$PHASE2_STORE``), a URL or a folder; None when not set."""
    return os.environ.get(STORE_VARIABLE) or None


def log_format() -> LogFormat | None:
    """Return the format of the lines of a training (``$PHASE2_LOG_FORMAT``); None when not set.

    Raises:
        UnknownNameError: The variable is neither ``text`` nor ``json``.
    """
    return check_log_format(os.environ.get(LOG_FORMAT_VARIABLE) or None, LOG_FORMAT_VARIABLE)


def check_log_format(name: str | None, where: str) -> LogFormat | None:
    """Validate a format of lines; None stays None.

    Args:
        name: The format.
        where: Option or variable that gives it.

    Raises:
        UnknownNameError: It is neither ``text`` nor ``json``.
    """
    for known in get_args(LogFormat):
        if name == known:
            return known  # type: ignore[no-any-return]
    if name is None:
        return None
    raise UnknownNameError.of(f"format of lines ({where})", name, get_args(LogFormat))


def is_in_pod() -> bool:
    """Whether this process runs in a pod of Kubernetes."""
    return any(os.environ.get(name) for name in _IN_POD_VARIABLES)


def tensorboard_dir() -> Path | None:
    """Return the folder of TensorBoard's files (``$PHASE2_TENSORBOARD_DIR``); None when not set."""
    named = os.environ.get(TENSORBOARD_VARIABLE)
    return Path(named) if named else None
