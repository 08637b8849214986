"""Harnesses for the contract of backends: a cluster whose controllers the test simulates, and this machine."""

import json
import os
import subprocess
import sys
from abc import abstractmethod
from typing import Any, ClassVar

from tests.cluster.support import controllers as simulated
from tests.cluster.support.backend_contract import REQUEST, BackendHarness, Cli
from tests.cluster.support.image_names import BY_DIGEST
from tests.cluster.support.stored_api import (
    JOBS,
    JOBSETS,
    PODS,
    RUNTIMES,
    SERVICES,
    TRAINJOBS,
    WORKFLOWS,
    Objects,
    StoredApi,
)

from phase2.cluster.manifests.trainjob import build_runtime

FAILURE = "The data are damaged."


class StoredHarness(BackendHarness):
    """Harness of a namespace without controllers: the test writes the status that a controller would write."""

    kind: str

    def __init__(self, cli: Cli, api: Objects) -> None:
        super().__init__(cli)
        self.api = api

    def begin(self, run_id):
        code, _, err = self.submit(run_id)
        assert code == 0, err
        self.api.patch(self.kind, f"phase2-{run_id}", {"status": self.running(run_id)})

    def finish(self, run_id):
        self.api.patch(self.kind, f"phase2-{run_id}", {"status": self.succeeded(run_id)})

    def cancel(self, run_id):
        code, out, err = self.cli("cancel", run_id, "--yes")
        assert (code, f"phase2 submit --resume {run_id}" in out) == (0, True), err
        assert self.state(run_id) == "stopping"
        code, _, err = self.submit(run_id)
        assert (code, "is still being stopped" in err) == (75, True), err
        self.stopped(run_id)

    @abstractmethod
    def running(self, run_id) -> dict[str, Any]:
        """The status of an object whose run trains."""

    @abstractmethod
    def succeeded(self, run_id) -> dict[str, Any]:
        """The status of an object whose run ended well."""

    @abstractmethod
    def stopped(self, run_id) -> None:
        """Play the controller that ends a run."""

    def state(self, run_id):
        code, out, err = self.cli("status", run_id, "--json")
        assert code == 0, err
        return json.loads(out)["state"]

    def count(self, run_id):
        return sum(obj["metadata"]["labels"]["phase2.dev/run-id"] == run_id for obj in self.api.all(self.kind))


class JobHarness(StoredHarness):
    backend: tuple[str, ...] = ("--backend", "job", "--image", BY_DIGEST)
    kind = JOBS

    def running(self, run_id):
        return {"startTime": simulated.NOW, "active": 1}

    def succeeded(self, run_id):
        return simulated.job_succeeded()

    def fail(self, run_id):
        self.api.put(PODS, simulated.job_pod(f"phase2-{run_id}", 3, FAILURE))
        assert isinstance(self.api, StoredApi)
        self.api.logs[f"phase2-{run_id}-x"] = "2026-11-24T12:00:00Z error: The data are damaged.\n"
        self.api.patch(self.kind, f"phase2-{run_id}", {"status": simulated.job_failed()})

    def stopped(self, run_id):
        assert self.api.get(self.kind, f"phase2-{run_id}")["spec"]["activeDeadlineSeconds"] == 1
        self.api.patch(self.kind, f"phase2-{run_id}", {"status": simulated.job_failed()})


class GroupHarness(JobHarness):
    """Harness of a Job whose two pods train a run together."""

    backend = (*JobHarness.backend, "--nodes", "2")

    def __init__(self, cli: Cli, api: Objects) -> None:
        super().__init__(cli, api)
        api.put(SERVICES, {"metadata": {"name": "phase2-group", "namespace": simulated.NAMESPACE}})

    def running(self, run_id):
        return {"startTime": simulated.NOW, "active": 2}


