"""Estimated steps and duration of a run."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cluster.conftest import measured_run

from phase2.cluster.estimate.cpu_rates import Spread, shipped_rates
from phase2.cluster.estimate.work import estimate
from phase2.config.assignments import parse_setting
from phase2.config.data.sets import CRYSTALS
from phase2.config.levels import PROFILES
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.data.sources.sample import SampleSource
from phase2.runs.records.execution import Execution

SMOKE = resolve(RunRequest(algorithm="cgcnn", level="smoke")).config
LEVELS = [
    resolve(RunRequest(algorithm=algorithm, level=mode)).config for algorithm, mode in PROFILES if mode != "competition"
]
configs = st.sampled_from(LEVELS)


def with_training(config, **values):
    return config.model_copy(update={"training": config.training.model_copy(update=values)})


def seconds(config, runs=(), *, cores=2.0):
    return estimate(config, runs, on_gpu=False, cores=cores).seconds


def test_the_sample_has_the_recorded_number_of_crystals():
    assert sum(1 for _ in SampleSource().records()) == CRYSTALS["sample"]


def test_steps_follow_from_the_size_of_the_data():
    work = estimate(SMOKE, on_gpu=False, cores=2)
    assert (work.train, work.is_exact, work.steps) == (640, False, 5 * 10)
    jarvis = resolve(RunRequest(data="jarvis-dft3d")).config
    assert estimate(jarvis, on_gpu=True, cores=2).steps == 100 * 3800


def test_data_of_unknown_size_have_neither_steps_nor_a_duration():
    work = estimate(resolve(RunRequest(data="/work/cache/x.json")).config, on_gpu=False, cores=2)
    assert (work.steps, work.seconds) == (None, None)
    assert work.source == "the size of the data is not known here"


# By finished runs ----------------------------------------------------------------------------------------------------


def test_a_run_with_the_same_data_makes_the_count_exact(tmp_path):
    run = measured_run(tmp_path, epoch_seconds=2.0, train=600)
    work = estimate(SMOKE, [run], on_gpu=False, cores=2)
    assert (work.train, work.is_exact, work.steps) == (600, True, 5 * 10)


def test_the_duration_is_the_median_of_comparable_runs(tmp_path):
    runs = [measured_run(tmp_path, epoch_seconds=each, train=640) for each in (2.0, 100.0, 4.0)]
    work = estimate(SMOKE, runs, on_gpu=False, cores=2)
    assert work.seconds == pytest.approx(20.0)
    assert (work.measured, work.source.partition(" on ")[0]) == (3, "by 3 comparable runs")


@pytest.mark.parametrize("options", [{"preset": "large"}, {"batch_size": 8}, {"balance": "famo"}])
def test_a_run_with_another_network_or_other_steps_is_not_comparable(tmp_path, options):
    run = measured_run(tmp_path, epoch_seconds=2.0, train=640)
    other = resolve(RunRequest(algorithm="cgcnn", level="smoke", **options)).config
    assert estimate(other, [run], on_gpu=False, cores=2).measured == 0


def test_a_run_on_a_gpu_is_not_comparable_with_one_on_a_cpu(tmp_path):
    run = measured_run(tmp_path, epoch_seconds=2.0, train=640, gpu="H100")
    assert estimate(SMOKE, [run], on_gpu=False, cores=2).measured == 0
    assert estimate(SMOKE, [run], on_gpu=True, cores=2).source == "by 1 comparable run on H100"


def test_a_run_of_several_processes_is_comparable_with_those_of_as_many(tmp_path):
    run = measured_run(tmp_path, epoch_seconds=2.0, train=640)
    two = run.model_copy(update={"hardware": run.hardware.model_copy(update={"processes": 2})})
    assert estimate(SMOKE, [run], on_gpu=False, cores=2, processes=2).measured == 0
    assert ", in one process" in estimate(SMOKE, [run], on_gpu=False, cores=2, processes=2).source
    assert estimate(SMOKE, [two], on_gpu=False, cores=2).measured == 0
    assert estimate(SMOKE, [two], on_gpu=False, cores=2, processes=2).seconds == pytest.approx(10.0)


def test_a_run_that_shared_its_machine_is_not_comparable(tmp_path):
    run = measured_run(tmp_path, epoch_seconds=2.0, train=640)
    alone = Execution(graphs="host", graph_bytes=1)
    assert estimate(SMOKE, [run.model_copy(update={"execution": alone})], on_gpu=False, cores=2).measured == 1
    packed = alone.model_copy(update={"packed": 2})
    assert estimate(SMOKE, [run.model_copy(update={"execution": packed})], on_gpu=False, cores=2).measured == 0


def test_fewer_crystals_take_less_time(tmp_path):
    run = measured_run(tmp_path, epoch_seconds=2.0, train=640)
    less = resolve(RunRequest(algorithm="cgcnn", level="smoke", max_samples=400)).config
    assert seconds(less, [run]) == pytest.approx(5.0)


def test_the_runs_of_the_store_replace_the_rates(tmp_path):
    """A machine ten times as slow as the one of the rates makes the estimate ten times as long."""
    epoch = 10 * (seconds(with_training(SMOKE, epochs=2)) - seconds(with_training(SMOKE, epochs=1)))
    run = measured_run(tmp_path, epoch_seconds=epoch, train=640)
    assert seconds(SMOKE, [run]) == pytest.approx(5 * epoch)


def test_a_run_on_other_cores_is_scaled_to_those_of_the_new_one(tmp_path):
    rate = shipped_rates().of(SMOKE)
    run = measured_run(tmp_path, epoch_seconds=2.0, train=640, cores=1)
    assert seconds(SMOKE, [run], cores=1) == pytest.approx(10.0)
    assert seconds(SMOKE, [run], cores=2) == pytest.approx(10.0 * rate.relative_time(2))
    assert seconds(SMOKE, [run], cores=0.5) == pytest.approx(20.0)


def test_the_threads_of_a_run_count_and_not_the_cores_of_its_node(tmp_path):
    run = measured_run(tmp_path, epoch_seconds=2.0, train=640, cores=64, threads=2)
    assert seconds(SMOKE, [run], cores=2) == pytest.approx(10.0)
    on_gpu = measured_run(tmp_path, epoch_seconds=2.0, train=640, cores=64, threads=2, gpu="H100")
    assert estimate(SMOKE, [on_gpu], on_gpu=True, cores=8).seconds == pytest.approx(10.0)


# By measured rates ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", PROFILES.values(), ids=lambda row: f"{row.algorithm} {row.mode}")
def test_every_row_of_the_levels_table_was_measured(row):
    """With its own batch size: a new row needs ``python -m bench.cpu_rates --write``."""
    level = None if row.mode == "competition" else row.mode
    config = resolve(RunRequest(algorithm=row.algorithm, level=level, competition=level is None)).config
    assert shipped_rates().of(config).batch_size == row.batch_size
    work = estimate(config, on_gpu=False, cores=2)
    assert work.source == f"by rates measured on {shipped_rates().cpu}"
    assert (work.seconds or 0) > 0


@given(configs, st.integers(1, 300), st.integers(1, 300), st.floats(0.1, 64))
def test_the_time_grows_linearly_with_the_epochs(config, first, second, cores):
    one, two = (seconds(with_training(config, epochs=n), cores=cores) for n in (first, second))
    both = seconds(with_training(config, epochs=first + second), cores=cores)
    start = both - one - two  # paid once, so counted once too often in the sum
    epoch = seconds(with_training(config, epochs=2), cores=cores) - seconds(
        with_training(config, epochs=1), cores=cores
    )
    assert start <= 0
    assert both + start * -1 == pytest.approx(one + two)
    assert one == pytest.approx(first * epoch - start, rel=1e-6)


@given(configs, st.floats(0.1, 64), st.floats(0.1, 64))
def test_more_cores_never_take_longer_nor_help_more_than_their_number(config, first, second):
    few, many = sorted((first, second))
    slow, fast = seconds(config, cores=few), seconds(config, cores=many)
    assert fast <= slow * (1 + 1e-9)
    assert fast * many >= slow * few * (1 - 1e-9)


@given(configs, st.integers(100, 6317), st.integers(100, 6317))
def test_more_crystals_never_take_less_time(config, first, second):
    def of(crystals):
        return seconds(config.model_copy(update={"data": config.data.model_copy(update={"max_samples": crystals})}))

    fewer, more = sorted((first, second))
    assert of(fewer) <= of(more)


def test_another_batch_size_or_data_set_is_said():
    other = estimate(with_training(SMOKE, batch_size=70), on_gpu=False, cores=2)
    assert other.source.endswith(", in batches of 64")
    jarvis = resolve(RunRequest(algorithm="cgcnn", data="jarvis-dft3d")).config
    assert estimate(jarvis, on_gpu=False, cores=2).source.endswith("atoms on average, as those measured")


@pytest.mark.parametrize(
    "setting", ["model.width=65", "data.graph.neighbors=20", "training.balance=famo", "training.optimizer=muon"]
)
def test_what_was_not_measured_has_no_duration(setting):
    config = resolve(RunRequest(algorithm="cgcnn", level="std", settings=(parse_setting(setting),))).config
    work = estimate(config, on_gpu=False, cores=2)
    assert work.seconds is None
    assert work.source == "the store has no comparable run, and this network was not measured"


def test_nothing_was_measured_on_a_gpu():
    work = estimate(SMOKE, on_gpu=True, cores=2)
    assert work.seconds is None
    assert "no rates on a GPU were measured" in work.source


@pytest.mark.parametrize(("measured", "counted"), [(0.97, 1.0), (1.0, 1.0), (1.3, 1.3), (2.0, 2.0), (2.1, 2.0)])
def test_two_cores_help_as_measured_but_never_hinder_nor_more_than_double(measured, counted):
    spread = Spread(median=measured, lowest=measured, highest=measured)
    rate = shipped_rates().networks[0].model_copy(update={"speedup": spread})
    assert rate.relative_time(1) == 1
    assert 1 / rate.relative_time(2) == pytest.approx(counted)
    assert 0 <= rate.parallel <= 1
    assert math.isclose(rate.relative_time(0.25), 4)
