"""Properties that a run defines, besides the nine: definitions as data, which travel in its configuration."""

from __future__ import annotations

import json
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from phase2.config.frozen import Frozen
from phase2.properties import KEY, Group, Per, Property, Task, Transform

FORBIDDEN = "{}[]$;\\\"'`<>|"
"""Characters that no title, unit or column has: they mean something to shells, templates and workflows."""


def _plain(text: str) -> str:
    odd = next((character for character in text if character in FORBIDDEN or not character.isprintable()), None)
    if odd is not None:
        raise ValueError(f"the character {odd!r} is not allowed")
    return text.strip()


Text = Annotated[str, Field(max_length=60), AfterValidator(_plain)]


class PropertyDefinition(Frozen):
    """Definition of a property by a person.

    The JSON form leaves out what has its default.

    Attributes:
        key: Name used throughout phase2: lower-case letters, digits and underscores, beginning with a letter.
        title: Name in tables and figures; made from the key where it is empty.
        unit: Unit of labels, predictions and bounds; empty for a number without one.
        column: Column or field of the data set that holds the labels; the key where it is empty.
        task: ``binary`` for labels that are true or false, which are predicted as probabilities.
        transform: Function of the value that the network learns: ``log1p`` and ``asinh`` for values of several orders
            of magnitude, ``logit`` for values between two bounds.
        lower: Smallest possible value: labels below it are left out, and predictions are cut off there.
        upper: Largest possible value, likewise.
        per: What a value is counted per. Values per ``cell`` grow with the cell, those per ``volume`` are densities:
            both are learned per atom. ``none`` and ``atom`` are learned as they are.
        group: ``core`` is trained where no property is named; ``all`` with ``--all-properties`` or by name.
    """

    key: str = Field(pattern=f"^{KEY}$")
    title: Text = ""
    unit: Annotated[str, Field(max_length=20), AfterValidator(_plain)] = ""
    column: Text = ""
    task: Task = "regression"
    transform: Transform = "none"
    lower: float | None = None
    upper: float | None = None
    per: Per = "none"
    group: Group = "core"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.lower is not None and self.upper is not None and self.lower >= self.upper:
            raise ValueError("lower is not below upper")
        if self.transform == "logit" and (self.lower is None or self.upper is None):
            raise ValueError("the transform logit needs both bounds, lower and upper")
        if self.per in ("cell", "volume") and (self.upper is not None or self.lower not in (None, 0)):
            raise ValueError(f"a value per {self.per} has no other bound than lower: 0, since it grows without one")
        if self.task == "binary" and (
            self.unit or self.transform != "none" or self.per != "none" or (self.lower, self.upper) != (None, None)
        ):
            raise ValueError("a binary property has no unit, transform, bounds or per")
        return self

    @model_serializer(mode="wrap")
    def _without_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        defaults = {name: info.default for name, info in type(self).model_fields.items()}
        return {name: value for name, value in handler(self).items() if value != defaults[name]}

    @property
    def text(self) -> str:
        """The argument of ``--property`` that gives this definition, as JSON."""
        return json.dumps(self.model_dump(mode="json"), ensure_ascii=False, separators=(",", ":"))

    def as_property(self) -> Property:
        """Return the property that is defined."""
        return Property(
            key=self.key,
            column=self.column or self.key,
            title=self.title or self.key.replace("_", " ").capitalize(),
            unit=self.unit,
            transform=self.transform,
            group=self.group,
            non_negative=False,
            task=self.task,
            per=self.per,
            lower=self.lower,
            upper=self.upper,
        )
