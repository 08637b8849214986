"""Laws of a training by several processes: it is that of one process, and any number of them continues it."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from phase2.data.sampling import balanced_shares
from phase2.errors import RequestError
from phase2.machine.rank import Rank, refuse_many_processes
from phase2.testing.tiny_training import tiny_data
from phase2.testing.training_group import STOPPED, files_in, started, train_member, train_together
from phase2.training.checkpoints.checkpoint import load_checkpoint
from phase2.training.loader import TrainingLoader

WHERE = ("model", "average", "balancer")


def learner(folder: Path):
    return load_checkpoint(files_in(folder).checkpoint).learner


def history(folder: Path):
    return load_checkpoint(files_in(folder).checkpoint).history


def assert_close(one: Path, other: Path, tolerance: float) -> None:
    first, second = learner(one), learner(other)
    assert first.step == second.step
    for name in WHERE:
        a, b = getattr(first, name), getattr(second, name)
        assert a.keys() == b.keys()
        for key in a:
            torch.testing.assert_close(a[key], b[key], rtol=tolerance, atol=tolerance)
    for row, same in zip(history(one), history(other), strict=True):
        assert (row.epoch, row.step, row.lr) == (same.epoch, same.step, same.lr)
        assert row.train_loss == pytest.approx(same.train_loss, rel=tolerance)
        assert row.val_loss == pytest.approx(same.val_loss, rel=tolerance)
        assert row.val_score == pytest.approx(same.val_score, rel=tolerance)


def assert_equal(one: Path, other: Path) -> None:
    first, second = learner(one), learner(other)
    for name in WHERE:
        a, b = getattr(first, name), getattr(second, name)
        assert all(torch.equal(a[key], b[key]) for key in a)
    losses = [[(r.train_loss, r.val_loss, r.val_score) for r in history(folder)] for folder in (one, other)]
    assert losses[0] == losses[1]


CASES: dict[str, dict[str, Any]] = {
    "cgcnn": {},
    "e3nn": {"network": "e3nn", "clip_norm": 0.05},
    "padded": {"padding_buckets": 2},
    "label weights": {"label_exponent": 0.5, "balance": "equal"},
    "famo and muon": {"network": "e3nn", "balance": "famo", "optimizer": "muon"},
}


@pytest.mark.slow
@pytest.mark.parametrize("settings", CASES.values(), ids=CASES)
def test_two_processes_end_an_epoch_where_one_does(tmp_path, settings):
    assert train_together(tmp_path / "one", 1, epochs=1, **settings) == [0]
    assert train_together(tmp_path / "two", 2, epochs=1, **settings) == [0, 0]
    # FAMO divides the tiny changes of the losses by their own size, which enlarges what rounding leaves.
    assert_close(tmp_path / "one", tmp_path / "two", 1e-5 if settings.get("balance") == "famo" else 1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("network", "buckets"), [("cgcnn", None), ("cgcnn", 2), ("e3nn", 2)])
def test_processes_without_a_crystal_of_the_last_batch_do_not_matter(tmp_path, network, buckets):
    sizes = [len(batch) for batch in shares(Rank()).crystals]
    assert sizes[-1] == 2  # two of the four have none
    train_together(tmp_path / "one", 1, epochs=1, network=network)
    assert train_together(tmp_path / "four", 4, epochs=1, network=network, padding_buckets=buckets) == [0] * 4
    assert_close(tmp_path / "one", tmp_path / "four", 2e-6)


@pytest.mark.slow
def test_a_backbone_that_thaws_is_shared_from_then_on(tmp_path):
    train_together(tmp_path / "one", 1, epochs=2, thaws=True)
    train_together(tmp_path / "two", 2, epochs=2, thaws=True)
    assert_close(tmp_path / "one", tmp_path / "two", 1e-5)


@pytest.mark.slow
def test_a_run_goes_on_with_any_number_of_processes(tmp_path):
    """One process, then two, then four, then one: stopped in the middle of epochs, by any of the processes."""
    train_together(tmp_path / "whole", 1, epochs=3)
    parts = tmp_path / "parts"
    assert train_together(parts, 1, epochs=3, stop_at=4) == [STOPPED]
    assert train_together(parts, 2, epochs=3, stop_at=9, stop_rank=1) == [STOPPED, STOPPED]
    assert learner(parts).step == 9
    assert train_together(parts, 4, epochs=3, stop_at=13) == [STOPPED] * 4
    assert train_together(parts, 1, epochs=3) == [0]
    assert_close(tmp_path / "whole", parts, 1e-5)


@pytest.mark.slow
def test_the_same_number_of_processes_ends_bit_for_bit(tmp_path):
    train_together(tmp_path / "whole", 2, epochs=2)
    train_together(tmp_path / "again", 2, epochs=2, stop_at=8)
    assert train_together(tmp_path / "again", 2, epochs=2) == [0, 0]
    assert_equal(tmp_path / "whole", tmp_path / "again")


@pytest.mark.slow
def test_all_processes_stop_early_in_the_same_epoch(tmp_path):
    settings: dict[str, Any] = {"epochs": 30, "patience": 2, "lr": 0.3}
    train_together(tmp_path / "one", 1, **settings)
    assert train_together(tmp_path / "two", 2, **settings) == [0, 0]
    assert len(history(tmp_path / "two")) < 30
    steps = [(tmp_path / f"two/steps-{number}").read_text() for number in (0, 1)]
    assert steps[0] == steps[1]


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1])
def test_a_killed_process_ends_the_others_and_the_run_goes_on(tmp_path, number):
    train_together(tmp_path / "whole", 2, epochs=40)
    folder = tmp_path / "killed"
    folder.mkdir()
    with started(2, train_member, folder, "cgcnn", 0, 0, thaws=False, settings={"epochs": 40}) as members:
        while not (folder / "checkpoint.pt").exists():
            time.sleep(0.01)
            assert all(member.exitcode is None for member in members)
        members[number].kill()
        members[1 - number].join(20)
        assert members[1 - number].exitcode == 1  # the error of the connection, in a process without a command line
    assert train_together(folder, 2, epochs=40) == [0, 0]
    assert_equal(tmp_path / "whole", folder)


def shares(rank: Rank):
    data, cpu = tiny_data(), torch.device("cpu")
    return TrainingLoader(data, view="quotient", batch_size=8, seed=1, device=cpu, rank=rank).shares(3)


@pytest.mark.parametrize("processes", [2, 3, 8])
def test_the_batches_are_those_of_one_process(processes):
    alone = shares(Rank())
    members = [shares(Rank(number, processes, number, processes)) for number in range(processes)]
    for k, batch in enumerate(alone.crystals):
        parts = [member.crystals[k] for member in members]
        assert sorted(np.concatenate(parts).tolist()) == sorted(batch.tolist())
        assert all([c for c in batch.tolist() if c in part] == part.tolist() for part in parts)  # in the same order
    assert all(member.sizes == alone.sizes for member in members)
    assert len({member.imbalance for member in members}) == 1


def test_shards_hold_about_the_same_work():
    rng = np.random.default_rng(0)
    for processes in (2, 4, 7):
        sizes = rng.lognormal(3, 1, 64).astype(int)
        loads = [sizes[shard].sum() for shard in balanced_shares(sizes, processes)]
        # Graham's bound: 4/3 of the best, which is no less than the mean or the largest crystal.
        assert max(loads) <= 4 / 3 * max(sizes.sum() / processes, sizes.max()) + 1


def test_crystals_without_work_are_divided_too():
    assert [len(shard) for shard in balanced_shares(np.zeros(8), 4)] == [2, 2, 2, 2]
    assert [shard.tolist() for shard in balanced_shares([5], 2)] == [[0], []]


def test_more_processes_than_crystals_are_refused():
    refuse_many_processes(4, 4)
    with pytest.raises(RequestError, match="5 processes cannot share a batch of 4 crystals"):
        refuse_many_processes(5, 4)
