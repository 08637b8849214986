"""Laws of the crystal graph: it depends on the crystal only, not on its description."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phase2.config.schema import GraphSpec
from phase2.data.crystals.crystal import Crystal
from phase2.data.graphs.neighbors import find_neighbors
from phase2.data.graphs.packing import pack
from phase2.errors import InvalidCrystalError

SPEC = GraphSpec()
FCC = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
BCC = np.array([[-0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.5, 0.5, -0.5]])
SEEDS = st.integers(0, 2**32 - 1)


def random_crystal(seed, most=6):
    """A crystal without symmetry; atoms at least 1.5 angstrom apart, in a moderately skewed cell."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, most + 1))
    lattice = np.diag(rng.uniform(3, 6, 3)) + rng.uniform(-1, 1, (3, 3))
    while True:
        crystal = Crystal.checked("random", rng.integers(1, 119, n), rng.random((n, 3)), lattice)
        found = find_neighbors_or_none(crystal)
        if found is not None and np.sort(found.distance)[n] > 1.5:
            return crystal
        lattice = lattice * 1.1


def find_neighbors_or_none(crystal):
    try:
        return find_neighbors(crystal, 5.0)
    except InvalidCrystalError:
        return None


def vectors(graphs):
    """Receiver, sender and vector of all edges of a single packed crystal."""
    receiver, sender = graphs.bond_receiver[graphs.edge_bond], graphs.bond_sender[graphs.edge_bond]
    lattice = graphs.lattice[0].astype(float)
    positions = graphs.positions.astype(float)
    return receiver, sender, positions[sender] + graphs.edge_shift @ lattice - positions[receiver]


def surroundings(crystal, spec=SPEC):
    """Of every atom: (species of the sender, distance) of its edges, sorted."""
    graphs = pack([crystal], spec)
    receiver, sender, vector = vectors(graphs)
    seen = np.stack([graphs.species[sender], np.linalg.norm(vector, axis=1)], axis=1)
    return [s[np.lexsort((s[:, 1], s[:, 0]))] for s in (seen[receiver == i] for i in range(crystal.n_atoms))]


def assert_alike(one, other):
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, atol=2e-5)


def brute_force(crystal, cutoff, most):
    """Edges by definition, from all images in a generous box."""
    cells = np.array(list(itertools.product(range(-8, 9), repeat=3)))
    images = cells @ crystal.lattice
    edges = set()
    for i, center in enumerate(crystal.cartesian):
        near = []
        for j, position in enumerate(crystal.cartesian):
            distance = np.linalg.norm(position + images - center, axis=1)
            near += [(d, j, *cells[k].tolist()) for k in np.flatnonzero(distance < 12) if (d := distance[k]) > 1e-9]
        near.sort()
        inside = [e for e in near if e[0] < cutoff + 1e-3]
        last = inside[min(most, len(inside)) - 1][0] if inside else near[0][0]
        edges |= {(i, *e[1:]) for e in near if e[0] <= last + 1e-3 and (e in inside or not inside)}
    return edges


@given(SEEDS, st.sampled_from([(5.0, 12), (3.0, 12), (5.0, 1), (2.0, 3)]))
@settings(max_examples=15, deadline=None)
def test_edges_are_those_of_the_definition(seed, choice):
    crystal = random_crystal(seed, most=4)
    graphs = pack([crystal], GraphSpec(cutoff=choice[0], neighbors=choice[1]))
    receiver, sender, _ = vectors(graphs)
    found = set(zip(receiver.tolist(), sender.tolist(), *graphs.edge_shift.T.tolist(), strict=True))
    assert found == brute_force(crystal, *choice)
    assert len(found) == len(graphs.edge_bond)


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_rotation_reflection_and_translation_change_nothing(seed):
    crystal = random_crystal(seed)
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))  # of either handedness
    moved = Crystal.checked("moved", crystal.species, crystal.frac + rng.normal(size=3), crystal.lattice @ turn)
    assert_alike(surroundings(crystal), surroundings(moved))


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_the_order_of_atoms_only_reorders(seed):
    crystal = random_crystal(seed)
    order = np.random.default_rng(seed).permutation(crystal.n_atoms)
    permuted = Crystal.checked("permuted", crystal.species[order], crystal.frac[order], crystal.lattice)
    assert_alike([surroundings(crystal)[i] for i in order], surroundings(permuted))


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_the_choice_of_cell_changes_nothing(seed):
    crystal = random_crystal(seed)
    rng = np.random.default_rng(seed)
    change = np.eye(3, dtype=int)
    for _ in range(4):  # a product of shears: whole numbers, determinant 1
        i, j = rng.permutation(3)[:2]
        change[i] += int(rng.integers(-2, 3)) * change[j]
    frac = crystal.frac @ np.linalg.inv(change)
    other = Crystal.checked("other cell", crystal.species, frac, change @ crystal.lattice)
    assert_alike(surroundings(crystal), surroundings(other))


