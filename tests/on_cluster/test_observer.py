"""``phase2 observe`` beside a run that fails: an Event on its Job, once, and metrics."""

import os
import socket
import subprocess
import sys
import urllib.request
from contextlib import contextmanager

import pytest
from tests.on_cluster.lab.waiting import wait_until

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(300)]


@contextmanager
def observing(cluster, output):
    """Run the observer as a process of this host; yields its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["observe", "--namespace", cluster.namespace, "--metrics-port", str(port), "--period", "1"]
    with output.open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "phase2", *words],
            env=os.environ | {"KUBECONFIG": cluster.kubeconfig},
            stdout=log,
            stderr=log,
        )
        try:
            yield port
        finally:
            process.terminate()
            process.wait(20)


def exposed(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
    except OSError:  # it is being started
        return {}
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


def our_events(cluster, name):
    """Reasons and messages of the observer's events on a Job."""
    found = cluster.core.list_namespaced_event(
        cluster.namespace, field_selector=f"involvedObject.kind=Job,involvedObject.name={name}"
    ).items
    ours = [event for event in found if event.source.component == "phase2-observer"]
    return [(event.reason, event.type, event.message) for event in ours]


def test_a_failing_run_is_told_once_and_counted(cluster, runs, tmp_path):
    run_id, log = runs.id("observed"), tmp_path / "observer.log"
    try:
        with observing(cluster, log) as port:
            wait_until(lambda: any("observer_up" in name for name in exposed(port)), "the observer", 60, log.read_text)
            assert runs.submit(run_id, "--store", "s3://no-such-bucket").code == 0
            (job,) = runs.jobs(run_id)
            sentence = runs.wait_for_state(run_id, "failed")["sentence"]
            wanted = ("RunFailed", "Warning", f"The run {run_id} {sentence}")
            wait_until(
                lambda: wanted in our_events(cluster, job.metadata.name), "the event", 60, log.read_text, pause=1
            )
            found = exposed(port)
            (state,) = [name for name in found if name.startswith("phase2_run_state") and run_id in name]
            assert 'state="failed"' in state
            ended = [float(value) for name, value in found.items() if "run_ended_total" in name and "failed" in name]
            assert sum(ended) >= 1
            assert found[f'phase2_observer_up{{namespace="{cluster.namespace}"}}'] == "1.0"
        before = our_events(cluster, job.metadata.name)
        with observing(cluster, log) as port:
            up = f'phase2_observer_up{{namespace="{cluster.namespace}"}}'
            wait_until(lambda: exposed(port).get(up) == "1.0", "its first look", 60, log.read_text)
            assert our_events(cluster, job.metadata.name) == before
        assert [event[0] for event in before].count("RunFailed") == 1
    finally:
        runs.remove(run_id)
