"""Named data sets with their numbers of crystals; without imports, so that every command can use it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CRYSTALS: Mapping[str, int] = MappingProxyType({"sample": 6_317, "elements": 68, "jarvis-dft3d": 75_993})
