"""Places for the contract of backends: a cluster without controllers, whose part is played, and this machine."""

import json
import os
import subprocess
import sys

from tests.cluster.support import controllers as played
from tests.cluster.support.backend_contract import REQUEST, Place, Say
from tests.cluster.support.image_names import BY_DIGEST
from tests.cluster.support.stored_api import JOBS, PODS, WORKFLOWS, Objects

FAILURE = "The data are damaged."


class PlayedPlace(Place):
    """A namespace whose objects are only stored; what a controller would write is written by the test."""

    kind: str

    def __init__(self, say: Say, api: Objects) -> None:
        super().__init__(say)
        self.api = api

    def begin(self, run_id):
        code, _, err = self.submit(run_id)
        assert code == 0, err
        self.api.patch(self.kind, f"phase2-{run_id}", {"status": self.running(run_id)})

    def finish(self, run_id):
        self.api.patch(self.kind, f"phase2-{run_id}", {"status": self.succeeded(run_id)})

    def cancel(self, run_id):
        code, out, err = self.say("cancel", run_id, "--yes")
        assert (code, f"phase2 submit --resume {run_id}" in out) == (0, True), err
        assert self.state(run_id) == "stopping"
        code, _, err = self.submit(run_id)
        assert (code, "is still being stopped" in err) == (75, True), err
        self.stopped(run_id)

    def state(self, run_id):
        code, out, err = self.say("status", run_id, "--json")
        assert code == 0, err
        return json.loads(out)["state"]

    def count(self, run_id):
        return sum(one["metadata"]["labels"]["phase2.dev/run-id"] == run_id for one in self.api.all(self.kind))


class JobPlace(PlayedPlace):
    backend = ("--backend", "job", "--image", BY_DIGEST)
    kind = JOBS

    def running(self, run_id):
        return {"startTime": played.NOW, "active": 1}

    def succeeded(self, run_id):
        return played.job_succeeded()

    def fail(self, run_id):
        self.api.put(PODS, played.job_pod(f"phase2-{run_id}", 3, FAILURE))
        self.api.logs[f"phase2-{run_id}-x"] = "2026-11-24T12:00:00Z error: The data are damaged.\n"
        self.api.patch(self.kind, f"phase2-{run_id}", {"status": played.job_failed()})

    def stopped(self, run_id):
        assert self.api.get(self.kind, f"phase2-{run_id}")["spec"]["activeDeadlineSeconds"] == 1
        self.api.patch(self.kind, f"phase2-{run_id}", {"status": played.job_failed()})


class WorkflowPlace(PlayedPlace):
    backend = ("--backend", "argo", "--image", BY_DIGEST)
    kind = WORKFLOWS

    def running(self, run_id):
        return played.workflow_running(f"phase2-{run_id}")

    def succeeded(self, run_id):
        return played.workflow_succeeded(f"phase2-{run_id}")

    def fail(self, run_id):
        status = played.workflow_failed(f"phase2-{run_id}", 3, FAILURE)
        self.api.patch(self.kind, f"phase2-{run_id}", {"status": status})

    def stopped(self, run_id):
        assert self.api.get(self.kind, f"phase2-{run_id}")["spec"]["shutdown"] == "Stop"
        status = played.workflow_failed(f"phase2-{run_id}", 143, "Stopped by SIGTERM.")
        self.api.patch(self.kind, f"phase2-{run_id}", {"status": status})


class LocalPlace(Place):
    """This machine, with a store that is a folder."""

    backend = ("--backend", "local")

    def __init__(self, say: Say) -> None:
        super().__init__(say)
        self._processes: dict[str, subprocess.Popen] = {}

    def begin(self, run_id):
        """Until the first epoch is trained: something is saved then, and there is more to do."""
        words = [sys.executable, "-m", "phase2", "submit", *REQUEST, *self.backend, "--run-id", run_id]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        self._processes[run_id] = process
        while '"epoch": ' not in (line := process.stdout.readline()):
            assert line, f"it ended with {process.wait()}"

    def finish(self, run_id):
        process = self._processes.pop(run_id, None)
        if process is not None:
            process.communicate()
            assert process.returncode == 0

    def leave(self, run_id):
        """The process of a run, which is no longer this place's business."""
        return self._processes.pop(run_id)

    def fail(self, run_id):
        """As a machine that is shut down does."""
        process = self.leave(run_id)
        process.terminate()
        process.communicate()
        assert process.returncode == 143

    cancel = fail

    def state(self, run_id):
        code, out, err = self.say("runs", "show", run_id, "--json", "--store", os.environ["PHASE2_STORE"])
        assert code == 0, err
        return {"finished": "succeeded"}.get(json.loads(out)["status"], "unfinished")

    def count(self, run_id):
        code, out, err = self.say("runs", "list", "--json", "--store", os.environ["PHASE2_STORE"])
        assert code == 0, err
        return sum(one["run_id"] == run_id for one in json.loads(out))

    def clear(self):
        for process in self._processes.values():
            process.kill()
            process.communicate()
