"""Laws of the quotient graph: equivalent atoms share a node, others never, and the cell does not matter."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phase2.config.schema import GraphSpec
from phase2.data.crystals.crystal import Crystal
from phase2.data.graphs.packing import pack

SPEC = GraphSpec()
FCC = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
SEEDS = st.integers(0, 2**32 - 1)
QUOTIENT = ("node_offset", "node_species", "link_offset", "link_receiver", "link_sender", "link_weight")

ROCK_SALT = Crystal.checked("rock salt", ["Na", "Cl"], [[0.0, 0.0, 0.0], [0.5, 0.5, 0.5]], FCC * 5.64)
DIAMOND = Crystal.checked("diamond", ["C", "C"], [[0.0, 0.0, 0.0], [0.25, 0.25, 0.25]], FCC * 3.57)
PEROVSKITE = Crystal.checked(
    "perovskite",
    ["Sr", "Ti", "O", "O", "O"],
    [[0.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]],
    np.eye(3) * 3.905,
)
WURTZITE = Crystal.checked(
    "wurtzite",
    ["Zn", "Zn", "S", "S"],
    [[1 / 3, 2 / 3, 0], [2 / 3, 1 / 3, 0.5], [1 / 3, 2 / 3, 0.3748], [2 / 3, 1 / 3, 0.8748]],
    [[3.82, 0, 0], [-1.91, 3.82 * 3**0.5 / 2, 0], [0, 0, 6.26]],
)
KNOWN = [ROCK_SALT, DIAMOND, PEROVSKITE, WURTZITE]


def random_crystal(seed):
    """A crystal without symmetry, of few species so that colours must be refined."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 6))
    grid = rng.permutation(8)[:n, None] // [4, 2, 1] % 2 / 2
    frac = grid + rng.uniform(-0.05, 0.05, (n, 3))
    return Crystal.checked("random", rng.integers(1, 3, n), frac, np.diag(rng.uniform(5, 7, 3)))


def supercell(crystal, times, seed):
    """A supercell with its atoms in random order."""
    cells = np.array(list(itertools.product(*map(range, times))))
    frac = (cells[:, None] + crystal.frac).reshape(-1, 3) / times
    order = np.random.default_rng(seed).permutation(len(frac))
    species = np.tile(crystal.species, len(cells))[order]
    return Crystal.checked("supercell", species, frac[order], crystal.lattice * np.array(times)[:, None])


def edges_by_node(graphs):
    """Of every atom: (node of the sender, distance) of its edges, sorted."""
    receiver, sender = graphs.bond_receiver[graphs.edge_bond], graphs.bond_sender[graphs.edge_bond]
    positions = graphs.positions.astype(float)
    vector = positions[sender] + graphs.edge_shift @ graphs.lattice[0].astype(float) - positions[receiver]
    seen = np.stack([graphs.atom_node[sender], np.linalg.norm(vector, axis=1)], axis=1)
    return [s[np.lexsort((s[:, 1], s[:, 0]))] for s in (seen[receiver == i] for i in range(len(graphs.species)))]


def links_of(graphs, node):
    """(Sender, distance) of a node's links, each as often as its weight, sorted."""
    of = graphs.link_receiver == node
    rows = np.stack([graphs.link_sender[of], graphs.link_distance[of]], axis=1).repeat(graphs.link_weight[of], axis=0)
    return rows[np.lexsort((rows[:, 1], rows[:, 0]))]


@given(st.one_of(SEEDS.map(random_crystal), st.sampled_from(KNOWN)), st.tuples(*[st.integers(1, 2)] * 3), SEEDS)
@settings(max_examples=40, deadline=None)
def test_all_atoms_of_a_node_have_exactly_its_links(crystal, times, seed):
    graphs = pack([supercell(crystal, times, seed)], SPEC)
    np.testing.assert_array_equal(graphs.node_species[graphs.atom_node], graphs.species)
    np.testing.assert_array_equal(np.bincount(graphs.atom_node), graphs.node_weight)
    for atom, seen in enumerate(edges_by_node(graphs)):
        links = links_of(graphs, graphs.atom_node[atom])
        np.testing.assert_array_equal(seen[:, 0], links[:, 0])
        np.testing.assert_allclose(seen[:, 1], links[:, 1], atol=2e-3)


