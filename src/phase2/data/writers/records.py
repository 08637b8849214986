"""Records of a data set as the texts of its file: JARVIS's, pymatgen's and extended XYZ."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from phase2.data.sources.base import LabelledCrystal
from phase2.properties import Property


def labels_of(one: LabelledCrystal, properties: Sequence[Property]) -> dict[str, float]:
    """Return the labels of a crystal that are there, by the keys of their properties."""
    pairs = zip(properties, one.targets.tolist(), strict=True)
    return {prop.key: value for prop, value in pairs if not math.isnan(value)}


def jarvis_record(one: LabelledCrystal) -> dict[str, object]:
    """Return the structure of a crystal in JARVIS's form: positions are fractional."""
    crystal = one.crystal
    return {
        "lattice_mat": crystal.lattice.tolist(),
        "coords": crystal.frac.tolist(),
        "elements": list(crystal.symbols),
        "cartesian": False,
    }


def jarvis_line(one: LabelledCrystal, properties: Sequence[Property]) -> str:
    """Return a record of JARVIS as a line of JSON, with JARVIS's columns."""
    columns = {prop.key: prop.column for prop in properties}
    labels = {columns[key]: value for key, value in labels_of(one, properties).items()}
    return json.dumps({"jid": one.crystal.id, **labels, "atoms": jarvis_record(one)})


def pymatgen_document(one: LabelledCrystal, properties: Sequence[Property]) -> str:
    """Return a document with a pymatgen structure, as the Materials Project's are, as JSON."""
    structure = one.crystal.to_pymatgen().as_dict()
    return json.dumps({"material_id": one.crystal.id, **labels_of(one, properties), "structure": structure})


def extxyz_frame(one: LabelledCrystal, properties: Sequence[Property]) -> str:
    """Return a frame of extended XYZ, with numbers that are read as they were: ASE writes eight decimals."""
    from ase.io.extxyz import key_val_dict_to_str, key_val_str_to_dict

    crystal = one.crystal
    name = key_val_dict_to_str({"id": crystal.id})
    if key_val_str_to_dict(name).get("id") != crystal.id:  # one that reads as a number, for instance
        name = f"id={json.dumps('_JSON ' + json.dumps(crystal.id))}"
    labels = "".join(f" {key}={value!r}" for key, value in labels_of(one, properties).items())
    lattice = " ".join(map(repr, crystal.lattice.ravel().tolist()))
    head = f'Lattice="{lattice}" Properties=species:S:1:pos:R:3 {name}{labels} pbc="T T T"'
    sites = zip(crystal.symbols, crystal.cartesian.tolist(), strict=True)
    lines = (f"{symbol} {x!r} {y!r} {z!r}" for symbol, (x, y, z) in sites)
    return "\n".join((str(crystal.n_atoms), head, *lines))
