"""Crystals from JARVIS records, CIF and POSCAR files and pymatgen structures.

pymatgen is imported where it is needed only: it takes half a second, and JARVIS records do without it.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phase2.data.crystals.crystal import Crystal
from phase2.errors import DataError, InvalidCrystalError

if TYPE_CHECKING:
    from pymatgen.core import Structure

STRUCTURE_SUFFIXES = (".cif", ".vasp", ".poscar", ".json")

# What pymatgen's parsers raise on damaged text; they have no exception of their own.
_PARSER_ERRORS = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    RuntimeError,
    Warning,
)

# Warnings after which pymatgen goes on with a structure that is not the one in the file.
_FATAL_WARNINGS = ("Elements in POSCAR", "implicit hydrogens", "Some occupancies")

_OCCUPANCY_TOLERANCE = 1e-3


def read_structure(path: Path, id: str | None = None) -> Crystal:  # noqa: A002 - the crystal's own field
    """Read one structure by the name of its file: CIF, POSCAR or the JSON of a JARVIS record.

    Args:
        path: ``*.cif``, ``*.vasp``, ``*.poscar``, ``POSCAR*``, ``CONTCAR*`` or ``*.json``.
        id: Name of the crystal; the name of the file by default.

    Raises:
        DataError: The file cannot be read, or its name says no format.
        InvalidCrystalError: It holds no, several, or no valid ordered crystal; the message names file and site.
    """
    if path.suffix.lower() == ".cif":
        return read_cif(path, id)
    if path.suffix.lower() in {".vasp", ".poscar"} or path.name.upper().startswith(("POSCAR", "CONTCAR")):
        return read_poscar(path, id)
    if path.suffix.lower() == ".json":
        return _read_json(path, id)
    raise DataError(
        f"{path} has no known structure format.",
        why=f"Structures end in {', '.join(STRUCTURE_SUFFIXES)} or are called POSCAR or CONTCAR.",
        fix="Rename or convert it.",
    )


def is_structure_file(path: Path) -> bool:
    """Whether the name of a file says that it holds a structure."""
    return path.suffix.lower() in STRUCTURE_SUFFIXES or path.name.upper().startswith(("POSCAR", "CONTCAR"))


def read_cif(path: Path, id: str | None = None) -> Crystal:  # noqa: A002
    """Read a CIF with one ordered structure; the cell is kept as it is written.

    Raises:
        DataError: The file cannot be read.
        InvalidCrystalError: It holds no, several, or no valid ordered crystal; the message names file and site.
    """
    return _read_with_pymatgen(path, id, _parse_cif)


def read_poscar(path: Path, id: str | None = None) -> Crystal:  # noqa: A002
    """Read a POSCAR or CONTCAR that names its elements.

    Raises:
        DataError: The file cannot be read.
        InvalidCrystalError: It holds no valid crystal; the message names file and site.
    """
    return _read_with_pymatgen(path, id, _parse_poscar)


def from_record(record: Mapping[str, object], id: str | None = None) -> Crystal:  # noqa: A002
    """Build a crystal from a JARVIS record, or from its ``atoms`` alone.

    Args:
        record: ``{"jid": ..., "atoms": {"lattice_mat": (3, 3), "coords": (N, 3), "elements": N symbols,
            "cartesian": bool}}``; lengths in angstrom.
        id: Name of the crystal; ``jid`` by default.

    Raises:
        InvalidCrystalError: A part is missing, has a wrong type, or is no valid crystal.
    """
    name = str(record.get("jid", "unnamed")) if id is None else id
    atoms = record.get("atoms", record)
    if not isinstance(atoms, Mapping):
        raise InvalidCrystalError.of(
            name, f"its 'atoms' are {_shortened(atoms)}, not an object with lattice_mat, coords, elements."
        )
    try:
        lattice, coords, elements = atoms["lattice_mat"], atoms["coords"], atoms["elements"]
    except KeyError as missing:
        raise InvalidCrystalError.of(name, f"its 'atoms' have no {missing}.") from None
    if not isinstance(elements, list | tuple):
        raise InvalidCrystalError.of(name, f"its elements are {_shortened(elements)}, not a list.")
    cartesian = atoms.get("cartesian", False)
    if not isinstance(cartesian, bool):
        raise InvalidCrystalError.of(name, f"its 'cartesian' is {_shortened(cartesian)}, not true or false.")
    return Crystal.checked(name, elements, _fractional(name, coords, lattice) if cartesian else coords, lattice)


def from_pymatgen(structure: Structure, id: str) -> Crystal:  # noqa: A002
    """Convert a pymatgen structure; oxidation states, spins and isotopes are dropped.

    Raises:
        InvalidCrystalError: A site is disordered, vacant or holds a dummy species, or the cell is invalid.
    """
    species = [_only_element(id, site, content.species) for site, content in enumerate(structure)]
    return Crystal.checked(id, species, structure.frac_coords, structure.lattice.matrix)


def _read_with_pymatgen(path: Path, crystal_id: str | None, parse: Callable[[str, str], Crystal]) -> Crystal:
    text = _read_text(path)
    name = path.name if crystal_id is None else crystal_id
    with warnings.catch_warnings(record=True) as heard, _naming(path):
        warnings.simplefilter("always")
        try:
            crystal = parse(text, name)
        except InvalidCrystalError:
            raise
        except _PARSER_ERRORS as error:
            reasons = [str(w.message) for w in heard if "No structure parsed" in str(w.message)]
            reason = "; ".join(reasons) or f"it cannot be parsed: {str(error) or type(error).__name__}"
            raise InvalidCrystalError.of(name, _on_one_line(reason)) from error
        for warning in heard:
            if any(fatal in str(warning.message) for fatal in _FATAL_WARNINGS):
                raise InvalidCrystalError.of(name, _on_one_line(str(warning.message)))
        return crystal


def _parse_cif(text: str, crystal_id: str) -> Crystal:
    from pymatgen.io.cif import CifParser

    # Tolerant about occupancies here, because from_pymatgen names the site.
    parser = CifParser.from_str(text, occupancy_tolerance=100.0)
    structures = parser.parse_structures(primitive=False)
    if len(structures) > 1:
        formulas = ", ".join(structure.composition.reduced_formula for structure in structures)
        raise ValueError(f"it holds {len(structures)} structures ({formulas}), expected one")
    crystal = from_pymatgen(structures[0], crystal_id)
    reason = parser.check(structures[0])
    # A file that was cut off still parses, with fewer atoms than its formula says.
    if reason and reason.startswith(("Missing elements", "Incorrect stoichiometry")):
        raise ValueError(f"its sites do not fit its formula: {reason}")
    return crystal


def _parse_poscar(text: str, crystal_id: str) -> Crystal:
    from pymatgen.io.vasp.inputs import Poscar

    return from_pymatgen(Poscar.from_str(text).structure, crystal_id)


def _read_json(path: Path, crystal_id: str | None) -> Crystal:
    try:
        record = json.loads(_read_text(path))
    except (json.JSONDecodeError, RecursionError) as error:
        raise DataError(f"{path} is no valid JSON.", why=f"{error}.", fix="Write the file again.") from error
    with _naming(path):
        if not isinstance(record, dict):
            raise InvalidCrystalError.of(path.name, f"its JSON is {_shortened(record)}, not an object with 'atoms'.")
        return from_record(record, path.name if crystal_id is None else crystal_id)


def _read_text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read.", why=f"{error.strerror}.", fix="Check the path.") from error
    if b"\0" in content:
        raise DataError(
            f"{path} is no text file.", why="It holds zero bytes: binary, or UTF-16.", fix="Save it as UTF-8 text."
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Older CIFs have authors' names in Latin-1; symbols and numbers are ASCII either way.
        return content.decode("latin-1")


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Put the name of the file before what is wrong with the crystal."""
    try:
        yield
    except InvalidCrystalError as error:
        raise InvalidCrystalError(f"{path} holds no valid crystal:", why=error.why, fix=error.fix) from error


