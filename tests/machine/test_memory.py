"""The memory that a run needs, and how a lower limit is reported."""

import pytest

from phase2.config.levels import PROFILES
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.errors import RequestError
from phase2.machine import memory
from phase2.machine.memory import BUILDER, check_memory, needed_memory

MIB = 2**20


def config(algorithm="cgcnn", level="smoke", **words):
    return resolve(RunRequest(algorithm=algorithm, level=level, **words)).config


def test_larger_batches_networks_and_crystals_need_more():
    sizes = [needed_memory(config(batch_size=n), workers=1) for n in (8, 64, 512)]
    assert sizes == sorted(set(sizes))
    levels = [needed_memory(config("e3nn", level, batch_size=64), workers=1) for level in ("std", "pro")]
    assert levels == sorted(set(levels))
    one = config("e3nn", "pro")
    assert needed_memory(one, workers=1, crystal_size=3) > needed_memory(one, workers=1)


def test_a_batch_is_no_larger_than_the_data():
    few = config(max_samples=100, batch_size=80)
    assert needed_memory(few, workers=1) == needed_memory(config(max_samples=100, batch_size=5000), workers=1)


def test_many_builders_need_more_than_a_small_training():
    many, more = (needed_memory(config(), workers=n) for n in (15, 16))
    assert more - many == BUILDER


@pytest.mark.parametrize("key", sorted(PROFILES))
def test_every_level_fits_into_the_memory_that_submit_gives(key):
    algorithm, mode = key
    request = RunRequest(algorithm=algorithm, competition=True) if mode == "competition" else None
    run = resolve(request).config if request else config(algorithm, mode)
    assert 300 * MIB < needed_memory(run, workers=16) < 8192 * MIB


def test_enough_memory_gives_no_warning():
    assert check_memory(1000 * MIB, None) == check_memory(1000 * MIB, 1000 * MIB) == ""


def test_slightly_too_little_memory_is_a_warning_in_one_line():
    warning = check_memory(2048 * MIB, 1600 * MIB)
    assert warning.startswith("warning: The memory limit of 1.6 GiB is less than the 2.0 GiB that this run needs.")
    assert "--memory 2048Mi" in warning
    assert "\n" not in warning


def test_far_too_little_memory_is_refused():
    with pytest.raises(RequestError, match=r"limit of 500 MiB is less than the 2\.0 GiB") as refused:
        check_memory(2048 * MIB, 500 * MIB)
    assert refused.value.exit_code == 2
    assert "137" in refused.value.why


def test_a_run_with_a_gpu_is_accepted(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "memory_limit", lambda: 1)
    with pytest.raises(RequestError):
        memory.refuse_small_memory(config(), print, workers=1)
    monkeypatch.setattr(memory, "_GPU", tmp_path)
    memory.refuse_small_memory(config(), print, workers=1)


def test_graphs_are_checked_again_only_where_they_are_larger_than_assumed(monkeypatch):
    run = config("e3nn", "pro", batch_size=64)
    monkeypatch.setattr(memory, "memory_limit", lambda: needed_memory(run, workers=0))
    warnings: list[str] = []
    memory.refuse_small_memory(run, warnings.append, graph_size=60)
    memory.refuse_small_memory(run, warnings.append, graph_size=105.2)
    assert warnings == []
    memory.refuse_small_memory(run, warnings.append, graph_size=110)
    assert len(warnings) == 1
    with pytest.raises(RequestError, match="less than"):
        memory.refuse_small_memory(run, warnings.append, graph_size=400)
