"""A run and a store: continued on an empty machine, finished there, published once; what has changed is refused."""

import shutil
import signal
from pathlib import Path

import pytest
import torch

from phase2.config.request.resume_request import ResumeRequest
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.errors import ModelFileError, PreemptedError, RequestError, TransientError
from phase2.machine.versions import deciding_versions
from phase2.models.files.modelfile import copy_tensors, load_model_file
from phase2.runs.catalog.index import list_runs
from phase2.runs.publish.reader import PublishedRun
from phase2.runs.records.attempts import Attempt
from phase2.runs.remote.checkpoints import RemoteCheckpoints
from phase2.storage.folder import LocalStore
from phase2.storage.records import read_rows
from phase2.training.checkpoints import compatibility
from phase2.training.interruption import SignalStopRequest
from phase2.training.run.experiment import RunContext, train_run

RESUME = ResumeRequest(wanted=True)
TIMES = ("seconds", "structures_per_second", "data_wait")


@pytest.fixture(scope="module")
def long_request(request_in):
    """Make the request of a run that takes long enough to be stopped."""
    return lambda output, **settings: request_in(output, epochs=60, **settings)


@pytest.fixture(scope="module")
def whole(cache, tmp_path_factory, long_request):
    """The run that is not interrupted."""
    return train_run(resolve(long_request(tmp_path_factory.mktemp("whole"))))


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "store")


def assert_same(run, whole):
    one, other = (copy_tensors(load_model_file(each.directory.best).model) for each in (run, whole))
    assert all(torch.equal(one[name], other[name]) for name in one)
    for name in ("predictions_test.csv", "predictions_val.csv"):
        assert (run.directory.path / name).read_bytes() == (whole.directory.path / name).read_bytes()
    assert run.manifest.val == whole.manifest.val
    assert run.manifest.test == whole.manifest.test


@pytest.fixture
def stop_after_upload(long_request, stopped_run):
    """Train in another process, and stop it when the store has a checkpoint; returns the run's prefix."""

    def stop(output: Path, store: LocalStore, how: signal.Signals = signal.SIGKILL, **environment: str) -> str:
        pattern, options = "multitask_cgcnn/run_*/.checkpoints/latest.json", ("--store", str(store.root))
        found = stopped_run(long_request(output), pattern, root=store.root, how=how, options=options, **environment)
        return found.parent.parent.relative_to(store.root).as_posix()

    return stop


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_resumed_on_an_empty_machine_ends_where_it_would_have_ended(
    tmp_path, store, whole, how, long_request, stop_after_upload
):
    prefix = stop_after_upload(tmp_path / "lost", store, how)
    (summary,) = list_runs(store)
    assert (summary.prefix, summary.status) == (prefix, "unfinished")
    shutil.rmtree(tmp_path / "lost")
    said: list[str] = []
    run = train_run(resolve(long_request(tmp_path / "new")), RESUME, RunContext(store=store, notify=said.append))
    assert f"{run.directory.family}/{run.directory.name}" == prefix
    assert_same(run, whole)
    outcomes = [attempt.outcome for attempt in read_rows(run.directory.attempts, Attempt)]
    assert outcomes == ["killed" if how == signal.SIGKILL else "interrupted", "finished"]
    assert run.manifest.attempts[1].resumed_from.startswith("epoch ")
    assert any("restored from the store" in line for line in said)
    assert PublishedRun.open(store, prefix).verify().intact
    assert not list(store.list(f"{prefix}/.checkpoints/"))


class StoppedWhilePublishing(LocalStore):
    """Its process is asked to stop while it publishes; the first attempt may meet a server that does not answer."""

    answers = True

    def put(self, key, source, **options):
        if key.endswith("/best.pt"):
            signal.raise_signal(signal.SIGTERM)
            if not self.answers:
                raise TransientError("The server does not answer.")
        return super().put(key, source, **options)


@pytest.mark.slow
def test_a_trained_run_is_published_despite_a_request_to_stop(tmp_path, whole, long_request):
    """Another machine would train all again that was not copied yet."""
    store = StoppedWhilePublishing(tmp_path / "store")
    with SignalStopRequest() as stop:
        run = train_run(resolve(long_request(tmp_path / "here")), context=RunContext(store=store, stop=stop))
    assert_same(run, whole)
    assert [attempt.outcome for attempt in run.manifest.attempts] == ["finished"]
    assert PublishedRun.open(store, f"{run.directory.family}/{run.directory.name}").verify().intact
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


