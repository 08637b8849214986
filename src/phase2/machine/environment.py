"""What a run ran with, and where: code, packages, hardware, pod. Named facts only, never the whole environment."""

from __future__ import annotations

import math
import os
import platform
import re
import socket
import subprocess
from pathlib import Path

import phase2
from phase2.config.settings import workflow_name
from phase2.machine.cgroup import cpu_limit, memory_limit
from phase2.machine.versions import installed
from phase2.storage.records import Record

# Set by the image's build and by the pod's downward API.
COMMIT_VARIABLE = "PHASE2_COMMIT"
IMAGE_DIGEST_VARIABLE = "PHASE2_IMAGE_DIGEST"
POD_VARIABLE = "PHASE2_POD_NAME"
NAMESPACE_VARIABLE = "PHASE2_POD_NAMESPACE"
NODE_VARIABLE = "PHASE2_NODE_NAME"

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

_DIRTY = "-dirty"
THREADS_VARIABLE = "OMP_NUM_THREADS"

# What the numbers of a run depend on.
_PACKAGES = ("numpy", "torch", "e3nn", "pymatgen", "pydantic", "scipy", "triton", "matplotlib")


class Code(Record):
    """The code of a run.

    Attributes:
        phase2: Version of phase2.
        commit: Git commit of its source, by the checkout or the image's build; null where neither tells.
        dirty: Whether the checkout differed from the commit; null outside a checkout.
        image_digest: Digest of the container image; null where none was given.
        python: Version of Python.
        packages: Versions of the packages that decide numbers.
    """

    phase2: str
    commit: str | None
    dirty: bool | None
    image_digest: str | None
    python: str
    packages: dict[str, str]


class Hardware(Record):
    """The hardware of a run.

    Attributes:
        cpu: Model of the processor.
        cores: Cores that the run may use, by affinity and container limit.
        memory_bytes: Memory that it may use.
        gpu: Model of the GPU; null without one.
        platform: Operating system and architecture.
    """

    cpu: str
    cores: float
    memory_bytes: int | None
    gpu: str | None
    platform: str


class Place(Record):
    """Where a run ran; null for what does not apply.

    Attributes:
        process: Process id.
        host: Name of the machine or container.
        pod: Kubernetes pod.
        namespace: Its namespace.
        node: Its node.
        workflow: Argo workflow.
    """

    process: int
    host: str
    pod: str | None
    namespace: str | None
    node: str | None
    workflow: str | None


def code() -> Code:
    """Find out which code runs."""
    commit, dirty = _checkout(Path(phase2.__file__).parent)
    if commit is None and (built := _variable(COMMIT_VARIABLE)):
        commit, dirty = built.removesuffix(_DIRTY), built.endswith(_DIRTY)
    return Code(
        phase2=phase2.__version__,
        commit=commit,
        dirty=dirty,
        image_digest=_image_digest(),
        python=platform.python_version(),
        packages={name: version for name in _PACKAGES if (version := installed(name))},
    )


def hardware(*, gpu: str | None = None) -> Hardware:
    """Find out what it runs on.

    Args:
        gpu: Model of the GPU, if the run uses one; asking for it needs torch, which this layer does without.
    """
    return Hardware(
        cpu=cpu_model(),
        cores=cores(),
        memory_bytes=_memory(),
        gpu=gpu,
        platform=f"{platform.system()} {platform.machine()}",
    )


def place() -> Place:
    """Find out where it runs."""
    return Place(
        process=os.getpid(),
        host=socket.gethostname(),
        pod=_variable(POD_VARIABLE),
        namespace=_variable(NAMESPACE_VARIABLE),
        node=_variable(NODE_VARIABLE),
        workflow=workflow_name(),
    )


def cores() -> float:
    """Cores that this process may use: by affinity, and by the quota of its container."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(float(allowed), cpu_limit() or float("inf"))


def threads() -> int:
    """Number of threads to compute on: ``$OMP_NUM_THREADS``, or the cores that this process may really use.

    The latter are those of its CPU affinity, and no more than the CPU limit of its container: one thread per core
    of a large node would spend its time waiting for the few cores that the limit allows.
    """
    wanted = os.environ.get(THREADS_VARIABLE, "")
    if wanted.isdecimal() and int(wanted) > 0:
        return int(wanted)
    return math.ceil(cores())


def _variable(name: str) -> str | None:
    return os.environ.get(name) or None


def _image_digest() -> str | None:
    """The digest, also where the variable holds a whole reference: templates of workflows cannot cut one up."""
    named = _variable(IMAGE_DIGEST_VARIABLE)
    found = None if named is None else _DIGEST.search(named)
    return found[0] if found else None


def _checkout(folder: Path) -> tuple[str | None, bool | None]:
    """Commit and dirtiness of the checkout that tracks a folder.

    A folder that merely lies inside some other project's checkout, as an installed package does, is not tracked by it.
    """
    if _git(folder, "ls-files", "--error-unmatch", "__init__.py") is None:
        return None, None
    commit = _git(folder, "rev-parse", "HEAD")
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return commit, None if changes is None else bool(changes)


def _git(folder: Path, *words: str) -> str | None:
    # Variables such as GIT_DIR, which git sets in its hooks, would point to another checkout.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(folder), *words],  # noqa: S607
            capture_output=True,
            text=True,
            env=environment,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def cpu_model() -> str:
    """Name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, "") or platform.processor() or platform.machine()


def _memory() -> int | None:
    try:
        installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return memory_limit()
    return min(installed, memory_limit() or installed)
