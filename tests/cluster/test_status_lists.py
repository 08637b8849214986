"""``phase2 status`` over several objects of one run, several namespaces, and time."""

import json
import os
import re
import signal
import subprocess
import sys
import threading

import pytest
from tests.cluster.support import controllers as simulated
from tests.cluster.support.harnesses import WorkflowHarness
from tests.cluster.support.stored_api import JOBS, PODS, WORKFLOWS, install_templates, merged

from phase2.cli.cluster.watch_list import changed_states, gone_runs
from phase2.cluster.status.workflow import workflow_state


@pytest.fixture
def harness(cli, api):
    install_templates(api)
    return WorkflowHarness(cli, api)


def states(cli, *options):
    code, out, err = cli("status", "--json", *options)
    assert code == 0, err
    return json.loads(out)


def of_the_ui(name="phase2-x7k2p", created="2030-01-01T00:00:00Z", namespace="materials", **parameters):
    """Workflow as the Argo UI and cron make it: without labels."""
    given = [{"name": key, "value": value} for key, value in parameters.items()]
    return {
        "kind": "Workflow",
        "metadata": {"name": name, "namespace": namespace, "creationTimestamp": created},
        "spec": {"workflowTemplateRef": {"name": "phase2-train"}, "arguments": {"parameters": given}},
    }


def test_a_workflow_without_labels_is_listed_found_and_cancelled(cli, api, harness):
    api.put(WORKFLOWS, of_the_ui(level="lite") | {"status": simulated.workflow_running("phase2-x7k2p")})
    api.put(WORKFLOWS, merged(of_the_ui("hello"), {"spec": {"workflowTemplateRef": {"name": "hello-world"}}}))
    (found,) = states(cli)
    assert (found["run_id"], found["mode"], found["state"]) == ("phase2-x7k2p", "lite", "running")
    assert cli("cancel", "phase2-x7", "--yes")[0] == 0
    assert api.get(WORKFLOWS, "phase2-x7k2p")["spec"]["shutdown"] == "Stop"
    assert states(cli)[0]["state"] == "stopping"


def test_a_run_and_its_resumed_workflow_are_one_row_with_the_runs_own_level(cli, api, harness):
    harness.begin("4f1c2a")
    harness.fail("4f1c2a")
    api.put(WORKFLOWS, of_the_ui(resume="4f1c", level="pro") | {"status": simulated.workflow_running("phase2-x7k2p")})
    (row,) = states(cli)
    assert (row["run_id"], row["name"], row["algorithm"], row["mode"]) == ("4f1c2a", "phase2-x7k2p", "cgcnn", "smoke")
    assert row["state"] == "running"
    for name in ("4f1c2a", "phase2-x7k2p", "phase2-4f1c2a"):
        assert json.loads(cli("status", name, "--json")[1]) == row
    assert "phase2 train --algorithm cgcnn" in cli("status", "4f1c2a")[1]


def test_a_resumed_run_that_is_known_nowhere_else_has_what_its_workflow_publishes(cli, api, harness):
    status = simulated.workflow_running("phase2-x7k2p")
    api.put(WORKFLOWS, of_the_ui(resume="4f1c2a") | {"status": status})
    (before,) = states(cli)
    assert (before["run_id"], before["algorithm"], before["mode"]) == ("4f1c2a", "-", "-")
    published = [("run-id", "4f1c2a"), ("algorithm", "e3nn"), ("mode", "competition")]
    outputs = {"parameters": [{"name": key, "value": value} for key, value in published]}
    api.patch(WORKFLOWS, "phase2-x7k2p", {"status": {"outputs": outputs}})
    (after,) = states(cli)
    assert (after["run_id"], after["algorithm"], after["mode"]) == ("4f1c2a", "e3nn", "competition")


def test_a_run_that_argo_resumed_is_resumed_by_phase2_with_its_own_resources(cli, api, harness):
    assert harness.submit("4f1c2a", "--memory", "4Gi")[0] == 0
    harness.fail("4f1c2a")
    failed = simulated.workflow_failed("phase2-x7k2p", 3, "The data are damaged.")
    api.put(WORKFLOWS, of_the_ui(resume="4f1c2a") | {"status": failed})
    code, out, err = cli("submit", "--resume", "4f1c2a", "--dry-run", "--json")
    assert code == 0, err
    parameters = json.loads(out)["manifest"]["spec"]["arguments"]["parameters"]
    given = {each["name"]: each["value"] for each in parameters}
    assert (given["run-name"], given["memory"], given["level"]) == ("4f1c2a", "4Gi", "smoke")


# Namespaces ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def two_namespaces(cli, api, harness):
    harness.begin("abc")
    other = of_the_ui("phase2-b4d9q", namespace="alloys") | {"status": simulated.workflow_running("phase2-b4d9q")}
    api.put(WORKFLOWS, other)
    job = simulated.job_pod("phase2-old", 3, "The data are damaged.")
    job["metadata"]["namespace"] = "alloys"
    api.put(PODS, job)
    labels = {"app.kubernetes.io/name": "phase2", "app.kubernetes.io/component": "training"}
    metadata = {"name": "phase2-old", "namespace": "alloys", "labels": labels, "creationTimestamp": simulated.NOW}
    api.put(JOBS, {"kind": "Job", "metadata": metadata, "spec": {}, "status": simulated.job_failed()})


@pytest.mark.parametrize("option", ["-n", "--namespace"])
def test_a_namespace_has_its_own_runs(cli, two_namespaces, option):
    assert {row["run_id"] for row in states(cli)} == {"abc"}
    assert {row["run_id"] for row in states(cli, option, "alloys")} == {"phase2-b4d9q", "phase2-old"}
    code, out, err = cli("status", "phase2-old", option, "alloys")
    assert (code, "The data are damaged." in out) == (0, True), err


