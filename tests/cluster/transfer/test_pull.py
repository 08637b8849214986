"""``phase2 pull --through-cluster``: real commands in place of the pods, and real servers of S3."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, nullcontext

import pytest
from tests.cluster.support.pod_security import violations
from tests.cluster.support.stored_api import JOBS, PODS

from phase2.cluster.transfer.job import transfer_job
from phase2.runs.transfer import parts
from phase2.testing.finished_run import finished_run
from phase2.testing.stores.faults import Faults
from phase2.testing.stores.flaky_proxy import flaky

FILES = {"best.pt": bytes(range(251)) * 36_000, "plots/parity.png": b"png", "empty.csv": b""}
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def args(job):
    return job["spec"]["template"]["spec"]["containers"][0]["args"]


class Kubelet:
    """Controller and kubelet of transfer Jobs: each pod is a process with the environment that a pod has."""

    def __init__(self, api, folder, environment):
        self.api, self.folder, self.environment = api, folder, environment
        self.jobs = []
        self.inner_network = None
        self.stopped = threading.Event()

    def watch(self):
        for event, job in self.api.changes(JOBS, 0, 60):
            if self.stopped.is_set():
                return
            if event == "ADDED":
                self.jobs.append(job)
                with self.inner_network() if self.inner_network else nullcontext():
                    for index in range(job["spec"]["completions"]):
                        self.execute(job, index)

    def execute(self, job, index):
        (container,) = job["spec"]["template"]["spec"]["containers"]
        name, log = f"{job['metadata']['name']}-{index}", self.folder / f"{index}.message"
        log.write_text("")
        given = {one["name"]: one["value"] for one in container["env"]}
        given |= {"PHASE2_TERMINATION_LOG": str(log), "JOB_COMPLETION_INDEX": str(index)}
        command = [sys.executable, "-m", "phase2", *container["args"]]
        done = subprocess.run(command, env=self.environment | given, capture_output=True, text=True, check=False)
        self.api.logs[name] = done.stderr + done.stdout
        self.api.put(PODS, self.pod(job, name, index, done.returncode, log.read_text()))
        if done.returncode:
            failed = {"type": "Failed", "status": "True", "reason": "PodFailurePolicy"}
            self.api.patch(JOBS, job["metadata"]["name"], {"status": {"conditions": [failed]}})

    @staticmethod
    def pod(job, name, index, code, message):
        labels = job["spec"]["template"]["metadata"]["labels"] | {
            "batch.kubernetes.io/job-name": job["metadata"]["name"],
            "batch.kubernetes.io/job-completion-index": str(index),
        }
        state = {"terminated": {"exitCode": code, "message": message}}
        return {
            "kind": "Pod",
            "metadata": {"name": name, "labels": labels, "creationTimestamp": "2026-11-24T12:00:00Z"},
            "spec": {},
            "status": {
                "phase": "Failed" if code else "Succeeded",
                "containerStatuses": [{"name": "train", "state": state}],
            },
        }


@pytest.fixture
def bucket(seaweedfs, new_store):
    """Store whose keys the pods have and this process does not."""
    return new_store(seaweedfs)


@pytest.fixture
def run(bucket, tmp_path, say):
    made = finished_run(tmp_path / "made", FILES, run_id="fine")
    assert say("runs", "publish", str(made.path), "--store", bucket.url)[0] == 0
    return made


@pytest.fixture
def say(cli):
    return cli


@pytest.fixture
def kubelet(api, bucket, run, tmp_path, monkeypatch):
    """A kubelet of a namespace whose image this is."""
    pods = dict(os.environ) | {"PHASE2_STORE": bucket.url}
    for name in KEYS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PHASE2_IMAGE", "localhost/phase2:1")
    made = Kubelet(api, tmp_path, pods)
    thread = threading.Thread(target=made.watch, daemon=True)
    thread.start()
    yield made
    made.stopped.set()


@contextmanager
def reached_by_pods_alone(kubelet):
    """Give the pods an address of the store on which it answers only while they run."""
    with flaky(kubelet.environment["AWS_ENDPOINT_URL_S3"], Faults(), seed=0) as proxy:
        proxy.close()

        @contextmanager
        def inner_network():
            proxy._open(proxy._port)
            yield
            proxy.close()

        kubelet.inner_network = inner_network
        kubelet.environment["AWS_ENDPOINT_URL_S3"] = proxy.endpoint
        yield proxy


def pull(cli, tmp_path, *words, run="fine"):
    return cli("pull", run, "--through-cluster", "--to", str(tmp_path / "here"), *words)


def test_a_run_is_downloaded_from_addresses_that_the_pod_signed(cli, api, kubelet, run, tmp_path):
    code, out, err = pull(cli, tmp_path)
    assert code == 0, err
    assert contents(tmp_path / "here" / run.path.parent.name / run.path.name) == contents(run.path)
    assert out.strip().endswith(run.path.name)
    assert [job["spec"]["completions"] for job in kubelet.jobs] == [1]
    assert api.all(JOBS) == []
    told = out + err + "".join(api.logs.values())
    assert "X-Amz" not in told
    assert not any(os.environ.get(name) for name in KEYS)


def test_where_the_store_is_out_of_reach_the_files_come_through_logs(cli, api, kubelet, run, tmp_path):
    with reached_by_pods_alone(kubelet):
        code, _, err = pull(cli, tmp_path)
        assert code == 0, err
        assert "through the cluster: 127.0.0.1:" in err
        assert contents(tmp_path / "here" / run.path.parent.name / run.path.name) == contents(run.path)
        assert [args(job)[1] for job in kubelet.jobs] == ["offer", "part"]
        assert kubelet.jobs[1]["spec"]["completions"] == 3
        assert "X-Amz" not in err + "".join(api.logs.values())
        assert api.all(JOBS) == []
        # The second pull finds everything there, a third what one file lacks.
        assert pull(cli, tmp_path)[0] == 0
        next((tmp_path / "here").rglob("parity.png")).write_bytes(b"cut")
        assert pull(cli, tmp_path)[0] == 0
    assert [args(job)[3:] for job in kubelet.jobs[4:]] == [["--only=plots/parity.png"]]
    assert contents(tmp_path / "here" / run.path.parent.name / run.path.name) == contents(run.path)


def test_one_file_alone(cli, kubelet, tmp_path):
    code, _, err = pull(cli, tmp_path, "--only", "plots/parity.png")
    assert code == 0, err
    assert [path.read_bytes() for path in (tmp_path / "here").rglob("*.png")] == [b"png"]
    assert pull(cli, tmp_path, "--only", "plots/partiy.png")[0] == 2


def test_what_fails_in_the_pod_is_said_and_its_job_deleted(cli, api, kubelet, tmp_path):
    code, _, err = pull(cli, tmp_path, run="fien")
    assert (code, "Did you mean 'fine'?" in err) == (2, True), err
    assert api.all(JOBS) == []


def test_a_file_that_is_damaged_in_the_store_never_appears(cli, api, kubelet, bucket, run, tmp_path, monkeypatch):
    monkeypatch.setenv(KEYS[0], kubelet.environment[KEYS[0]])
    monkeypatch.setenv(KEYS[1], kubelet.environment[KEYS[1]])
    bucket.put(f"{run.path.parent.name}/{run.path.name}/best.pt", b"w" * len(FILES["best.pt"]))
    code, _, err = pull(cli, tmp_path)
    assert code == 3, err
    assert not list((tmp_path / "here").rglob("best.pt"))
    assert not list((tmp_path / "here").rglob("run_manifest.json"))
    assert api.all(JOBS) == []


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_pull_that_is_stopped_leaves_no_job_behind(api, run, monkeypatch, tmp_path, stop, code):
    words = ["pull", "fine", "--through-cluster", "--to", str(tmp_path / "here")]
    environment = os.environ | {"PHASE2_IMAGE": "localhost/phase2:1"}
    process = subprocess.Popen([sys.executable, "-m", "phase2", *words], env=environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not api.all(JOBS) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(api.all(JOBS)) == 1
    process.send_signal(stop)
    assert process.wait(30) == code
    assert api.all(JOBS) == []


def test_without_keys_the_option_is_offered(cli, bucket, run, monkeypatch, tmp_path):
    for name in KEYS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    code, _, err = cli("pull", "fine", "--store", bucket.url)
    assert (code, "--through-cluster" in err) == (2, True), err


def test_where_no_store_is_named_the_option_is_offered(cli, api):
    code, _, err = cli("pull", "fine")
    assert (code, "There is no run 'fine'" in err, "--through-cluster" in err) == (2, True, True), err


def test_the_pod_is_restricted_and_temporary():
    job = transfer_job("phase2-pull-1", ["offer", "fine"], namespace="phase2", image="phase2:1", secret="phase2-s3")
    pod = job["spec"]["template"]["spec"]
    assert list(violations(pod)) == []
    assert pod["automountServiceAccountToken"] is False
    assert job["spec"]["activeDeadlineSeconds"] <= 7200
    assert job["spec"]["ttlSecondsAfterFinished"] <= 600
    assert parts.PART_BYTES * 256 == 1 << 30
