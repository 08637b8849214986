"""What runs cost: hours by resource, and money."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phase2.cluster.estimate.cost import Reservation, cost_of, describe_cost
from phase2.cluster.estimate.work import Estimate
from phase2.cluster.request.image import Image
from phase2.cluster.request.prices import Prices
from phase2.cluster.request.quantities import parse_cpu
from phase2.cluster.request.resources import ClusterRequest

MIG = "nvidia.com/mig-1g.10gb"
PRICES = Prices(currency="EUR", hour={"nvidia.com/gpu": 2.0, MIG: 0.5, "cpu": 0.1})


def run(hours, *, early=False, measured=1, **cluster):
    asked = ClusterRequest(image=Image.parse("phase2:1"), **cluster)
    seconds = None if hours is None else hours * 3600
    work = Estimate(
        train=1, seconds=seconds, source="x", on_gpu=asked.gpus > 0, cores=2, may_end_early=early, measured=measured
    )
    return work, Reservation.of(asked)


@pytest.mark.parametrize(
    ("runs", "prices", "line"),
    [
        ([run(3, gpus=1)], None, "about 3 GPU hours"),
        ([run(3, gpus=1)], PRICES, "about 3 GPU hours, 6.00 EUR"),
        ([run(3, gpus=1, nodes=2)], PRICES, "about 6 GPU hours, 12.00 EUR"),
        ([run(3, gpus=1, nodes=2, measured=0)], PRICES, "at most about 6 GPU hours, 12.00 EUR"),
        ([run(3, gpus=1, gpu_resource=MIG)], PRICES, f"about 3 hours of {MIG}, 1.50 EUR"),
        ([run(3, cpu=parse_cpu("4"))], PRICES, "about 12 core hours, 1.20 EUR"),
        ([run(3, early=True)], None, "at most about 6 core hours"),
        ([run(0.01)], PRICES, "about 0.02 core hours, less than 0.01 EUR"),
        ([run(1000, gpus=1), run(1)], PRICES, "about 1,000 GPU hours and 2 core hours, 2,000.20 EUR"),
        (
            [run(None, gpus=1)],
            None,
            "at most 168 GPU hours, an upper bound by the deadline, since the time of the run is not known",
        ),
        (
            [run(None, gpus=1, deadline_seconds=7200), run(1, gpus=1)],
            PRICES,
            "at most 3 GPU hours, 6.00 EUR, an upper bound by the deadline, since the time of 1 of 2 runs is not known",
        ),
        (
            [run(None, gpus=1, deadline_seconds=None), run(1, gpus=1)],
            PRICES,
            "not known: the time of 1 of 2 runs is not known, and no deadline ends it",
        ),
        (
            [run(1, gpus=1, gpu_resource="amd.com/gpu")],
            PRICES,
            "about 1 hours of amd.com/gpu; the prices of this namespace have none of amd.com/gpu",
        ),
    ],
)
def test_a_cost_is_one_line(runs, prices, line):
    assert describe_cost(cost_of(runs, prices)) == line


def test_a_gpu_that_runs_share_costs_what_they_cost_alone_at_most():
    work, alone = run(3, gpus=1)
    shared = replace(alone, is_shared=True)
    assert describe_cost(cost_of([(work, shared), (work, shared)])) == "at most about 6 GPU hours"


def test_runs_that_share_a_pod_have_one_deadline_together():
    work, alone = run(None, gpus=1, deadline_seconds=10 * 3600)
    shared = replace(alone, is_shared=True)
    assert cost_of([(work, shared), (work, shared)]).hours == {"nvidia.com/gpu": 10}
    assert cost_of([(work, alone), (work, alone)]).hours == {"nvidia.com/gpu": 20}


def test_what_is_not_known_is_null_and_no_part_of_it():
    """The hours of the runs that are known would look like those of all."""
    facts = cost_of([run(None, deadline_seconds=None), run(5, gpus=1)], PRICES).facts()
    assert facts == {
        "gpu_hours": None,
        "core_hours": None,
        "is_upper_bound": None,
        "runs_by_deadline": 0,
        "runs_not_known": 1,
        "money": None,
        "currency": "EUR",
    }


@given(st.lists(st.tuples(st.floats(0, 1e4), st.sampled_from(["cpu", "nvidia.com/gpu", MIG])), min_size=1, max_size=9))
def test_together_runs_cost_the_sum_of_each(runs):
    made = [
        run(hours) if name == "cpu" else run(hours, gpus=1, gpu_resource=name)
        for hours, name in runs
    ]  # fmt: skip
    together = cost_of(made, PRICES)
    assert together.money == pytest.approx(math.fsum(cost_of([one], PRICES).money or 0 for one in made))
    assert sum(together.hours.values()) == pytest.approx(
        math.fsum(hours * (2 if name == "cpu" else 1) for hours, name in runs)
    )
