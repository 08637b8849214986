"""Rehearsal of kernels in a process of its own: one that reads memory it may not ends that process, not the training.

After such an error a GPU does nothing more for the process that caused it.
"""

from __future__ import annotations

import copy
import io
import signal
import subprocess
import sys

import torch

from phase2.config.request.options import Precision
from phase2.config.settings import Kernels
from phase2.data.batching import Batch
from phase2.models.base import CrystalModel

PATIENCE = 600.0
"""Seconds that a rehearsal may take; kernels are compiled in it."""
_LONGEST = 300
_CODE = "import sys; sys.path[:] = {path!r}; from phase2.models.recording.rehearsal import perform; perform()"


def rehearse(model: CrystalModel, batch: Batch, kernels: Kernels, precision: Precision) -> str:
    """Do a forward and a backward pass with these kernels in another process, on the same device.

    Args:
        model: The network, on its device.
        batch: A batch on that device.
        kernels: What is to compute the sums of the network.
        precision: Precision of the passes.

    Returns:
        Why the kernels must not be used; empty where the passes went well.
    """
    device = next(model.parameters()).device
    content = io.BytesIO()
    torch.save((copy.deepcopy(model).cpu(), batch.to("cpu"), str(device), kernels, precision), content)
    try:
        done = subprocess.run(  # noqa: S603 - this interpreter, our code
            [sys.executable, "-c", _CODE.format(path=sys.path)],
            input=content.getvalue(), capture_output=True, timeout=PATIENCE, process_group=0, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"their rehearsal took longer than {PATIENCE:g} s"
    except OSError as error:
        return f"they could not be rehearsed: {error}"
    if done.returncode == 0:
        return ""
    if done.returncode < 0:
        return f"their rehearsal was ended by {signal.Signals(-done.returncode).name}"
    last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    return last[:_LONGEST] or f"their rehearsal ended with exit code {done.returncode}"


def perform() -> None:
    """Do the passes that standard input describes, as :func:`rehearse` writes it."""
    from phase2.models.recording.kernels import pass_of

    # Written by the process that started this one.
    model, batch, device, kernels, precision = torch.load(io.BytesIO(sys.stdin.buffer.read()), weights_only=False)
    pass_of(model.to(device), kernels, batch.to(device), precision)()
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)