def _only_element(crystal_id: str, site: int, species: Mapping[object, float]) -> str:
    from pymatgen.core import DummySpecies

    present = {kind: occupancy for kind, occupancy in species.items() if occupancy > 0}
    occupancy = sum(present.values())
    if len(present) != 1 or abs(occupancy - 1) > _OCCUPANCY_TOLERANCE:
        content = " + ".join(f"{occupancy:g} {kind}" for kind, occupancy in present.items()) or "nothing"
        raise InvalidCrystalError.of(
            crystal_id,
            f"site {site} is disordered: it holds {content}, expected one whole atom.",
            "Replace the structure by an ordered approximant, or remove it.",
        )
    kind = next(iter(present))
    if isinstance(kind, DummySpecies):
        raise InvalidCrystalError.of(
            crystal_id, f"site {site} holds the dummy species {kind}, which is no chemical element."
        )
    return cast("str", kind.symbol)  # type: ignore[attr-defined]


def _fractional(crystal_id: str, coords: ArrayLike, lattice: ArrayLike) -> NDArray[np.float64] | ArrayLike:
    try:
        return np.linalg.solve(np.asarray(lattice, dtype=np.float64).T, np.asarray(coords, dtype=np.float64).T).T
    except np.linalg.LinAlgError:
        return coords  # the cell has no volume, which the check says better
    except (TypeError, ValueError):
        raise InvalidCrystalError.of(
            crystal_id, "its lattice_mat or coords are not tables of numbers with three columns."
        ) from None


def _on_one_line(message: str) -> str:
    return " ".join(message.split())


def _shortened(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
