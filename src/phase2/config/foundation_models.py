"""Pretrained potentials whose features a run can read: what each is, and what it has seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from phase2.errors import UnknownNameError


@dataclass(frozen=True, slots=True)
class FoundationModel:
    """A pretrained potential.

    Attributes:
        name: Its name here: ``sevennet-0``.
        title: Its name in texts.
        package: The package that brings it, by import name.
        package_name: Its name there.
        features: Number of features of a crystal.
        licence: Licence of package and weights.
        citation: The paper.
        seen: What it was fitted to, as a sentence.
        seen_properties: Properties that follow from what it was fitted to: errors of these are none on held-out
            crystals, for the potential has seen the energies of the same crystals.
    """

    name: str
    title: str
    package: str
    package_name: str
    features: int
    licence: str
    citation: str
    seen: str
    seen_properties: tuple[str, ...]


_SEVENNET = "Y. Park et al., J. Chem. Theory Comput. 20, 4857 (2024), doi:10.1021/acs.jctc.4c00190"
_CHGNET = "B. Deng et al., Nat. Mach. Intell. 5, 1031 (2023), doi:10.1038/s42256-023-00716-3"
_MPTRJ = (
    "It was fitted to {} of the Materials Project (MPtrj, 146,000 materials), test crystals of this data set among "
    "them."
)
_ENERGIES = ("formation_energy", "ehull")


def _sevennet(name: str, title: str, package_name: str, features: int) -> FoundationModel:
    seen = _MPTRJ.format("energies, forces and stresses")
    return FoundationModel(name, title, "sevenn", package_name, features, "MIT", _SEVENNET, seen, _ENERGIES)


_MODELS = (
    _sevennet("sevennet-0", "SevenNet-0 (11Jul2024)", "7net-0", 2048),
    _sevennet("sevennet-l3i5", "SevenNet-l3i5", "7net-l3i5", 2304),
    FoundationModel(
        name="chgnet",
        title="CHGNet 0.3.0",
        package="chgnet",
        package_name="0.3.0",
        features=512,
        licence="BSD-3-Clause-LBNL",
        citation=_CHGNET,
        seen=_MPTRJ.format("energies, forces, stresses and magnetic moments"),
        seen_properties=_ENERGIES,
    ),
)
FOUNDATION_MODELS: Mapping[str, FoundationModel] = MappingProxyType({one.name: one for one in _MODELS})


def foundation_model(name: str) -> FoundationModel:
    """Return a pretrained potential by its name.

    Raises:
        UnknownNameError: There is none of this name; the nearest is offered.
    """
    if name not in FOUNDATION_MODELS:
        raise UnknownNameError.of("backbone", name, FOUNDATION_MODELS)
    return FOUNDATION_MODELS[name]
