"""Entries of a model file, with the exact type and the bounds of each."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from phase2.config.bounds import MOST_COUNTED
from phase2.config.schema import RunConfig
from phase2.properties import KEY, MOST_PROPERTIES, Group, Per, Property, Task, Transform
from phase2.runs.records.lineage import Lineage
from phase2.storage.archive.pickled import TensorInfo

FORMAT = "phase2-model"
VERSION = 1

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Word = Annotated[str, Field(max_length=1000)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Numbers = Annotated[list[float], Field(min_length=1, max_length=MOST_PROPERTIES)]


class Content(BaseModel):
    """Base of the entries of an archive: exact types, and no others."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, arbitrary_types_allowed=True)


class PropertyContent(Content):
    """A property that the model predicts: the fields of :class:`phase2.properties.Property`."""

    key: Annotated[str, Field(pattern=f"^{KEY}$")]
    column: Word
    title: Word
    unit: Annotated[str, Field(max_length=20)]
    transform: Transform
    group: Group
    non_negative: bool
    task: Task = "regression"
    per: Per = "none"
    lower: Finite | None = None
    upper: Finite | None = None
    times_volume: bool = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.transform == "logit" and (self.lower is None or self.upper is None or self.lower >= self.upper):
            raise ValueError("its transform needs two bounds")
        return self

    @classmethod
    def entry(cls, prop: Property) -> dict[str, object]:
        """Return the entry of a property: as in earlier versions, where it has nothing that these did not know."""
        return cls(**asdict(prop)).model_dump(exclude_defaults=True)

    def as_property(self) -> Property:
        """Return the property."""
        return Property(**self.model_dump())


class ScalerContent(Content):
    """Numbers of the normaliser, P of each; the bounds may be infinite."""

    mean: Numbers
    std: Numbers
    lower: Numbers
    upper: Numbers
    median: Numbers

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not all(map(math.isfinite, (*self.mean, *self.std, *self.median))) or min(self.std) <= 0:
            raise ValueError("it holds numbers that are not finite, or no scale")
        if len({len(numbers) for _, numbers in self}) > 1:
            raise ValueError("its lists differ in length")
        if not all(low <= high for low, high in zip(self.lower, self.upper, strict=True)):
            raise ValueError("a lower bound is above the upper one")
        return self


class UncertaintyContent(Content):
    """What the file knows about the errors of its model: see :class:`phase2.uncertainty.estimator`."""

    crystals: Sha256
    limit: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    mean: TensorInfo
    axes: TensorInfo
    points: TensorInfo
    reference_labels: TensorInfo
    predicted: TensorInfo
    labels: TensorInfo
    difficulty: TensorInfo
    factors: TensorInfo | None = None
    packing: TensorInfo | None = None


class ModelContent(Content):
    """Entries of a model file; tensors are described, not held.

    The entries are those of :class:`phase2.models.files.modelfile.TrainedModel`; configuration and lineage are JSON.
    """

    format: Literal["phase2-model"]
    version: Annotated[int, Field(ge=1, le=VERSION)]
    phase2_version: Word
    run_id: Name
    config: Annotated[str, Field(max_length=200_000)]
    properties: Annotated[list[PropertyContent], Field(min_length=1, max_length=MOST_PROPERTIES)]
    units: list[Word]
    scaler: ScalerContent
    species: Annotated[list[Annotated[int, Field(ge=1, le=118)]], Field(max_length=118)]
    mean_neighbors: Annotated[float, Field(ge=0, le=1e6)]
    epoch: Annotated[int, Field(ge=1, le=MOST_COUNTED)]
    score: Finite
    lineage: Annotated[str, Field(max_length=500_000)] | None = None
    features_digest: Sha256 | None = None
    weights: Annotated[dict[Name, TensorInfo], Field(max_length=10_000)]
    uncertainty: UncertaintyContent | None = None
    sha256: Sha256 | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        keys = [one.key for one in self.properties]
        if len(set(keys)) != len(keys) or len(self.scaler.mean) != len(keys) or len(self.units) != len(keys):
            raise ValueError("its properties, units and normaliser do not belong together")
        if any(one.unit != unit for one, unit in zip(self.properties, self.units, strict=True)):
            raise ValueError("its units are not those of its properties")
        return self

    def parsed_config(self) -> RunConfig:
        """Return the configuration of the run that trained the model.

        Raises:
            ValidationError: It is none, or a value is out of its bounds.
        """
        return RunConfig.model_validate_json(self.config, strict=True)

    def parsed_lineage(self) -> Lineage | None:
        """Return what the model had started from.

        Raises:
            ValidationError: It is damaged.
        """
        return None if self.lineage is None else Lineage.model_validate_json(self.lineage, strict=True)


def explain_invalid(error: ValidationError) -> str:
    """Say in a sentence which entry is wrong, and in what."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(map(str, first["loc"]))[:200]
    if first["type"] == "missing":
        return f"Its entry '{place}' is missing"
    reason = first["msg"].removeprefix("Value error, ")
    return f"Its entry '{place}' is wrong: {reason}" if place else f"It is damaged: {reason}"