@given(SEEDS, st.tuples(*[st.integers(1, 3)] * 3))
@settings(max_examples=25, deadline=None)
def test_a_supercell_keeps_the_surroundings_of_every_atom(seed, times):
    crystal = random_crystal(seed, most=3)
    assert_alike(surroundings(crystal) * int(np.prod(times)), surroundings(supercell(crystal, times)))


def supercell(crystal, times):
    cells = np.array(list(itertools.product(*map(range, times))))
    frac = (cells[:, None] + crystal.frac).reshape(-1, 3) / times
    species = np.tile(crystal.species, len(cells))
    return Crystal.checked("supercell", species, frac, crystal.lattice * np.array(times)[:, None])


@pytest.mark.parametrize(
    ("species", "frac", "lattice", "expected"),
    [
        (["Cu"], [[0, 0, 0]], FCC * 3.6, [12]),
        (["Fe"], [[0, 0, 0]], BCC * 2.87, [8, 6]),
        (["Na", "Cl"], [[0.0, 0, 0], [0.5, 0.5, 0.5]], FCC * 5.64, [6, 12]),
        (["C", "C"], [[0, 0, 0], [0.25, 0.25, 0.25]], FCC * 3.57, [4, 12]),
        (["Po"], [[0, 0, 0]], np.eye(3) * 3.36, [6, 12]),
        (["Po"], [[0, 0, 0]], np.eye(3) * 5.0, [6]),  # the shell lies on the cutoff
        (["Po"], [[0, 0, 0]], np.eye(3) * (5.0 - 1e-15), [6]),
    ],
)
def test_shells_are_whole(species, frac, lattice, expected):
    for seen in surroundings(Crystal.checked("x", species, frac, lattice)):
        lengths = np.sort(seen[:, 1])
        sizes = np.diff(np.flatnonzero(np.diff(lengths, prepend=0, append=99) > 1e-3))
        assert sizes.tolist() == expected


def test_noise_as_in_files_does_not_break_shells():
    crystal = supercell(Crystal.checked("bcc", ["Fe"], [[0, 0, 0]], BCC * 2.87), (2, 2, 2))
    frac = crystal.frac + np.random.default_rng(0).uniform(-1e-5, 1e-5, crystal.frac.shape)
    noisy = Crystal.checked("noisy", crystal.species, frac, crystal.lattice)
    assert [len(s) for s in surroundings(noisy)] == [14] * 8


def test_an_edge_points_from_its_receiver_to_its_sender():
    crystal = Crystal.checked("x", ["Na", "Cl"], [[0.0, 0, 0], [0.9, 0, 0]], np.diag([10.0, 30, 30]))
    graphs = pack([crystal], GraphSpec(cutoff=2.0))
    receiver, sender, vector = vectors(graphs)
    assert receiver.tolist() == [0, 1]
    assert sender.tolist() == [1, 0]
    assert graphs.edge_shift.tolist() == [[-1, 0, 0], [1, 0, 0]]
    np.testing.assert_allclose(vector, [[-1, 0, 0], [1, 0, 0]], atol=1e-6)


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_edges_are_sorted_and_bonds_join_images_of_one_pair(seed):
    rng = np.random.default_rng(seed)
    crystal = Crystal.checked("x", rng.integers(1, 4, 2), [[0.0, 0, 0], [0.5, 0.5, 0.5]], np.diag(rng.uniform(2, 4, 3)))
    graphs = pack([crystal], SPEC)
    receiver, sender, vector = vectors(graphs)
    length = np.linalg.norm(vector, axis=1)
    rows = list(zip(receiver, length.round(3), sender, *graphs.edge_shift.T, strict=True))
    assert all(a[0] < b[0] or a[1] < b[1] + 1.5e-3 for a, b in itertools.pairwise(rows))
    assert (np.diff(graphs.edge_bond) >= 0).all()
    assert np.unique(graphs.edge_bond).tolist() == list(range(len(graphs.bond_sender)))
    spans = []
    for bond in range(len(graphs.bond_sender)):
        of = graphs.edge_bond == bond
        spans.append((receiver[of][0], sender[of][0], length[of].min(), length[of].max()))
        assert np.ptp(length[of]) < 2e-3
        shifts = graphs.edge_shift[of].tolist()
        assert shifts == sorted(shifts)
    for one, other in itertools.pairwise(sorted(spans)):
        assert one[:2] != other[:2] or one[3] + 1e-6 < other[2]


