"""Keys of the screen of ``phase2 watch``."""

import os
from contextlib import ExitStack

import pytest

from phase2.cli.watch.keys import Keyboard


@pytest.fixture
def typed():
    """Type keys, and read them one by one until there is none."""
    with ExitStack() as stack:

        def read(keys, *, closed=False):
            ours, theirs = os.pipe()
            stack.callback(os.close, ours)
            os.write(theirs, keys)
            if closed:
                os.close(theirs)
            else:
                stack.callback(os.close, theirs)
            keyboard = Keyboard(ours)
            found: list[str] = []
            while (key := keyboard.wait(0)) is not None and len(found) < 99:
                found.append(key)
            return found

        yield read


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        (b"q", ["q"]),
        (b"jjkq", ["down", "down", "up", "q"]),
        (b"\x1b[B\x1b[B\x1bOAq", ["down", "down", "up", "q"]),
        (b"\x1b[1;5B\x1b[3~j", ["\x1b", "\x1b", "down"]),  # keys that mean nothing here hide none behind them
        (b"\x1b", ["\x1b"]),
        ("ä\tq".encode(), ["ä", "down", "q"]),
    ],
)
def test_keys_that_are_read_at_once_are_all_heard(typed, keys, found):
    assert typed(keys) == found


def test_a_terminal_that_is_closed_is_left(typed):
    assert typed(b"j", closed=True) == ["down", "q"]
    assert Keyboard(None).wait(0) is None
