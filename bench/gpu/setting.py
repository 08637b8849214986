"""What a section is given: device, crystals and how long it may measure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.gpu.store import PackedStore

if TYPE_CHECKING:
    import torch

DATA = Path("build/gpu-crystals.npz")
"""The packed crystals, unless another file is named."""


@dataclass(frozen=True)
class Setting:
    """What a section is given.

    Attributes:
        device_name: ``cuda`` or ``cpu``.
        data: File of packed crystals.
        quick: Measure as little as shows that the check itself works.
    """

    device_name: str
    data: Path
    quick: bool

    @property
    def store(self) -> PackedStore:
        """The packed crystals."""
        return PackedStore(self.data)

    @property
    def seconds(self) -> float:
        """How long one number is measured."""
        return 0.0 if self.quick else 1.0

    @property
    def repeats(self) -> int:
        """How often."""
        return 1 if self.quick else 7

    def device(self) -> torch.device:
        """Return the device, with single precision as exact as it is on the CPU: without TF32.

        Raises:
            RequestError: There is no such device.
        """
        import torch

        from phase2.models.device import choose_device

        torch.set_float32_matmul_precision("highest")
        device = choose_device(self.device_name)
        if device.type == "cuda":
            torch.cuda.init()  # some questions about memory are refused before
        return device
