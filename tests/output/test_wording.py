"""Words around numbers and names: plurals, and the end of a sentence."""

import pytest

from phase2.output.wording import counted, full_stop


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 test crystals"), (1, "1 test crystal"), (2, "2 test crystals"), (1000, "1,000 test crystals")],
)
def test_a_noun_takes_an_s_unless_there_is_one_of_it(count, said):
    assert counted(count, "test crystal") == said


@pytest.mark.parametrize("text", ["A library", "A library of Example Inc."])
def test_a_sentence_ends_with_one_full_stop(text):
    said = full_stop(text)
    assert said.endswith(".")
    assert not said.endswith("..")
