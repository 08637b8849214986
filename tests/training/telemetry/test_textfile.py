"""``phase2 train --metrics-textfile``: a file that node_exporter reads, whole at any time."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from phase2.errors import RequestError
from phase2.training.callbacks.base import AttemptBegin, Callback
from phase2.training.callbacks.composite import CompositeCallback
from phase2.training.telemetry import textfile


class Read(Callback):
    def __init__(self, path):
        self.path, self.steps = path, []

    def on_epoch_end(self, event):
        self.steps.append(values(self.path).get("phase2_training_step"))


def values(path):
    families = text_string_to_metric_families(path.read_text())
    return {sample.name: sample.value for family in families for sample in family.samples}


def test_the_file_follows_the_training_and_keeps_its_end(make_trainer, tmp_path, monkeypatch):
    monkeypatch.setattr(textfile, "PERIOD", 0.001)
    path = tmp_path / "phase2.prom"
    reader = Read(path)
    with textfile.write_metrics(path) as progress:
        assert path.read_text() == ""
        progress.on_attempt_begin(AttemptBegin("r", "cgcnn", "smoke", 1, "cpu", tmp_path / "none.pt", None))
        make_trainer(epochs=3, callback=CompositeCallback([progress, reader])).fit()
    now = values(path)
    assert now["phase2_training_step"] == now["phase2_training_steps"] == progress.step.step
    assert now["phase2_training_active"] == 0
    assert any(reader.steps), "written while it trains"
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith("phase2")] == ["phase2.prom"]


@pytest.mark.parametrize(("name", "says"), [("metrics.txt", "metrics.prom"), ("none/metrics.prom", "writable folder")])
def test_a_file_that_nobody_would_read_is_refused(tmp_path, name, says):
    with pytest.raises(RequestError) as refused, textfile.write_metrics(tmp_path / name):
        pass
    assert says in refused.value.fix
