"""What an uploader says of its uploads to whoever watches a run."""

import hashlib

import pytest

from phase2.runs.remote.checkpoints import RemoteCheckpoints
from phase2.storage.urls import open_store
from phase2.training.checkpoints.uploader import CheckpointUploader
from phase2.training.checkpoints.writer import CheckpointSchedule, SavedCheckpoint


@pytest.fixture
def saved():
    content = b"a checkpoint"
    return SavedCheckpoint(content, hashlib.sha256(content).hexdigest(), 10, 1)


def test_an_upload_that_fails_is_seen_until_one_succeeds(saved, tmp_path):
    folder = tmp_path / "store"
    said: list[str] = []
    checkpoints = RemoteCheckpoints(open_store(str(folder)), "multitask_cgcnn/run_1")
    schedule = CheckpointSchedule(minutes=60, share=0)
    with CheckpointUploader(checkpoints, host="here", schedule=schedule, notify=said.append) as uploader:
        assert (uploader.unsent_bytes, uploader.is_failing) == (0, False)
        folder.mkdir(exist_ok=True)
        (folder / "multitask_cgcnn").write_text("a file where the folder of the run has to be")
        uploader.offer(saved)
        assert not uploader.flush()
        assert (uploader.unsent_bytes, uploader.is_failing) == (len(saved.content), True)
        (folder / "multitask_cgcnn").unlink()
        assert uploader.flush()
        assert (uploader.unsent_bytes, uploader.is_failing) == (0, False)
    assert "on this machine alone" in said[0]
    assert said[-1] == "checkpoints are in the store again"
