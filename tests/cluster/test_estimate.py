"""Estimated steps and duration of a run."""

import pytest
from tests.cluster.conftest import measured_run

from phase2.cluster.estimate import estimate
from phase2.config.data_sets import CRYSTALS
from phase2.config.request import RunRequest
from phase2.config.resolve import resolve
from phase2.data.sources.sample import SampleSource

SMOKE = resolve(RunRequest(algorithm="cgcnn", level="smoke")).config


def test_the_sample_has_the_recorded_number_of_crystals():
    assert sum(1 for _ in SampleSource().records()) == CRYSTALS["sample"]


def test_steps_follow_from_the_size_of_the_data():
    work = estimate(SMOKE, on_gpu=False)
    assert (work.train, work.is_exact, work.steps, work.seconds) == (640, False, 5 * 10, None)
    assert estimate(resolve(RunRequest(data="jarvis-dft3d")).config, on_gpu=True).steps == 100 * 3800


def test_data_of_unknown_size_have_no_steps():
    assert estimate(resolve(RunRequest(data="/work/cache/x.json")).config, on_gpu=False).steps is None


def test_a_run_with_the_same_data_makes_the_count_exact(tmp_path):
    run = measured_run(tmp_path, epoch_seconds=2.0, train=600)
    work = estimate(SMOKE, [run], on_gpu=False)
    assert (work.train, work.is_exact, work.steps) == (600, True, 5 * 10)


def test_the_duration_is_the_median_of_comparable_runs(tmp_path):
    runs = [measured_run(tmp_path, epoch_seconds=seconds, train=640) for seconds in (2.0, 100.0, 4.0)]
    work = estimate(SMOKE, runs, on_gpu=False)
    assert work.seconds == pytest.approx(20.0)
    assert work.measured == 3


@pytest.mark.parametrize("options", [{"preset": "large"}, {"batch_size": 8}])
def test_a_run_with_another_network_or_batch_size_is_not_comparable(tmp_path, options):
    run = measured_run(tmp_path, epoch_seconds=2.0, train=640)
    other = resolve(RunRequest(algorithm="cgcnn", level="smoke", **options)).config
    assert estimate(other, [run], on_gpu=False).seconds is None


def test_a_run_on_a_gpu_is_not_comparable_with_one_on_a_cpu(tmp_path):
    run = measured_run(tmp_path, epoch_seconds=2.0, train=640, gpu="H100")
    assert estimate(SMOKE, [run], on_gpu=False).seconds is None
    assert estimate(SMOKE, [run], on_gpu=True).hardware == "H100"


def test_fewer_crystals_take_less_time(tmp_path):
    run = measured_run(tmp_path, epoch_seconds=2.0, train=640)
    less = resolve(RunRequest(algorithm="cgcnn", level="smoke", max_samples=400)).config
    assert estimate(less, [run], on_gpu=False).seconds == pytest.approx(5.0)