@given(st.one_of(SEEDS.map(random_crystal), st.sampled_from(KNOWN)), st.tuples(*[st.integers(1, 3)] * 3), SEEDS)
@settings(max_examples=40, deadline=None)
def test_a_supercell_has_the_quotient_of_its_cell(crystal, times, seed):
    small, large = pack([crystal], SPEC), pack([supercell(crystal, times, seed)], SPEC)
    for name in QUOTIENT:
        np.testing.assert_array_equal(getattr(small, name), getattr(large, name), err_msg=name)
    np.testing.assert_allclose(small.link_distance, large.link_distance, atol=1e-6)
    np.testing.assert_array_equal(small.node_weight * int(np.prod(times)), large.node_weight)


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_rotation_and_translation_leave_the_quotient(seed):
    crystal = random_crystal(seed)
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    moved = Crystal.checked("moved", crystal.species, crystal.frac + rng.normal(size=3), crystal.lattice @ turn)
    a, b = pack([crystal], SPEC), pack([moved], SPEC)
    for name in (*QUOTIENT, "node_weight"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)
    np.testing.assert_allclose(a.link_distance, b.link_distance, atol=1e-6)


@pytest.mark.parametrize(
    ("crystal", "weights"), [(ROCK_SALT, [1, 1]), (DIAMOND, [2]), (PEROVSKITE, [1, 1, 3]), (WURTZITE, [2, 2])]
)
def test_atoms_related_by_symmetry_share_a_node(crystal, weights):
    assert sorted(pack([crystal], SPEC).node_weight.tolist()) == weights


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_inequivalent_atoms_do_not_share_a_node(seed):
    crystal = random_crystal(seed)
    graphs = pack([crystal], SPEC)
    if crystal.n_atoms > 2:  # two atoms are always related by the inversion between them
        assert graphs.node_weight.tolist() == [1] * crystal.n_atoms


def test_refinement_continues_until_the_classes_are_stable():
    # A ring of seven atoms, one of them different: the others are told apart by how far they are from it.
    frac = np.arange(7)[:, None] / 7 * [1, 0, 0]
    crystal = Crystal.checked("chain", ["Cl", *["Na"] * 6], frac, np.diag([17.5, 20, 20]))
    graphs = pack([crystal], GraphSpec(cutoff=2.6))
    assert sorted(graphs.node_weight.tolist()) == [1, 2, 2, 2]
    node = graphs.atom_node.tolist()
    assert node[1] == node[6]
    assert node[2] == node[5]
    assert node[3] == node[4]


def test_a_long_chain_of_similar_lengths_is_not_one_length():
    # 60 dimers whose bonds grow in steps of half the tolerance: no gap separates the shortest from the longest.
    n = 60
    bonds = 1.0 + 5e-4 * np.arange(n)
    centers = np.stack([np.arange(n) * 8.0, np.zeros(n), np.zeros(n)], axis=1)
    positions = np.concatenate([centers, centers + bonds[:, None] * [0, 1, 0]])
    lattice = np.diag([n * 8.0, 20, 20])
    crystal = Crystal.checked("dimers", ["H"] * (2 * n), positions / np.diag(lattice), lattice)
    graphs = pack([crystal], GraphSpec(cutoff=2.0))
    length = np.sort(graphs.link_distance)
    assert np.ptp(length) > 0.02
    for seen, node in zip(edges_by_node(graphs), graphs.atom_node, strict=True):
        np.testing.assert_allclose(seen, links_of(graphs, node), atol=2e-3)
