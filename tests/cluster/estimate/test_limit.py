"""The time of a run in one line, and its limit."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phase2.cluster.estimate.limit import check_cpu_time, describe_time
from phase2.cluster.estimate.work import Estimate
from phase2.errors import RequestError

HOUR = 3600


def taking(hours, **values):
    seconds = None if hours is None else hours * HOUR
    usual = Estimate(train=100, seconds=seconds, source="by rates", on_gpu=False, cores=2)
    return replace(usual, **values)


@pytest.mark.parametrize(
    ("work", "line"),
    [
        (taking(6.2), "about 6.2 h on 2 cores without a GPU, by rates"),
        (taking(72, cores=1), "about 3 days on 1 core without a GPU, by rates"),
        (taking(6.2, may_end_early=True), "at most about 6.2 h on 2 cores without a GPU, by rates"),
        (taking(0.1, on_gpu=True, source="by 2 comparable runs on H100"), "about 6 min on a GPU, by 2 comparable runs"),
        (taking(None, source="the size of the data is not known here"), "not known: the size of the data is not known"),
    ],
)
def test_the_time_is_one_line(work, line):
    assert describe_time(work).startswith(line)
    assert "\n" not in describe_time(work)


@given(st.floats(0.01, 1e5), st.floats(0.01, 1e5))
def test_a_run_is_refused_exactly_where_it_takes_longer(hours, limit):
    if hours * HOUR / HOUR <= limit:
        check_cpu_time(taking(hours), limit)
        return
    with pytest.raises(RequestError) as refused:
        check_cpu_time(taking(hours), limit)
    assert f"the limit of {limit:g} h" in refused.value.what
    accepted = refused.value.fix.partition("--max-hours ")[2].split()[0]
    check_cpu_time(taking(hours), float(accepted))  # the fix works


@given(st.floats(0.01, 1e5), st.sampled_from([None, 0.0]))
def test_without_a_limit_nothing_is_refused(hours, limit):
    check_cpu_time(taking(hours), limit)


def test_a_gpu_or_an_unknown_time_is_not_refused():
    check_cpu_time(taking(1000, on_gpu=True), 1)
    check_cpu_time(taking(None), 1)


@pytest.mark.parametrize("hours", [-1.0, float("nan"), float("inf")])
def test_a_limit_is_a_number_of_hours(hours):
    with pytest.raises(RequestError, match="not a number of hours"):
        check_cpu_time(taking(1), hours)
