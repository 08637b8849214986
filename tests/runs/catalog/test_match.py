"""Matching a typed name against the names of runs."""

import pytest

from phase2.runs.catalog.match import match_name, nearest_name, shortened

RUNS = [("abc", "2026-a"), ("abcd", "2026-b"), ("xyz", "2026-c")]


def names_of(run):
    return run


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("abc", [RUNS[0]]),  # an exact name, although another one begins with it
        ("abcd", [RUNS[1]]),
        ("ab", RUNS[:2]),
        ("2026-c", [RUNS[2]]),
        ("2026", RUNS),
        ("", []),
        ("bc", []),
    ],
)
def test_an_exact_name_wins_over_a_prefix(name, expected):
    assert match_name(RUNS, name, names_of) == expected


def test_the_nearest_name_is_found_over_all_names():
    assert nearest_name(RUNS, "2026-x", names_of) in {"2026-a", "2026-b", "2026-c"}
    assert nearest_name(RUNS, "xyy", names_of) == "xyz"
    assert nearest_name(RUNS, "?????", names_of) is None
    assert nearest_name([], "abc", names_of) is None


def test_a_long_list_of_names_is_shortened():
    assert shortened(["a", "b"]) == "a, b"
    assert shortened(list("abcdefg")) == "a, b, c, d, e and 2 more"