@pytest.mark.slow
def test_a_request_to_stop_ends_the_wait_for_a_store(tmp_path, long_request):
    store = StoppedWhilePublishing(tmp_path / "store")
    store.answers = False
    with SignalStopRequest() as stop, pytest.raises(PreemptedError, match="Stopped by SIGTERM"):
        train_run(resolve(long_request(tmp_path / "here")), context=RunContext(store=store, stop=stop))
    run = train_run(resolve(long_request(tmp_path / "here")), RESUME, RunContext(store=LocalStore(store.root)))
    assert [attempt.outcome for attempt in run.manifest.attempts] == ["finished"]


@pytest.mark.slow
def test_a_retried_pod_finds_its_run_by_id_and_a_later_one_finds_it_finished(
    tmp_path, store, whole, monkeypatch, long_request, stop_after_upload
):
    prefix = stop_after_upload(tmp_path / "pod-1", store, PHASE2_RUN_ID="wf-7")
    assert prefix.endswith("_wf-7")
    monkeypatch.setenv("PHASE2_RUN_ID", "wf-7")
    second = train_run(resolve(long_request(tmp_path / "pod-2")), context=RunContext(store=store))
    assert f"{second.directory.family}/{second.directory.name}" == prefix
    assert_same(second, whole)
    before = list(store.list())
    third = train_run(resolve(long_request(tmp_path / "pod-3")), context=RunContext(store=store))
    assert third.manifest == second.manifest
    assert third.directory.path == tmp_path / "pod-3" / prefix
    assert list(store.list()) == before
    with pytest.raises(RequestError, match=r"exists with other settings.*training\.lr"):
        train_run(resolve(long_request(tmp_path / "pod-4", lr=0.5)), context=RunContext(store=store))


@pytest.mark.slow
def test_a_run_is_resumed_by_name_with_its_own_settings(tmp_path, store, whole, long_request, stop_after_upload):
    prefix = stop_after_upload(tmp_path / "lost", store)
    name = prefix.rpartition("_")[2]
    nothing_said = RunRequest(output=tmp_path / "new")
    with pytest.raises(RequestError, match="There is no run 'nonsense'"):
        train_run(resolve(nothing_said), ResumeRequest(wanted=True, run="nonsense"), RunContext(store=store))
    with pytest.raises(RequestError, match=r"exists with other settings.*training\.lr"):
        train_run(
            resolve(long_request(tmp_path / "new", lr=0.5)),
            ResumeRequest(wanted=True, run=name),
            RunContext(store=store),
        )
    assert not (tmp_path / "new").exists()
    run = train_run(resolve(nothing_said), ResumeRequest(wanted=True, run=name), RunContext(store=store))
    assert_same(run, whole)


@pytest.mark.slow
def test_the_checkpoint_with_more_steps_is_used(tmp_path, store, whole, long_request, stop_after_upload):
    prefix = stop_after_upload(tmp_path / "here", store)
    checkpoints = RemoteCheckpoints(store, prefix)
    behind = checkpoints.pointer().newest.step
    here = tmp_path / "here" / prefix / "checkpoint.pt"
    shutil.copytree(tmp_path / "here", tmp_path / "elsewhere")
    # Ends without the store, which stays behind.
    train_run(resolve(long_request(tmp_path / "elsewhere")), RESUME)
    step = checkpoints.fetch(tmp_path / "fetched.pt", after=behind - 1).step
    assert step == behind
    assert checkpoints.fetch(tmp_path / "fetched.pt", after=behind) is None
    here.write_bytes(b"damaged")
    (here.with_name(".checkpoint.previous.pt")).unlink(missing_ok=True)
    assert_same(train_run(resolve(long_request(tmp_path / "here")), RESUME, RunContext(store=store)), whole)


@pytest.mark.slow
def test_changed_code_and_data_are_refused_by_name_and_code_may_be_accepted(
    tmp_path, store, whole, monkeypatch, long_request, stop_after_upload
):
    stop_after_upload(tmp_path / "lost", store)
    real = deciding_versions()
    monkeypatch.setattr(compatibility, "deciding_versions", lambda: real | {"torch": "9.9", "e3nn": "0.0"})
    context = RunContext(store=store)
    with pytest.raises(ModelFileError, match=rf"another code\. torch: {real['torch']} -> 9\.9; e3nn: .* -> 0\.0"):
        train_run(resolve(long_request(tmp_path / "new")), RESUME, context)
    run = train_run(resolve(long_request(tmp_path / "new")), ResumeRequest(wanted=True, accepted=("code",)), context)
    assert "torch: " in run.manifest.attempts[-1].changed
    assert_same(run, whole)
