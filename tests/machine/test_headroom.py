"""The memory that a process may still use."""

import numpy as np
import pytest

from phase2.machine import headroom
from phase2.machine.headroom import free_memory

LIMIT = 64 * 2**30


def test_without_a_limit_there_is_no_number(monkeypatch):
    monkeypatch.setattr(headroom, "memory_limit", lambda: None)
    assert free_memory() is None


def test_what_is_allocated_is_no_longer_free(monkeypatch):
    monkeypatch.setattr(headroom, "memory_limit", lambda: LIMIT)
    before = free_memory()
    block = np.ones(10_000_000)
    during = free_memory()
    assert before is not None
    assert during is not None
    assert before - during == pytest.approx(block.nbytes, rel=0.1)
    del block
    assert free_memory() == pytest.approx(before, abs=8_000_000)


def test_a_system_without_the_file_counts_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(headroom, "memory_limit", lambda: LIMIT)
    monkeypatch.setattr(headroom, "_STATUS", tmp_path / "status")
    assert free_memory() == LIMIT
