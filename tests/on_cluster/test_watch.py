"""A run in the cluster as people watch it: its log is a table, its state has the time left, and it can be followed."""

import re

import pytest
from tests.on_cluster.lab.waiting import wait_until
from tests.on_cluster.support.runs import epochs_of

from phase2.runs.live.table import COLUMNS

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(300)]


def test_a_run_is_watched_to_its_end_and_its_log_reads_well(runs):
    run_id = runs.id("watched")
    submitted = runs.submit(run_id, "--epochs", "60")
    assert submitted.code == 0, submitted.errors
    runs.wait_for_epoch(run_id, 1)
    (found,) = wait_until(
        lambda: [now for now in [runs.state(run_id)] if now["eta_seconds"] is not None],
        "the state to have the time left",
        60,
        lambda: runs.log_tail(run_id),
        pause=0.2,
    )
    assert re.search(r"; epoch \d+/60, about \d+\w* left$", found["sentence"]), found
    watched = runs.phase2("watch", run_id, "--cluster")
    assert watched.code == 0, watched.errors
    lines = watched.out.splitlines()
    assert lines[0].startswith(f"{run_id} cgcnn smoke running: "), watched.out
    assert any(re.match(rf"{run_id} cgcnn smoke epoch \d+/60, loss \d", line) for line in lines), watched.out
    assert lines[-1].startswith(f"{run_id} cgcnn smoke succeeded: "), watched.out
    log = runs.phase2("logs", run_id).out
    table = [line for line in log.splitlines() if re.match(r" *\d+/60 ", line)]
    assert [int(line.split("/")[0]) for line in table] == list(range(1, 61))
    assert {len(line) for line in table} == {len(table[0])}
    assert sum(line.split()[: len(COLUMNS)] == list(COLUMNS) for line in log.splitlines()) == 3
    assert '{"epoch"' not in log
    assert epochs_of(log) == 60
