"""A small trained model that the tests of predictions share."""

from pathlib import Path

import pytest
import torch

from phase2.cli import main
from phase2.prediction.predictor import Predictor
from phase2.testing.tensor_files import save_signed

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """Models folder with one finished run."""
    folder = tmp_path_factory.mktemp("models")
    words = ["--algorithm", "cgcnn", "--level", "smoke", "--epochs", "1", "--max-samples", "60"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHASE2_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        assert main(["train", *words, "--output", str(folder)]) == 0
    return folder


@pytest.fixture(scope="session")
def run(models):
    """Folder of the run."""
    (folder,) = models.glob("*/run_*")
    return folder


@pytest.fixture(scope="session")
def predictor(run):
    return Predictor.load(run / "best.pt")


@pytest.fixture(scope="session")
def wider_predictor(run, tmp_path_factory):
    """The same model, whose predictions are twice as far from the mean before the transform."""
    content = torch.load(run / "best.pt", weights_only=True)
    content["scaler"]["std"] = [2 * std for std in content["scaler"]["std"]]
    path = tmp_path_factory.mktemp("wider") / "best.pt"
    save_signed(content, path)
    return Predictor.load(path)


@pytest.fixture(scope="session")
def examples():
    """Structure files of four crystals, sorted."""
    files = sorted(EXAMPLES.glob("*.cif"))
    assert len(files) == 4
    return files


class RecordedProgress:
    """A progress callback that keeps what it receives in ``seen``."""

    def __init__(self):
        self.seen: list[tuple[int, int | None]] = []

    def __call__(self, done, total):
        self.seen.append((done, total))


@pytest.fixture
def progress():
    return RecordedProgress()
