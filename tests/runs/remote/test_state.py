"""State of an unfinished run in a store, killed at every change: never less than was reported as saved."""

import hashlib

import pytest

from phase2.errors import RequestError
from phase2.runs.layout import RunDirectory
from phase2.runs.records.attempts import Attempt, begin_attempt, end_attempt, merge_attempts
from phase2.runs.records.run_config import RecordedConfig
from phase2.runs.remote.checkpoints import RemoteCheckpoints
from phase2.runs.remote.ids import claim_run_id, free_run_id, run_of_id
from phase2.runs.remote.state import RemoteRun
from phase2.storage.base import ObjectDamagedError
from phase2.storage.folder import LocalStore
from phase2.storage.records import read_rows

PREFIX = "multitask_cgcnn/run_20260101T000000Z_aaaaaa"


class Dies(BaseException):
    """As SIGKILL would: nothing in the code under test catches it."""


class Dying:
    """A store whose k-th changing call ends the process, before or after it took effect."""

    def __init__(self, store, k, *, after):
        self.store, self.left, self.after = store, k, after

    def __getattr__(self, name):
        call = getattr(self.store, name)
        if name not in {"put", "delete"}:
            return call

        def counted(*words, **options):
            self.left -= 1
            if self.left == 0 and not self.after:
                raise Dies
            done = call(*words, **options)
            if self.left == 0:
                raise Dies
            return done

        return counted


def content_of(step):
    return f"checkpoint of step {step}".encode()


def add(store, step, host="here"):
    content = content_of(step)
    digest = hashlib.sha256(content).hexdigest()
    return RemoteCheckpoints(store, PREFIX).add(content, sha256=digest, step=step, epoch=step // 10, host=host)


def fetched(store, tmp_path, **options):
    target = tmp_path / "fetched.pt"
    found = RemoteCheckpoints(store, PREFIX).fetch(target, **options)
    if found is not None:
        assert target.read_bytes() == content_of(found.step)
    return found and found.step


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "store")


def test_the_newest_two_are_kept_and_the_newest_is_fetched(store, tmp_path):
    assert fetched(store, tmp_path) is None
    for step in (10, 20, 30, 40):
        assert add(store, step) is None
        assert fetched(store, tmp_path) == step
    names = sorted(info.key.rpartition("/")[2][:14] for info in store.list(f"{PREFIX}/.checkpoints/"))
    assert names == ["latest.json", "step_000000030", "step_000000040"]
    assert fetched(store, tmp_path, after=30) == 40
    assert fetched(store, tmp_path, after=40) is None


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_every_change_what_was_reported_as_saved_is_there(store, tmp_path, after):
    reported = 0
    for k in range(1, 60):
        dying = Dying(store, 1 + k % 4, after=after)
        try:
            for step in range(reported + 10, reported + 1000, 10):
                add(dying, step)
                reported = step
        except Dies:
            pass
        assert fetched(store, tmp_path) >= reported or reported == 0
        # The next process continues from what it is given, which may be further than what was reported.
        reported = max(reported, fetched(store, tmp_path) or 0)
    assert reported > 100
    add(store, reported + 10)
    assert len(list(store.list(f"{PREFIX}/.checkpoints/step_"))) == 2


@pytest.mark.parametrize("lost", ["newest", "previous", "pointer", "damaged pointer", "damaged newest"])
def test_a_lost_or_damaged_file_gives_way_to_the_next_best(store, tmp_path, lost):
    for step in (10, 20, 30):
        add(store, step)
    pointer = RemoteCheckpoints(store, PREFIX).pointer()
    folder = store.root / PREFIX / ".checkpoints"
    newest, previous = folder / pointer.newest.name, folder / pointer.previous.name
    match lost:
        case "newest":
            newest.unlink()
        case "previous":
            previous.unlink()
        case "pointer":
            (folder / "latest.json").unlink()
        case "damaged pointer":
            (folder / "latest.json").write_text("{")
        case "damaged newest":
            newest.write_bytes(newest.read_bytes()[:-1] + b"?")
    assert fetched(store, tmp_path) == (20 if "newest" in lost else 30)
    add(store, 40)
    assert fetched(store, tmp_path) == 40


def test_a_host_with_fewer_steps_uploads_nothing_and_learns_which_host_is_ahead(store, tmp_path):
    add(store, 30, host="fast")
    before = list(store.list())
    assert add(store, 20, host="slow") == "fast"
    assert list(store.list()) == before
    assert add(store, 30, host="slow") is None


def test_a_wrong_digest_is_not_stored(store):
    with pytest.raises(ObjectDamagedError):
        RemoteCheckpoints(store, PREFIX).add(b"x", sha256="0" * 64, step=1, epoch=0, host="")
    assert not list(store.list())


def test_an_id_belongs_to_one_run_until_it_is_released(store):
    assert run_of_id(store, "aaaaaa") is None
    assert claim_run_id(store, "aaaaaa", PREFIX) == PREFIX
    assert claim_run_id(store, "aaaaaa", "multitask_cgcnn/run_other_aaaaaa") == PREFIX
    free_run_id(store, "aaaaaa", "multitask_cgcnn/run_other_aaaaaa")
    assert run_of_id(store, "aaaaaa") == PREFIX
    free_run_id(store, "aaaaaa", PREFIX)
    assert run_of_id(store, "aaaaaa") is None
    with pytest.raises(RequestError, match="not a valid run id"):
        claim_run_id(store, "../x", PREFIX)


def test_configuration_and_attempts_are_restored_elsewhere(store, tmp_path, resolved):
    here, there = (RunDirectory.reopen(tmp_path / name, PREFIX) for name in ("here", "there"))
    RecordedConfig.record(here, resolved)
    begin_attempt(here, host="here")
    stored = RemoteRun.claim(store, here)
    assert not stored.is_announced
    stored.announce(here)
    stored.put_attempts(here)
    assert stored.is_announced
    stored.announce(there)
    stored.restore_attempts(there)
    assert there.run_config.read_bytes() == here.run_config.read_bytes()
    begin_attempt(there, host="there", resumed_from="epoch 1, step 8")
    end_attempt(there, "finished")
    assert [(a.host, a.outcome) for a in read_rows(there.attempts, Attempt)] == [
        ("here", "killed"),
        ("there", "finished"),
    ]
    stored.finish()
    assert [info.key for info in store.list()] == [".ids/aaaaaa", f"{PREFIX}/run_config.json"]


def test_of_two_recorded_configurations_of_a_run_the_first_counts(store, tmp_path, resolved):
    first, second = (RunDirectory.reopen(tmp_path / name, PREFIX) for name in ("first", "second"))
    for run in (first, second):
        RecordedConfig.record(run, resolved)
        RemoteRun.claim(store, run).announce(run)
    assert second.run_config.read_bytes() == first.run_config.read_bytes()


def test_attempts_of_two_machines_are_merged_without_repetition(tmp_path):
    run = RunDirectory.reopen(tmp_path, PREFIX)
    begin_attempt(run, host="a")
    begin_attempt(run, host="b")
    rows = read_rows(run.attempts, Attempt)
    merge_attempts(run, rows)
    assert read_rows(run.attempts, Attempt) == rows
    ended = rows[1].model_copy(update={"outcome": "interrupted", "end": rows[1].start})
    merge_attempts(run, (ended,))
    merge_attempts(run, (rows[1],))
    assert read_rows(run.attempts, Attempt) == (rows[0], ended)