class JobSetHarness(StoredHarness):
    """Harness of a JobSet of two pods, whose status the test writes as its controller does."""

    backend = ("--backend", "jobset", "--nodes", "2", "--image", BY_DIGEST)
    kind = JOBSETS
    completed = "Completed"
    counted: ClassVar[dict[str, Any]] = {"restarts": 0}

    def running(self, run_id):
        return {**self.counted, "conditions": []}

    def succeeded(self, run_id):
        return {**self.counted, "conditions": [simulated.condition(self.completed, "AllJobsCompleted")]}

    def fail(self, run_id):
        pod = simulated.job_pod(f"phase2-{run_id}", 3, FAILURE)
        pod["metadata"]["labels"]["jobset.sigs.k8s.io/jobset-name"] = f"phase2-{run_id}"
        self.api.put(PODS, pod)
        assert isinstance(self.api, StoredApi)
        self.api.logs[f"phase2-{run_id}-x"] = "2026-11-24T12:00:00Z error: The data are damaged.\n"
        status = {**self.counted, "conditions": [simulated.condition("Failed", "FailJobSetFailurePolicyAction")]}
        self.api.patch(self.kind, f"phase2-{run_id}", {"status": status})

    def stopped(self, run_id):
        assert self.api.get(self.kind, f"phase2-{run_id}")["spec"]["suspend"] is True
        status = {**self.counted, "conditions": [simulated.condition("Suspended", "SuspendedJobs")]}
        self.api.patch(self.kind, f"phase2-{run_id}", {"status": status})


class TrainJobHarness(JobSetHarness):
    """Harness of a TrainJob of two pods, whose status the test writes as Kubeflow's trainer does."""

    backend = ("--backend", "trainjob", "--nodes", "2", "--image", BY_DIGEST)
    kind = TRAINJOBS
    completed = "Complete"
    counted: ClassVar[dict[str, Any]] = {"jobsStatus": [{"name": "node", "active": 1}]}

    def __init__(self, cli: Cli, api: Objects) -> None:
        super().__init__(cli, api)
        runtime = build_runtime()
        runtime["metadata"]["namespace"] = simulated.NAMESPACE
        api.put(RUNTIMES, runtime)


class WorkflowHarness(StoredHarness):
    backend = ("--backend", "argo", "--image", BY_DIGEST)
    kind = WORKFLOWS

    def running(self, run_id):
        return simulated.workflow_running(f"phase2-{run_id}")

    def succeeded(self, run_id):
        return simulated.workflow_succeeded(f"phase2-{run_id}")

    def fail(self, run_id):
        status = simulated.workflow_failed(f"phase2-{run_id}", 3, FAILURE)
        self.api.patch(self.kind, f"phase2-{run_id}", {"status": status})

    def stopped(self, run_id):
        assert self.api.get(self.kind, f"phase2-{run_id}")["spec"]["shutdown"] == "Stop"
        status = simulated.workflow_failed(f"phase2-{run_id}", 143, "Stopped by SIGTERM.")
        self.api.patch(self.kind, f"phase2-{run_id}", {"status": status})


class LocalHarness(BackendHarness):
    """Harness of the local backend, with a folder as store."""

    backend = ("--backend", "local")

    def __init__(self, cli: Cli) -> None:
        super().__init__(cli)
        self._processes: dict[str, subprocess.Popen] = {}

    def begin(self, run_id):
        """Until the first epoch is trained: there is a checkpoint then, and more to train."""
        command = [sys.executable, "-m", "phase2", "submit", *REQUEST, *self.backend, "--run-id", run_id]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self._processes[run_id] = process
        while '"epoch": ' not in (line := process.stdout.readline()):
            assert line, f"it ended with {process.wait()}"

    def finish(self, run_id):
        process = self._processes.pop(run_id, None)
        if process is not None:
            process.communicate()
            assert process.returncode == 0

    def detach(self, run_id):
        """Return the process of a run, which the harness no longer owns."""
        return self._processes.pop(run_id)

    def fail(self, run_id):
        """As when a machine is shut down."""
        process = self.detach(run_id)
        process.terminate()
        process.communicate()
        assert process.returncode == 143

    cancel = fail

    def state(self, run_id):
        code, out, err = self.cli("runs", "show", run_id, "--json", "--store", os.environ["PHASE2_STORE"])
        assert code == 0, err
        return {"finished": "succeeded"}.get(json.loads(out)["status"], "unfinished")

    def count(self, run_id):
        code, out, err = self.cli("runs", "list", "--json", "--store", os.environ["PHASE2_STORE"])
        assert code == 0, err
        return sum(one["run_id"] == run_id for one in json.loads(out))

    def clear(self):
        for process in self._processes.values():
            process.kill()
            process.communicate()