@pytest.mark.parametrize("option", ["-A", "--all-namespaces"])
def test_all_namespaces_are_listed_with_a_column(cli, two_namespaces, option):
    listed = {(row["namespace"], row["run_id"]) for row in states(cli, option)}
    assert listed == {("materials", "abc"), ("alloys", "phase2-b4d9q"), ("alloys", "phase2-old")}
    header, *rows = [line for line in cli("status", option)[1].splitlines() if line.strip()]
    assert header.split()[:2] == ["namespace", "run"]
    assert any(line.split()[:2] == ["alloys", "phase2-old"] and "are damaged" in line for line in rows)
    code, out, err = cli("status", "phase2-old", option)
    assert (code, "namespace alloys" in out, "-n alloys" in out) == (0, True, True), err


def test_a_run_of_two_namespaces_has_to_be_named_with_one(cli, api, two_namespaces):
    api.put(WORKFLOWS, of_the_ui("phase2-second", namespace="alloys", **{"run-name": "abc"}))
    code, _, err = cli("status", "abc", "-A")
    assert (code, "They are alloys, materials." in err, "-n NAMESPACE" in err) == (2, True, True)
    assert cli("status", "abc", "-n", "alloys")[0] == 0


def test_a_user_of_one_namespace_is_told_to_name_it(cli, api, two_namespaces):
    api.hides_cluster = True
    code, _, err = cli("status", "-A")
    assert code == 2
    assert "You may not list jobs in all namespaces." in err
    assert "who may not list jobs of every namespace" in err
    assert "Name one namespace with -n NAMESPACE" in err
    assert states(cli, "-n", "materials")


def test_one_and_all_namespaces_exclude_each_other(cli, api):
    code, _, err = cli("status", "-A", "-n", "alloys")
    assert (code, "cannot be combined with --all-namespaces" in err) == (2, True)


def test_events_that_may_not_be_read_make_a_status_less_specific_only(cli, api, harness):
    harness.begin("abc")
    api.hidden.add("events")
    assert states(cli)[0]["state"] == "running"
    assert harness.state("abc") == "running"


# Watching ------------------------------------------------------------------------------------------------------------


def watch(*options):
    """Start to watch; the caller reads its lines."""
    command = [sys.executable, "-m", "phase2", "status", "--watch", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ.copy())


def test_watching_the_list_prints_a_line_for_each_change(cli, api, harness):
    harness.begin("abc")
    watcher = watch()
    stop = threading.Timer(60, watcher.kill)
    stop.start()
    try:
        assert re.match(r"\d\d:\d\d:\d\d abc running: runs, step train", watcher.stdout.readline())
        harness.fail("abc")
        assert "abc failed: failed with exit code 3 in the step train" in watcher.stdout.readline()
        api.remove(WORKFLOWS, "phase2-abc")
        assert "abc is no longer listed" in watcher.stdout.readline()
    finally:
        stop.cancel()
        watcher.send_signal(signal.SIGINT)
        _, errors = watcher.communicate(timeout=30)
    assert "Traceback" not in errors


def test_a_terminal_shows_the_list_which_is_redrawn(cli, api, harness):
    harness.begin("abc")
    terminal, end = os.openpty()
    command = [sys.executable, "-m", "phase2", "status", "--watch"]
    watcher = subprocess.Popen(command, stdin=end, stdout=end, stderr=end, env=os.environ | {"COLUMNS": "150"})
    stop = threading.Timer(60, watcher.kill)
    stop.start()

    def shown_until(word):
        shown = ""
        while word not in shown:
            shown += os.read(terminal, 1 << 16).decode()
        return shown

    try:
        assert "what it does" in shown_until("runs, step train")
        harness.fail("abc")
        assert "\x1b[1A" in shown_until("failed with exit code 3")  # the cursor goes up, to draw over what was there
    finally:
        stop.cancel()
        watcher.send_signal(signal.SIGINT)
        watcher.wait(timeout=30)
        os.close(terminal)
        os.close(end)
    assert watcher.returncode == 130


def test_watching_as_json_prints_a_document_for_each_change(cli, api, harness):
    harness.begin("abc")
    watcher = watch("--json", "-A")
    stop = threading.Timer(60, watcher.kill)
    stop.start()
    try:
        first = json.loads(watcher.stdout.readline())
        assert (first["run_id"], first["namespace"], first["listed"]) == ("abc", "materials", True)
        api.remove(WORKFLOWS, "phase2-abc")
        assert json.loads(watcher.stdout.readline())["listed"] is False
    finally:
        stop.cancel()
        watcher.send_signal(signal.SIGINT)
        watcher.communicate(timeout=30)


def test_watching_a_run_ends_with_its_exit_code(cli, harness):
    harness.begin("abc")
    harness.fail("abc")
    code, _, err = cli("status", "abc", "--watch")
    assert (code, "failed with exit code 3" in err) == (3, True)


def test_the_time_that_passes_is_no_change():
    workflow = of_the_ui() | {"status": simulated.workflow_running("phase2-x7k2p")}
    first, later = (workflow_state(workflow, []) for _ in range(2))
    assert changed_states([], [first]) == [first]
    assert changed_states([first], [later]) == []
    ended = workflow_state(workflow | {"status": simulated.workflow_succeeded("phase2-x7k2p")}, [])
    assert changed_states([first], [ended]) == [ended]
    assert (gone_runs([first], []), gone_runs([first], [ended])) == ([first], [])
