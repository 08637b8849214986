"""Properties of one's own, as a Python call defines them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from phase2.config.data.own_properties import PropertyDefinition

OwnProperties: TypeAlias = str | os.PathLike[str] | Sequence[str | Mapping[str, object]] | None
"""Properties of one's own: a YAML file, or definitions as mappings or as ``key:unit:column``."""


def own_definitions(value: OwnProperties) -> tuple[PropertyDefinition, ...] | None:
    """Read the properties that a call defines; None where it defines none.

    Raises:
        RequestError: A definition is not understood.
    """
    if value is None:
        return None
    from phase2.config.data.property_texts import definitions_of, parse_property, read_properties_file

    if isinstance(value, str | os.PathLike):
        return read_properties_file(Path(value), option="own_properties") or None
    found = [parse_property(one) if isinstance(one, str) else definitions_of(one, "own_properties") for one in value]
    return tuple(definition for definitions in found for definition in definitions) or None
