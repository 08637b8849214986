"""Kinds of crystals."""

import numpy as np

from phase2.evaluation.groups import KINDS, NEAR, NEW, SEEN, Described, groups_of, in_order

CRYSTALS = Described(
    formulas=["NaCl", "Si", "Fe2O3", "Si"],
    atoms=np.array([2, 2, 10, 200]),
    space_groups=np.array([225, 227, 167, 0]),
    training=np.array([NEW, SEEN, NEW, NEAR]),
)


def members(kind):
    return {group.name: np.flatnonzero(group.members).tolist() for group in groups_of(CRYSTALS, [kind])}


def test_every_kind_groups_the_crystals():
    assert members("element") == {"O": [2], "Na": [0], "Si": [1, 3], "Cl": [0], "Fe": [2]}
    assert members("system") == {"trigonal": [2], "cubic": [0, 1]}
    assert members("spacegroup") == {"167": [2], "225": [0], "227": [1]}
    assert members("size") == {"2": [0, 1], "9 to 16": [2], "more than 64": [3]}
    assert members("training") == {SEEN: [1], NEAR: [3], NEW: [0, 2]}


def test_names_of_groups_are_sorted_as_the_groups_are():
    for kind in KINDS:
        order = [group.name for group in groups_of(CRYSTALS, [kind])]
        assert in_order(kind, order[::-1]) == order
    assert in_order("spacegroup", ["14", "2"]) == ["2", "14"]


def test_an_unknown_training_set_makes_no_groups():
    unknown = Described(CRYSTALS.formulas, CRYSTALS.atoms, CRYSTALS.space_groups)
    assert {group.kind for group in groups_of(unknown)} == set(KINDS) - {"training"}