def test_an_isolated_atom_gets_its_nearest_shell_whole():
    crystal = Crystal.checked("x", ["Xe"], [[0.3, 0.3, 0.3]], FCC * 20)
    (seen,) = surroundings(crystal)
    np.testing.assert_allclose(seen, [[54, 20 / np.sqrt(2)]] * 12, atol=1e-5)


def test_an_isolated_atom_beside_a_molecule():
    crystal = Crystal.checked("x", ["H", "H", "Xe"], [[0.0, 0, 0], [0.74 / 30, 0, 0], [0.4, 0, 0]], np.eye(3) * 30)
    molecule, _, lonely = surroundings(crystal)
    np.testing.assert_allclose(molecule, [[1, 0.74]], atol=1e-5)
    np.testing.assert_allclose(lonely, [[1, 12 - 0.74]], atol=1e-5)


@pytest.mark.parametrize(
    ("species", "frac", "lattice", "said"),
    [
        (
            ["Na", "Cl"],
            [[0, 0, 0], [0.05, 0, 0]],
            np.eye(3) * 5,
            "site 0 (Na) and site 1 (Cl) are 0.250 angstrom apart",
        ),
        (["Na", "Cl"], [[0, 0, 0], [0, 0, 0]], np.eye(3) * 5, "site 0 (Na) and site 1 (Cl) are 0.000 angstrom apart"),
        (["Na", "K"], [[0, 0, 0], [0.99, 0, 0]], np.eye(3) * 5, "site 0 (Na) and site 1 (K) are 0.050 angstrom apart"),
        (["Na"], [[0, 0, 0]], np.diag([0.3, 50, 50]), "site 0 (Na) and its own image are 0.300 angstrom apart"),
        (["Xe"], [[0, 0, 0]], np.eye(3) * 60, "site 0 (Xe) has no neighbour within 50 angstrom"),
        (["Na"], [[0, 0, 0]], np.diag([1e-7, 5e4, 5e4]), "1e-07 angstrom thin"),
        (["Na"], [[0, 0, 0]], np.diag([1e5, 1e5, 3]), "too large to search: 1 atom(s), and a lattice vector of 1e+05"),
        (["Na"], [[0, 0, 0]], [[3, 0, 0], [900, 3, 0], [0, 0, 3]], "so skewed"),
    ],
)
def test_refused_with_the_name_and_the_reason(species, frac, lattice, said):
    with pytest.raises(InvalidCrystalError) as caught:
        pack([Crystal.checked("mp-1", species, frac, lattice)], SPEC)
    assert "mp-1" in str(caught.value)
    assert said in str(caught.value)


def test_shifts_near_the_limit_are_kept_exactly():
    flat = Crystal.checked("x", ["Na"], [[0, 0, 0]], [[3, 0, 0], [120 * 3, 3, 0], [0, 0, 3]])
    straight = Crystal.checked("x", ["Na"], [[0, 0, 0]], np.eye(3) * 3)
    assert_alike(surroundings(straight), surroundings(flat))


def test_the_cutoff_does_not_cut_through_a_shell():
    (seen,) = surroundings(Crystal.checked("x", ["Po"], [[0, 0, 0]], np.diag([4.9998, 5.0, 5.0004])))
    assert len(seen) == 6


def test_a_growing_sphere_does_not_cut_through_a_shell():
    # The search goes from 5 to 7.5 angstrom, which is between two lengths that count as equal.
    (seen,) = surroundings(Crystal.checked("x", ["Xe"], [[0, 0, 0]], np.diag([7.4997, 7.5003, 20])))
    assert len(seen) == 4
