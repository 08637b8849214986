"""Rejected records are counted by their reasons."""

from phase2.data.graphs.packing import Rejection
from phase2.data.rejections import group_reasons, rejection_notes


def test_records_of_one_reason_are_one_group():
    rejected = [
        Rejection(f"x{k}", f"Crystal 'x{k}' is invalid: atoms 1 and 2 are 0.{k} angstrom apart.") for k in range(9)
    ]
    rejected += [Rejection("y", "There is no file /data/y.cif.")]
    groups = group_reasons(rejected)
    assert [(group.count, group.ids[0]) for group in groups] == [(9, "x0"), (1, "y")]


def test_the_first_reasons_are_said_at_once():
    words = ("cell", "atoms", "file", "volume", "element")
    rejected = [Rejection(name, f"No {word}") for name, word in zip("abcde", words, strict=True)]
    notes = rejection_notes(rejected, "rejected.csv")
    assert notes[0] == "5 records are no valid crystal; all reasons: rejected.csv"
    assert notes[1] == "  1 such as a: No cell"
    assert notes[-1] == "  and 2 further reasons"
    assert rejection_notes([], "rejected.csv") == []


def test_a_long_reason_is_cut():
    (_, note) = rejection_notes([Rejection("a", "x" * 5_000)], "rejected.csv")
    assert len(note) < 400
