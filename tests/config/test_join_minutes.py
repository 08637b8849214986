"""How long machines wait for one another."""

import pytest

from phase2.config.settings import JOIN_VARIABLE, join_minutes
from phase2.errors import RequestError


@pytest.mark.parametrize(("word", "minutes"), [("", None), ("60", 60.0), ("0.5", 0.5)])
def test_it_is_a_number_of_minutes_or_has_no_limit(monkeypatch, word, minutes):
    monkeypatch.setenv(JOIN_VARIABLE, word)
    assert join_minutes() == minutes


@pytest.mark.parametrize("word", ["soon", "0", "-1", "nan", "inf", "1e9"])
def test_anything_else_is_refused(monkeypatch, word):
    monkeypatch.setenv(JOIN_VARIABLE, word)
    with pytest.raises(RequestError, match=f"{JOIN_VARIABLE}={word} is not understood"):
        join_minutes()
