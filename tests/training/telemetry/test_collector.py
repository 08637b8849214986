"""What Prometheus reads of a training: its values are those of the events, under names that stay."""

import math
from dataclasses import dataclass, replace

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from phase2.training.callbacks.base import AttemptBegin, Callback
from phase2.training.callbacks.composite import CompositeCallback
from phase2.training.callbacks.progress import TrainingProgress
from phase2.training.telemetry.collector import TrainingCollector

LABELS = {"run": "run_1", "algorithm": "cgcnn", "mode": "smoke"}


@dataclass
class Uploads:
    unsent_bytes: int = 7
    is_failing: bool = False


class Scrape(Callback):
    """Scrapes after every step and epoch, as text, and keeps the samples by name."""

    def __init__(self, progress):
        self.registry = CollectorRegistry()
        self.registry.register(TrainingCollector(progress))
        self.steps, self.epochs = [], []

    def samples(self):
        families = text_string_to_metric_families(generate_latest(self.registry).decode())
        samples = [sample for family in families for sample in family.samples]
        assert all(sample.labels.items() >= LABELS.items() for sample in samples)
        return {
            (sample.name, *(sample.labels[key] for key in sample.labels if key not in LABELS)): sample.value
            for sample in samples
        }

    def on_step_end(self, event):
        self.steps.append((event, self.samples()))

    def on_epoch_end(self, event):
        self.epochs.append((event, self.samples()))


@pytest.fixture
def begin(tmp_path):
    return AttemptBegin("run_1", "cgcnn", "smoke", 3, "cpu", tmp_path / "run" / "checkpoint.pt", Uploads())


@pytest.fixture
def trained(make_trainer, begin):
    progress = TrainingProgress()
    scrape = Scrape(progress)
    progress.on_attempt_begin(begin)
    make_trainer(epochs=2, callback=CompositeCallback([progress, scrape])).fit()
    return scrape


def test_every_step_moves_step_crystals_and_learning_rate(trained):
    crystals = 0
    for event, now in trained.steps:
        crystals += event.crystals
        assert now["phase2_training_step",] == event.step
        assert now["phase2_training_steps",] == event.steps
        assert now["phase2_training_crystals_total",] == crystals
        assert now["phase2_training_learning_rate",] == event.lr
        assert now["phase2_training_attempt",] == 3
        assert now["phase2_training_active",] == 1
        assert now["phase2_training_unsent_bytes",] == 7
        assert now["phase2_training_eta_seconds",] >= 0
    assert trained.steps[-1][1]["phase2_training_eta_seconds",] == 0


def test_every_epoch_gives_its_row(trained, data):
    for event, now in trained.epochs:
        row = event.row
        assert now["phase2_training_epoch",] == row.epoch
        assert now["phase2_training_epochs",] == 2
        assert now["phase2_training_loss", "train"] == row.train_loss
        assert now["phase2_training_loss", "val"] == row.val_loss
        assert now["phase2_training_val_score",] == row.val_score
        assert now["phase2_training_crystals_per_second",] == row.structures_per_second
        for scaled in data.scaler.properties:
            assert now["phase2_training_val_mae", scaled.key, scaled.unit] == row.val_mae[scaled.key]


def test_the_checkpoint_is_dated_and_the_end_is_not_active(trained, begin):
    now = trained.samples()
    assert math.isclose(now["phase2_training_checkpoint_timestamp_seconds",], begin.checkpoint.stat().st_mtime)
    assert now["phase2_training_active",] == 0


def test_there_is_nothing_before_the_attempt_and_no_row_before_the_first_epoch(begin):
    progress = TrainingProgress()
    scrape = Scrape(progress)
    assert scrape.samples() == {}
    progress.on_attempt_begin(begin)
    names = {name for name, *_ in scrape.samples()}
    assert "phase2_training_attempt" in names
    assert not names & {"phase2_training_loss", "phase2_training_eta_seconds", "phase2_training_step"}


def test_a_store_is_up_until_an_upload_fails_and_absent_where_there_is_none(begin):
    progress = TrainingProgress()
    scrape = Scrape(progress)
    progress.on_attempt_begin(begin)
    assert scrape.samples()["phase2_training_store_up",] == 1
    begin.uploads.is_failing = True
    assert scrape.samples()["phase2_training_store_up",] == 0
    progress.on_attempt_begin(replace(begin, uploads=None))
    assert not {"phase2_training_store_up", "phase2_training_unsent_bytes"} & {name for name, *_ in scrape.samples()}


def test_a_continued_run_counts_its_own_crystals_and_all_its_steps(make_trainer, begin):
    make_trainer(epochs=1).fit()
    progress = TrainingProgress()
    scrape = Scrape(progress)
    progress.on_attempt_begin(begin)
    continued = make_trainer(epochs=1, callback=CompositeCallback([progress, scrape]))
    continued.resume()
    continued.fit()
    now = scrape.samples()
    assert now["phase2_training_step",] == now["phase2_training_steps",]
    assert now["phase2_training_epoch",] == 1
    assert now["phase2_training_crystals_total",] == 0
