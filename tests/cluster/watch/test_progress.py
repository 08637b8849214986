"""Progress of runs in a cluster: the time left in ``phase2 status``, and what ``phase2 watch`` shows."""

import json
import time

import pytest
from tests.cluster.support import controllers as simulated
from tests.cluster.support.harnesses import JobHarness
from tests.cluster.support.stored_api import PODS

from phase2.cluster.api.connection import Connection
from phase2.cluster.namespace import Cluster
from phase2.cluster.watch.progress import ProgressReader
from phase2.cluster.watch.source import ClusterRuns
from phase2.runs.live.table import begin_line, epoch_line, heading
from phase2.runs.records.history import EpochRow


def log(*epochs, left=None):
    """A pod's log with times, as the API server gives it."""
    rows = [EpochRow(n, 4 * n, 1e-3, 1 / n, 1.1 / n, 0.9 / n, {"band_gap": 0.5}, 2.0, 900.0, 0.1) for n in epochs]
    lines = [begin_line(10, 40, 0), *heading(["band_gap"])]
    lines += [epoch_line(row, ["band_gap"], epochs=10, best=True, left=left) for row in rows]
    return "".join(f"{simulated.NOW} {line}\n" for line in lines)


@pytest.fixture
def running(cli, api):
    """A Job that runs, whose pod has printed two epochs."""
    harness = JobHarness(cli, api)
    harness.begin("4f1c2a")
    containers = [{"name": "train", "state": {"running": {"startedAt": simulated.NOW}}}]
    status = {"phase": "Running", "containerStatuses": containers}
    api.put(PODS, simulated.job_pod("phase2-4f1c2a", 0, "") | {"status": status})
    api.logs["phase2-4f1c2a-x"] = log(1, 2, left=10**9)
    return harness


def test_status_says_how_long_a_run_still_takes(cli, api, running):
    code, out, err = cli("status", "4f1c2a")
    assert code == 0, err
    assert "; epoch 2/10, about " in out
    assert "d" in out.partition("about ")[2].split()[0]
    row = json.loads(cli("status", "4f1c2a", "--json")[1])
    assert row["state"] == "running"
    assert 0 < row["eta_seconds"] < 10**9
    assert json.loads(cli("status", "--json")[1])[0]["eta_seconds"] == pytest.approx(row["eta_seconds"], abs=60)


def test_a_log_that_may_not_be_read_leaves_the_state_as_it_is(cli, api, running):
    del api.logs["phase2-4f1c2a-x"]
    code, out, _ = cli("status", "4f1c2a")
    assert (code, "left" in out) == (0, False)
    assert json.loads(cli("status", "--json")[1])[0]["eta_seconds"] is None


def test_logs_are_read_again_only_after_a_while(api, running):
    cluster = Cluster(Connection.open(None), "materials")
    reader = ProgressReader(cluster)
    (first,) = reader.complete(cluster.states())
    api.logs["phase2-4f1c2a-x"] = log(1, 2, 3, left=10**9)
    (second,) = reader.complete(cluster.states())
    assert "epoch 2/10" in first.message
    assert "epoch 2/10" in second.message


def test_watch_follows_the_log_of_a_run(api, running):
    runs = ClusterRuns(Cluster(Connection.open(None), "materials"), ["4f1c"])
    try:
        (first,) = runs.look()
        seen = _until(runs, lambda view: view.epoch == 2)
        assert (first.run_id, seen.state, seen.epochs, seen.steps) == ("4f1c2a", "running", 10, 40)
        assert seen.points[-1].mae == {"band_gap": 0.5}
        assert seen.where.startswith("phase2-4f1c2a-x")
    finally:
        runs.close()


def test_watch_reads_the_earlier_attempts_too(api, running):
    first = simulated.job_pod("phase2-4f1c2a", 1, "out of memory")
    first["metadata"] |= {"name": "phase2-4f1c2a-a", "uid": "a", "creationTimestamp": "2026-11-24T11:00:00Z"}
    api.put(PODS, first)
    stamp = f"{simulated.NOW} "
    api.logs["phase2-4f1c2a-a"] = log(1, 2, 3).replace(stamp, "")  # read at once, without times
    again = log(3, 4, left=10**9).replace(begin_line(10, 40, 0), begin_line(10, 40, 8))
    api.logs["phase2-4f1c2a-x"] = again
    runs = ClusterRuns(Cluster(Connection.open(None), "materials"), ["4f1c2a"])
    try:
        seen = _until(runs, lambda view: view.epoch == 4)
        assert [point.epoch for point in seen.points] == [1, 2, 3, 4]
    finally:
        runs.close()


def test_watch_prints_lines_until_the_run_has_ended(cli, api, running):
    running.finish("4f1c2a")
    code, out, err = cli("watch", "4f1c2a", "--cluster")
    assert code == 0, err
    assert out.splitlines()[0].startswith("4f1c2a cgcnn smoke succeeded")
    assert cli("watch", "--cluster")[2].endswith("no run is in progress\n")


def _until(runs, condition):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        (view,) = runs.look()
        if condition(view):
            return view
        time.sleep(0.05)
    raise AssertionError(view)
