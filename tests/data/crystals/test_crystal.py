"""Laws of Crystal: what is accepted is wrapped and whole, what is refused is named."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.elements import ATOMIC_NUMBERS, SYMBOLS, nearest_symbol, reduced_formula, symbol_of
from phase2.errors import InvalidCrystalError

CUBE = np.eye(3) * 4.2
ROCK_SALT = [[0.0, 0.0, 0.0], [0.5, 0.5, 0.5]]


def test_symbols_and_numbers_are_inverse():
    assert len(SYMBOLS) == len(set(SYMBOLS)) == 118
    assert all(ATOMIC_NUMBERS[symbol_of(z)] == z for z in range(1, 119))
    assert (symbol_of(1), symbol_of(26), symbol_of(82), symbol_of(118)) == ("H", "Fe", "Pb", "Og")


@given(st.lists(st.integers(1, 118), min_size=1, max_size=30), st.integers(1, 4), st.randoms())
def test_formula_ignores_order_and_supercells(numbers, times, random):
    many = numbers * times
    random.shuffle(many)
    assert reduced_formula(many) == reduced_formula(numbers)


@pytest.mark.parametrize(
    ("symbols", "formula"),
    [
        (["Na", "Cl"], "ClNa"),
        (["O"] * 6 + ["Fe"] * 4, "Fe2O3"),
        (["Si", "Si"], "Si"),
        (["D", "D", "O"], "H2O"),
        (["Ga ", " As"], "AsGa"),
    ],
)
def test_formula_examples(symbols, formula):
    n = len(symbols)
    frac = np.arange(3 * n).reshape(n, 3) / (3 * n)
    assert Crystal.checked("x", symbols, frac, np.eye(3) * 9).formula == formula


@given(arrays(np.float64, (2, 3), elements=st.floats(-1e6, 1e6)))
def test_positions_are_wrapped_by_whole_cells(frac):
    crystal = Crystal.checked("x", ["Na", "Cl"], frac, CUBE)
    assert ((crystal.frac >= 0) & (crystal.frac < 1)).all()
    moved = crystal.frac - frac
    assert np.abs(moved - moved.round()).max() < 1e-9


def test_symbols_and_numbers_give_the_same_crystal():
    by_symbol = Crystal.checked("x", ["Na", "Cl"], ROCK_SALT, CUBE)
    by_number = Crystal.checked("x", np.array([11, 17]), ROCK_SALT, CUBE)
    assert by_symbol.species.dtype == by_number.species.dtype == np.uint8
    assert by_symbol.symbols == by_number.symbols == ("Na", "Cl")
    np.testing.assert_array_equal(by_symbol.species, by_number.species)


def test_geometry():
    lattice = np.array([[3.0, 0, 0], [1.0, 2.0, 0], [0.5, 0.5, -4.0]])
    crystal = Crystal.checked("x", ["Fe"], [[0.5, 0.25, 0.75]], lattice)
    assert crystal.n_atoms == 1
    assert crystal.volume == pytest.approx(abs(np.linalg.det(lattice)))
    np.testing.assert_allclose(crystal.cartesian, [[2.125, 0.875, -3.0]])


def test_inputs_are_copied():
    lattice = CUBE.copy()
    crystal = Crystal.checked("x", ["Fe"], [[0, 0, 0]], lattice)
    lattice[:] = 0
    assert crystal.volume == pytest.approx(4.2**3)


def test_pickles():
    crystal = Crystal.checked("x", ["Na", "Cl"], ROCK_SALT, CUBE)
    again = pickle.loads(pickle.dumps(crystal))
    assert again.id == "x"
    np.testing.assert_array_equal(again.cartesian, crystal.cartesian)


@pytest.mark.parametrize(
    ("species", "frac", "lattice", "said"),
    [
        ([], np.zeros((0, 3)), CUBE, "no atoms"),
        (["Na", "Xq"], ROCK_SALT, CUBE, "site 1 holds 'Xq'"),
        (["fe"], [[0, 0, 0]], CUBE, "Did you mean 'Fe'"),
        (["Si4+"], [[0, 0, 0]], CUBE, "Did you mean 'Si'"),
        ([0], [[0, 0, 0]], CUBE, "site 0 holds 0"),
        ([119], [[0, 0, 0]], CUBE, "site 0 holds 119"),
        ([300], [[0, 0, 0]], CUBE, "site 0 holds 300"),
        ([True], [[0, 0, 0]], CUBE, "site 0 holds True"),
        ([None], [[0, 0, 0]], CUBE, "site 0 holds None"),
        ([["Fe"]], [[0, 0, 0]], CUBE, "site 0 holds"),
        (None, [[0, 0, 0]], CUBE, "not a list"),
        (["Na", "Cl"], [[0.0, 0.0, 0.0], [0, 0, np.nan]], CUBE, "site 1 (Cl)"),
        (["Na", "Cl"], [[0, 0, 0]], CUBE, "(1, 3), not (2, 3)"),
        (["Na", "Cl"], [[0, 0], [0, 0]], CUBE, "(2, 2), not (2, 3)"),
        (["Na", "Cl"], [[0.0, 0.0, 0.0], [0, 0]], CUBE, "not a table of numbers"),
        (["Na"], "here", CUBE, "not a table of numbers"),
        (["Na"], [[0, 0, 0]], np.diag([4, 4, np.inf]), "not finite"),
        (["Na"], [[0, 0, 0]], np.full((3, 3), np.nan), "not finite"),
        (["Na"], [[0, 0, 0]], np.diag([4, 4, 0]), "volume of 0"),
        (["Na"], [[0, 0, 0]], np.ones((3, 3)), "volume of 0"),
        (["Na"], [[0, 0, 0]], np.eye(3) * 0.3, "volume of 0.027"),
        (["Na"], [[0, 0, 0]], np.eye(2), "(2, 2), not (3, 3)"),
        (["Na"], [[0, 0, 0]], None, "shape"),
    ],
)
def test_refused_with_the_name_and_the_site(species, frac, lattice, said):
    with pytest.raises(InvalidCrystalError) as caught:
        Crystal.checked("mp-1", species, frac, lattice)
    assert "mp-1" in str(caught.value)
    assert said in str(caught.value)


@given(st.text(max_size=6))
def test_nearest_symbol_never_fails(text):
    assert nearest_symbol(text) in {None, *ATOMIC_NUMBERS}


def test_importing_the_module_is_light():
    code = "import sys, phase2.data.crystals.crystal; print({'pymatgen', 'torch', 'pandas'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
