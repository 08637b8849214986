"""CUDA graphs as they are on a GPU."""

import pytest
import torch

from phase2.models.recording.recorder import CudaGraphs

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="This machine has no GPU.")


def test_a_recorder_records_again_when_all_recordings_are_dropped():
    recorder, value = CudaGraphs(torch.device("cuda")), torch.ones(3, device="cuda")
    for _ in range(2):
        recorder.warm_up(lambda: value * 2)
        result, replay = recorder.record(lambda: value * 2)
        assert result.tolist() == replay().tolist() == [2.0, 2.0, 2.0]
        del replay
