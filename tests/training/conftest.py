"""A training small enough for a test: a few dozen random crystals and a tiny network."""

import pytest
import torch

from phase2.testing.tiny_training import PROPERTIES, TINY, tiny_config, tiny_data
from phase2.testing.tiny_training import TinyData as Data
from phase2.training.result import TrainingFiles
from phase2.training.trainer import Trainer

__all__ = ["PROPERTIES", "TINY", "Data"]


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def data():
    """Rock salts of random elements, with labels that follow from elements and cell, a third of them missing."""
    return tiny_data()


@pytest.fixture(scope="session")
def configure():
    """Make a run configuration with these training settings."""
    return tiny_config


@pytest.fixture
def make_trainer(tmp_path, data, configure):
    """Make a trainer that writes into a folder of this name."""

    def make(
        name="run", *, callback=None, data=data, schedule=None, on_saved=lambda _: None, tuning=None, model=TINY,
        **settings,
    ):  # fmt: skip
        folder = tmp_path / name
        files = TrainingFiles(
            folder / "best.pt", folder / "checkpoint.pt", folder / ".checkpoint.previous.pt", folder / "history.json"
        )
        config = configure(**settings).model_copy(update={"fine_tuning": tuning, "model": model})
        return Trainer(config, data, files, run_id="run_1", callback=callback, schedule=schedule, on_saved=on_saved)

    return make
