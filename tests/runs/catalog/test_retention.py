"""Which runs pruning removes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phase2.runs.catalog.retention import runs_to_prune
from phase2.runs.catalog.summary import RunSummary

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def run(name, *, days=0.0, score=None, status="finished", family="multitask_cgcnn", data="d", properties=("band_gap",)):
    return RunSummary(
        prefix=f"{family}/{name}",
        run_id=name,
        algorithm="cgcnn",
        mode="lite",
        status=status,
        started=NOW - timedelta(days=days, hours=1),
        ended=NOW - timedelta(days=days),
        properties=properties,
        score=score,
        data=data,
    )


def pruned(runs, *, keep_best=0, days=None):
    older_than = None if days is None else timedelta(days=days)
    return [run.run_id for run in runs_to_prune(runs, keep_best=keep_best, older_than=older_than, now=NOW)]


def test_old_runs_are_pruned_unless_among_the_best():
    runs = [run("old_best", days=90, score=0.1), run("old", days=60, score=0.5), run("young", days=1, score=0.9)]
    assert pruned(runs, keep_best=1, days=30) == ["old"]
    assert pruned(runs, days=30) == ["old_best", "old"]
    assert pruned(runs, keep_best=1) == ["old", "young"]
    assert pruned(runs, keep_best=3) == []


def test_the_best_of_every_kind_are_kept():
    runs = [
        run("a", score=0.1),
        run("b", score=0.5, data="other"),
        run("c", score=0.6, properties=("band_gap", "spillage")),
        run("d", score=0.7, family="multitask_lite_e3nn"),
        run("e", score=0.2),
    ]
    assert pruned(runs, keep_best=1) == ["e"]


@pytest.mark.parametrize("status", ["running", "unfinished"])
def test_runs_that_can_be_resumed_are_kept(status):
    assert pruned([run("a", days=900, status=status)], days=1) == []


def test_failed_runs_never_count_as_good():
    runs = [run("failed", days=9, score=0.0, status="failed"), run("good", days=9, score=0.5)]
    assert pruned(runs, keep_best=1, days=1) == ["failed"]


scores = st.one_of(st.none(), st.floats(0, 10))


@given(st.lists(st.tuples(st.integers(0, 99), scores), max_size=12), st.integers(0, 5), st.integers(0, 99))
def test_no_recent_and_no_better_run_is_pruned(facts, keep_best, days):
    runs = [run(str(i), days=age, score=score) for i, (age, score) in enumerate(facts)]
    gone = set(pruned(runs, keep_best=keep_best, days=days))
    stay = [r for r in runs if r.run_id not in gone]
    assert all(r.ended < NOW - timedelta(days=days) for r in runs if r.run_id in gone)
    scored = sum(r.score is not None for r in runs)
    assert sum(r.score is not None for r in stay) >= min(keep_best, scored)
    best = sorted(r.score for r in runs if r.score is not None)[:keep_best]
    assert sorted(r.score for r in stay if r.score is not None)[: len(best)] == best
