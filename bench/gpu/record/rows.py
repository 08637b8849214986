"""Rows of the record of a check: what was measured or shown, one model for each kind."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Frozen(BaseModel):
    """Immutable model that refuses unknown fields and numbers that are not finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Spread(Frozen):
    """Median and range of repeated measurements."""

    median: float
    lowest: float
    highest: float
    repeats: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Summarise measurements."""
        return cls(median=statistics.median(values), lowest=min(values), highest=max(values), repeats=len(values))

    def scaled(self, factor: float) -> Spread:
        """Return the measurements times a positive factor."""
        change = {name: factor * getattr(self, name) for name in ("median", "lowest", "highest")}
        return self.model_copy(update=change)


class DeviceRow(Frozen):
    """The machine, and the versions that computed.

    Attributes:
        name: Model of the GPU, or ``cpu``.
        memory_bytes: Memory of the GPU; null on the CPU.
        driver: Version of the NVIDIA driver; null where it is not known.
        cuda: Version of CUDA that torch was built with; null for none.
        versions: Of Python, phase2 with a digest of its code, and the packages it computes with.
    """

    kind: Literal["device"] = "device"
    name: str
    memory_bytes: int | None
    driver: str | None
    cuda: str | None
    cpu: str
    cores: float
    threads: int
    versions: dict[str, str]


class LawRow(Frozen):
    """A law that must hold: something is equal but for rounding.

    Attributes:
        law: What is equal.
        subject: Network or part that it was checked on.
        gap: Largest difference found, relative; null where it is not finite.
        tolerance: Largest difference allowed; 0 is bit for bit.
        holds: Whether the gap is within the tolerance.
        note: How the tolerance was chosen, where that depends on the machine.
    """

    kind: Literal["law"] = "law"
    law: str
    subject: str
    gap: float | None
    tolerance: float
    holds: bool
    note: str = ""

    @classmethod
    def of(cls, law: str, subject: str, gap: float, tolerance: float, note: str = "") -> LawRow:
        """Compare a difference with its tolerance; a difference that is no number fails."""
        finite = abs(gap) < float("inf")
        return cls(
            law=law,
            subject=subject,
            gap=gap if finite else None,
            tolerance=tolerance,
            holds=finite and gap <= tolerance,
            note=note,
        )


class Network(Frozen):
    """A network of the levels table with the batch that it is trained with, as it was measured.

    Attributes:
        levels: Rows of the levels table that train it so.
        batch_size: Crystals of a batch in that table; fewer are measured where the store holds fewer.
        feature: What made it faster; ``eager`` is PyTorch as it comes.
    """

    algorithm: str
    levels: tuple[str, ...]
    size: str
    batch_size: int
    feature: str = "eager"
    precision: Literal["fp32", "bf16"] = "fp32"

    @property
    def title(self) -> str:
        """Name for people."""
        return f"{self.algorithm} {self.size}, batch {self.batch_size} ({', '.join(self.levels)})"


class TrainingRow(Frozen):
    """Speed and memory of training.

    Attributes:
        crystals: Crystals of a step.
        step_ms: Time of a step whose batch is on the device already, milliseconds.
        loaded_ms: The same with the loader of a training, which gathers each batch and copies it.
        crystals_per_second: With that loader, at the median.
        optimizer_share: Share of the optimiser in a step, each part timed until the device had finished; null
            where a step is one launch.
        peak_bytes: Most memory of the device that PyTorch had allocated; null on the CPU.
    """

    kind: Literal["training"] = "training"
    network: Network
    optimizer: str
    crystals: int
    step_ms: Spread
    loaded_ms: Spread
    crystals_per_second: float
    optimizer_share: float | None
    peak_bytes: int | None


class PredictionRow(Frozen):
    """Speed of prediction from packed graphs, collation and the copies to and from the device included.

    Attributes:
        crystals: Crystals per batch.
        batch_ms: Time of one of several batches that are predicted in a row, milliseconds.
    """

    kind: Literal["prediction"] = "prediction"
    network: Network
    crystals: int
    batch_ms: Spread
    crystals_per_second: float
    peak_bytes: int | None


class ProfileRow(Frozen):
    """What a training step asks of the device, by torch's profiler; the batch is on the device.

    Attributes:
        steps: Steps profiled.
        step_ms: Median time of a step without the profiler, milliseconds.
        operators: Innermost operators per step, views included.
        launches: Kernel launches per step; null on the CPU.
        host_reads: Reads of a tensor's value by the host per step (``aten::_local_scalar_dense``).
        synchronisations: Calls of CUDA per step that wait for the device; null on the CPU.
        busy_ms: Time per step in which the device computed or copied, milliseconds; null on the CPU.
        idle_share: Share of ``step_ms`` in which it did not; null on the CPU.
    """

    kind: Literal["profile"] = "profile"
    network: Network
    steps: int
    step_ms: float
    operators: float
    launches: float | None
    host_reads: float
    synchronisations: float | None
    busy_ms: float | None
    idle_share: float | None


class FirstStepRow(Frozen):
    """Time from the start of a process to the end of its first training step, seconds, by stage."""

    kind: Literal["first_step"] = "first_step"
    network: Network
    imports: float
    data: float
    model: float
    first_step: float
    total: float


class BaselineRow(Frozen):
    """A training step compared with that of another library: same crystals, loss and AdamW, in turn, fp32.

    Attributes:
        ratio: How many times as fast phase2 is, of the medians.
    """

    kind: Literal["baseline"] = "baseline"
    network: Network
    baseline: str
    crystals: int
    step_ms: Spread
    baseline_ms: Spread
    ratio: float


class SkippedRow(Frozen):
    """What was not measured, and why."""

    kind: Literal["skipped"] = "skipped"
    what: str
    why: str


class FailureRow(Frozen):
    """What failed inside a section that continued."""

    kind: Literal["failure"] = "failure"
    what: str
    error: str


Row = Annotated[
    DeviceRow
    | LawRow
    | TrainingRow
    | PredictionRow
    | ProfileRow
    | FirstStepRow
    | BaselineRow
    | SkippedRow
    | FailureRow,
    Field(discriminator="kind"),
]
