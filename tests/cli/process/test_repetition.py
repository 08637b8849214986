"""An option with one value that is given twice is not dropped without a word."""

import pytest

from phase2.cli import main

TRAIN = ("train", "--algorithm", "cgcnn", "--level", "smoke", "--dry-run")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--seed", "1", "--seed", "2"), "--seed is given 2 times; the last counts: 2"),
        (("--epochs", "3", "--epochs=4", "--epochs", "5"), "--epochs is given 3 times; the last counts: 5"),
    ],
)  # fmt: skip
def test_the_user_is_told_which_value_counts(words, says, capsys):
    assert main([*TRAIN, *words]) == 0
    assert f"note: {says}\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--epochs", "3"),
        ("--set", "training.warmup=0.1", "--set", "training.clip_norm=1"),
        ("--all-properties", "--all-properties"),
    ],
)
def test_nothing_is_said_of_what_may_be_repeated(words, capsys):
    assert main([*TRAIN, *words]) == 0
    assert "is given" not in capsys.readouterr().err
