"""The data sets that have a name, and how many crystals each has. Imports nothing, so that any command can ask."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CRYSTALS: Mapping[str, int] = MappingProxyType({"sample": 6_317, "jarvis-dft3d": 75_993})
