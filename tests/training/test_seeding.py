"""Laws of the random state and of the thread count."""

import io
import os
import random

import numpy as np
import pytest
import torch

from phase2.machine import hardware
from phase2.machine.hardware import thread_count
from phase2.training.seeding import random_state, restore_random_state, seed_everything

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def leave_no_trace():
    before, deterministic = random_state(), torch.are_deterministic_algorithms_enabled()
    yield
    restore_random_state(before)
    torch.use_deterministic_algorithms(deterministic)


def draw():
    numpy = [np.random.rand(), np.random.randn()]  # noqa: NPY002 - the global generator is what is tested
    return [random.random(), random.gauss(0, 1), *numpy, torch.rand(1).item()]


def test_seeds_determine_every_generator():
    drawn = []
    for seed in (1, 1, 2):
        seed_everything(seed, CPU)
        drawn.append(draw())
    assert drawn[0] == drawn[1]
    assert all(a != b for a, b in zip(drawn[0], drawn[2], strict=True))


def test_a_restored_state_continues_where_it_was_even_from_a_file():
    seed_everything(7, CPU)
    draw()
    file = io.BytesIO()
    torch.save(random_state(), file)
    expected = draw()
    seed_everything(8, CPU)
    file.seek(0)
    restore_random_state(torch.load(file, weights_only=True))
    assert draw() == expected


@pytest.fixture
def eight_cores(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(hardware, "cpu_limit", lambda: 2.0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)


@pytest.mark.usefixtures("eight_cores")
@pytest.mark.parametrize(("limit", "expected"), [(2.0, 2), (1.5, 2), (0.1, 1), (64.0, 8), (None, 8)])
def test_threads_follow_the_container(monkeypatch, limit, expected):
    monkeypatch.setattr(hardware, "cpu_limit", lambda: limit)
    assert thread_count() == expected


@pytest.mark.usefixtures("eight_cores")
def test_threads_by_the_user(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert thread_count() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert thread_count() == 2


def test_threads_here_are_real():
    assert 1 <= thread_count() <= (os.cpu_count() or 1)
