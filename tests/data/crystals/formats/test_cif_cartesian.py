"""Cartesian positions of mmCIF and of the core dictionary become the fractional ones that gemmi finds."""

import gemmi
import numpy as np
import pytest

from phase2.data.crystals.formats.schemas import FoundStructure
from phase2.errors import InvalidCrystalError

from .cif_texts import cif, symbol

CELL = (5.1, 6.2, 7.3, 81.0, 97.0, 108.0)
FRACTIONAL = np.array([[0.05, 0.1, 0.2], [0.4, 0.6, 0.75], [0.8, 0.33, 0.51]])
ELEMENTS = ("Na", "CL", "O")
CARTESIAN = ("label", "type_symbol", "Cartn_x", "Cartn_y", "Cartn_z")


def read(text):
    return FoundStructure("cif", text).to_crystal("folder/a.cif", "a")


def refused(text):
    with pytest.raises(InvalidCrystalError) as caught:
        read(text)
    return str(caught.value)


def cartesian(frac=FRACTIONAL, cell=CELL):
    box = gemmi.UnitCell(*cell)
    return np.array([box.orthogonalize(gemmi.Fractional(*row)).tolist() for row in frac])


def text_of(positions, *lines, dotted=True, cell=CELL, columns=CARTESIAN, more=("",) * 9):
    sites = [
        f"{element}{k} {element} {' '.join(f'{x:.4f}' for x in row)} {extra}"
        for k, (element, row, extra) in enumerate(zip(ELEMENTS, positions, more, strict=False), 1)
    ]
    text = cif(symbol("P 1"), *lines, cell=cell, columns=columns, sites=sites)
    return text.replace("_atom_site_", "_atom_site.").replace("_cell_", "_cell.") if dotted else text


def test_mmcif_of_gemmi_is_read_as_gemmi_reads_it():
    structure = gemmi.Structure()
    structure.cell = gemmi.UnitCell(*CELL)
    structure.spacegroup_hm = "P 1"
    residue = gemmi.Residue()
    residue.name, residue.seqid = "LIG", gemmi.SeqId("1")
    for number, (element, position) in enumerate(zip(ELEMENTS, cartesian(), strict=True), 1):
        atom = gemmi.Atom()
        atom.name, atom.element, atom.pos = f"{element}{number}", gemmi.Element(element), gemmi.Position(*position)
        residue.add_atom(atom)
    chain = gemmi.Chain("A")
    chain.add_residue(residue)
    model = gemmi.Model(1)
    model.add_chain(chain)
    structure.add_model(model)
    crystal = read(structure.make_mmcif_document().as_string())
    assert crystal.symbols == ("Na", "Cl", "O")
    np.testing.assert_allclose(crystal.frac, FRACTIONAL, atol=5e-4)


def test_the_convention_of_mmcif_is_remarked():
    crystal = read(text_of(cartesian()))
    np.testing.assert_allclose(crystal.frac, FRACTIONAL, atol=1e-4)
    assert crystal.remarks == (
        "its Cartesian positions are taken in the axes of mmCIF: a along x, b in the plane of x and y",
    )


def turned():
    """Axes that are none of a convention: a matrix to fractional positions, and the positions."""
    rotation, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    rotation *= np.sign(np.linalg.det(rotation))
    moved = cartesian() @ rotation.T + [1.0, 2.0, 3.0]
    matrix = np.array(gemmi.UnitCell(*CELL).frac.mat.tolist()) @ rotation.T
    return matrix, -matrix @ [1.0, 2.0, 3.0], moved


@pytest.mark.parametrize(
    ("matrix", "vector", "dotted"),
    [
        ("_atom_sites.fract_transf_matrix[{}][{}]", "_atom_sites.fract_transf_vector[{}]", True),
        ("_atom_sites_fract_tran_matrix_{}{}", "_atom_sites_fract_tran_vector_{}", False),
        ("_atom_sites_Cartn_tran_matrix_{}{}", "_atom_sites_Cartn_tran_vector_{}", False),
        ("_atom_sites.Cartn_transf_matrix[{}][{}]", "_atom_sites.Cartn_transf_vector[{}]", True),
    ],
)
def test_axes_that_a_file_states_are_used(matrix, vector, dotted):
    rows, origin, moved = turned()
    if "Cartn" in matrix:
        rows = np.linalg.inv(rows)
        origin = -rows @ origin
    lines = [f"{matrix.format(i + 1, j + 1)} {rows[i, j]:.8f}" for i in range(3) for j in range(3)]
    lines += [f"{vector.format(i + 1)} {origin[i]:.6f}" for i in range(3)]
    crystal = read(text_of(moved, *lines, dotted=dotted))
    np.testing.assert_allclose(crystal.frac, FRACTIONAL, atol=1e-4)
    assert crystal.remarks == ()
    wrong = [line.replace(f"{rows[0, 0]:.8f}", f"{2 * rows[0, 0]:.8f}") for line in lines]
    assert "of another cell" in refused(text_of(moved, *wrong, dotted=dotted))


def test_symmetry_is_applied_and_images_merge():
    cell = (3.16, 3.16, 12.3, 90, 90, 120)
    position = cartesian(np.array([[1 / 3, 2 / 3, 0.25]]), cell)
    text = text_of(position, cell=cell).replace("'P 1'", "'P 63/m m c'")
    assert read(text).n_atoms == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (text_of(cartesian(), dotted=False), "does not say how their axes lie in the cell"),
        (text_of(cartesian()).replace("_cell.length_a 5.1\n", ""), "it has no _cell_length_a"),
        (text_of(cartesian()).replace("_cell.length_a 5.1\n", "_cell.length_a ?\n"), "it has no _cell_length_a"),
        (
            text_of(cartesian(), columns=(*CARTESIAN, "pdbx_PDB_model_num"), more=("1", "2", "2")),
            "it holds 2 models (pdbx_PDB_model_num)",
        ),
        (
            text_of(cartesian(), columns=(*CARTESIAN, "label_alt_id"), more=("A", "B", ".")),
            "alternatives of each other ('Na1' in group 'A', 'CL2' in group 'B')",
        ),
        (text_of(cartesian(), "_struct_ncs_oper.code generate"), "operators (_struct_ncs_oper) generate the others"),
        (text_of(cartesian()).replace(f"{cartesian()[0, 0]:.4f}", "?"), "site 'Na1' has no position"),
    ],
)
def test_what_is_no_whole_crystal_is_refused(text, said):
    assert said in refused(text)
