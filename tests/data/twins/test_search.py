"""Twins: the same crystal in another cell, near-twins within the tolerance, and nothing else."""

import numpy as np
import pytest

from phase2.config.schema import GraphSpec
from phase2.data.crystals.crystal import Crystal
from phase2.data.graphs.packing import pack
from phase2.data.twins.search import NEAR, NONE, TWIN, find_twins

ROCK_SALT = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5], [0.5] * 3]
PAIR: list[list[float]] = [[0, 0, 0], [0.5, 0.5, 0.5]]
FCC = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])


def _salt(name, edge, species=("Na",) * 4 + ("Cl",) * 4, frac=ROCK_SALT):
    return Crystal.checked(name, species, frac, np.eye(3) * edge)


def _primitive(name, edge):
    lattice = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]) * edge / 2
    return Crystal.checked(name, ("Na", "Cl"), PAIR, lattice)


def _kind(tested, *trained):
    graphs = pack([tested, *trained], GraphSpec())
    found = find_twins(graphs, np.array([0]), np.arange(1, len(graphs)), cutoff=5.0)
    return int(found.kind[0]), bool(found.same_formula[0])


def test_the_primitive_cell_of_a_crystal_is_its_twin():
    assert _kind(_primitive("a", 5.64), _salt("b", 5.64)) == (TWIN, True)


@pytest.mark.parametrize(("edge", "kind"), [(5.66, NEAR), (5.61, NEAR), (5.9, NONE)])
def test_a_crystal_with_other_lengths_is_a_near_twin_within_the_tolerance(edge, kind):
    assert _kind(_salt("a", 5.64), _salt("b", edge)) == (kind, True)


def test_a_distorted_crystal_is_a_near_twin():
    moved = np.array(ROCK_SALT, dtype=float) + np.random.default_rng(0).uniform(-0.002, 0.002, (8, 3))
    assert _kind(_salt("a", 5.64, frac=moved), _primitive("b", 5.64))[0] == NEAR


def test_another_crystal_of_the_formula_is_none():
    caesium = Crystal.checked("b", ("Na", "Cl"), PAIR, np.eye(3) * 3.4)
    assert _kind(_salt("a", 5.64), caesium) == (NONE, True)


def test_another_order_of_the_elements_on_the_same_sites_is_none():
    layered = Crystal.checked("a", ("Cu", "Cu", "Au", "Au"), FCC[[0, 3, 1, 2]], np.eye(3) * 3.9)
    double = np.concatenate([FCC / [1, 1, 2], FCC / [1, 1, 2] + [0, 0, 0.5]])
    order = ["Cu" if z < 0.5 else "Au" for z in double[:, 2]]
    other = Crystal.checked("b", order, double, np.diag([3.9, 3.9, 7.8]))
    assert _kind(layered, other) == (NONE, True)
    assert _kind(layered, layered)[0] == TWIN


def test_another_element_is_none_and_shares_no_formula():
    assert _kind(_salt("a", 5.64), _salt("b", 5.64, ("K",) * 4 + ("Cl",) * 4)) == (NONE, False)


def test_many_formulas_are_told_apart():
    edges = np.linspace(4.0, 6.0, 9)
    trained = [_salt(f"t{k}", edge) for k, edge in enumerate(edges)]
    tested = [
        _salt(f"q{k}", edge + shift) for k, (edge, shift) in enumerate(zip(edges, (0, 0.02, 0.12) * 3, strict=True))
    ]
    graphs = pack([*tested, *trained], GraphSpec())
    found = find_twins(graphs, np.arange(9), np.arange(9, 18), cutoff=5.0)
    assert found.kind.tolist() == [TWIN, NEAR, NONE] * 3
