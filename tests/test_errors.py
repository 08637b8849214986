"""Errors carry what, why and fix, keep their exit codes, and cross process borders."""

import pickle

import pytest

from phase2 import errors
from phase2.errors import Phase2Error, UnknownNameError

EXIT_CODES = {
    "RequestError": 2,
    "UnknownNameError": 2,
    "DataError": 3,
    "InvalidCrystalError": 3,
    "ModelFileError": 4,
    "TransientError": 75,
    "PreemptedError": 143,
}


def _all_errors() -> list[type[Phase2Error]]:
    return [
        c
        for c in vars(errors).values()
        if isinstance(c, type) and issubclass(c, Phase2Error) and c.__name__ in EXIT_CODES
    ]


def test_exit_codes_are_the_documented_ones():
    assert {c.__name__: c.exit_code for c in _all_errors()} == EXIT_CODES


@pytest.mark.parametrize("kind", _all_errors(), ids=lambda c: c.__name__)
def test_errors_survive_the_way_back_from_a_worker_process(kind):
    error = kind("What.", why="Why.", fix="Fix.")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert (copy.what, copy.why, copy.fix) == ("What.", "Why.", "Fix.")
    assert str(copy) == "What. Why. Fix."


def test_an_unknown_name_offers_the_nearest_or_all():
    assert UnknownNameError.of("level", "medium-ish", ["lite", "max"]).fix == "Use one of: lite, max."
    assert UnknownNameError.of("level", "litee", ["lite", "max"]).fix == "Did you mean 'lite'?"
