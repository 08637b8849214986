"""Runs that read the features of a potential: trained, resumed, predicted with, and what their pages say."""

import csv
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tests.foundation.potentials import potentials

from phase2.config.assignments import parse_setting
from phase2.config.foundation_models import FOUNDATION_MODELS
from phase2.config.request.resume_request import ResumeRequest
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.data.crystals.crystal import Crystal
from phase2.data.dataset import open_graph_store
from phase2.errors import (
    MissingExtraError,
    ModelFileError,
    PreemptedError,
    RequestError,
    UnknownNameError,
)
from phase2.foundation.featurizer import Featurizer, featurizer
from phase2.models.files.modelfile import copy_tensors, load_model_file
from phase2.prediction.predicting import predict_structures
from phase2.prediction.predictor import Predictor
from phase2.runs.ancestry.inherit import inherit_settings
from phase2.training.callbacks.base import Callback
from phase2.training.interruption import StopRequest
from phase2.training.run.experiment import RunContext, train_run


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHASE2_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


def asked(output, use="beside", **words):
    small: dict[str, Any] = {"algorithm": "cgcnn", "level": "smoke", "max_samples": 40, "epochs": 3, "batch_size": 16}
    small |= {"backbone": "sevennet-0", "properties": ("formation_energy", "dielectric")}
    return RunRequest(output=output, settings=(parse_setting(f"foundation.use={use}"),), **(small | words))


@pytest.fixture(scope="module", params=["beside", "alone"])
def use(request):
    return request.param


@pytest.fixture(scope="module", params=potentials("sevennet-0", "chgnet"))
def run(request, use, cache, tmp_path_factory):
    resolved = resolve(asked(tmp_path_factory.mktemp("models"), use, backbone=request.param))
    return train_run(resolved, context=RunContext(workers=1))


def test_new_crystals_are_predicted_as_in_the_run(run):
    with run.directory.predictions_test.open(newline="") as file:
        written = list(csv.DictReader(file))
    graphs = open_graph_store(run.manifest.config.data).graphs
    rows = np.flatnonzero(np.isin(graphs.ids, [row["id"] for row in written]))
    assert len(rows) == len(written) > 2
    predicted = Predictor.load(run.directory.best).predict_graphs(graphs.take(rows))
    expected = {
        row["id"]: [float(v) for k, v in row.items() if k.partition("[")[0].strip().endswith("_predicted")]
        for row in written
    }
    np.testing.assert_allclose(predicted, [expected[one] for one in graphs.ids[rows].tolist()], rtol=2e-3, atol=1e-3)


def test_pages_say_what_the_potential_has_seen(run):
    for page in (run.directory.handoff, run.directory.model_card):
        text = page.read_text()
        assert "formation_energy: not a held-out result" in text
        potential = FOUNDATION_MODELS[run.manifest.config.foundation.name]
        assert potential.title in text
        assert potential.citation in text
        assert ("magnetic moments of the Materials Project (MPtrj" in text) == (potential.name == "chgnet")
    assert "dielectric: not" not in text


def test_the_features_decide_what_is_predicted(run):
    predictor = Predictor.load(run.directory.best)
    model: Any = predictor.model.model
    graphs = open_graph_store(run.manifest.config.data).graphs.take(np.arange(5))
    before = predictor.predict_graphs(graphs)
    with torch.no_grad():
        model.mean += 1
    assert np.abs(predictor.predict_graphs(graphs) - before).max() > 1e-4


def test_a_crystal_without_features_is_refused_or_the_network_alone_is_named(run):
    predictor = Predictor.load(run.directory.best)
    polonium = Crystal.checked("polonium", (84,), np.zeros((1, 3)), np.eye(3) * 3.35)
    (row,) = predict_structures(predictor, [polonium]).rows
    foundation = run.manifest.config.foundation
    said = f"{FOUNDATION_MODELS[foundation.name].title} gives it no features: it does not know Po"
    if foundation.use == "alone":
        assert (row.values, row.error) == (None, f"{said}.")
    else:
        assert row.values is not None
        assert f"{said}, and means of the training crystals stand for them" in row.warning


def test_other_weights_of_the_potential_are_refused(run):
    predictor = Predictor.load(run.directory.best)
    predictor.model = replace(predictor.model, features_digest="0" * 64)
    with pytest.raises(ModelFileError, match=f"other weights of {run.manifest.config.foundation.name}"):
        predictor.predict_graphs(open_graph_store(run.manifest.config.data).graphs.take(np.arange(2)))


def test_a_run_that_starts_from_it_has_its_features(run, tmp_path):
    source = str(run.directory.path)
    words = {"backbone": None, "settings": (), "from_": source}
    resolved = resolve(inherit_settings(replace(asked(tmp_path), **words)))
    assert resolved.config.foundation == run.manifest.config.foundation
    tuned = train_run(resolved, context=RunContext(workers=1))
    assert tuned.manifest.lineage.kept == ("formation_energy", "dielectric")
    with pytest.raises(RequestError, match=r"foundation\.width is 8 by --set, and 128 in run"):
        inherit_settings(replace(asked(tmp_path), from_=source, settings=(parse_setting("foundation.width=8"),)))


class StopAt(Callback):
    def __init__(self, step, stop):
        self.step, self.stop = step, stop

    def on_step_end(self, event):
        if event.step == self.step:
            self.stop.request("the test")


@pytest.mark.parametrize("backbone", potentials("sevennet-0", "chgnet"))
def test_a_resumed_run_ends_where_an_uninterrupted_one_ends(backbone, tmp_path):
    whole = train_run(resolve(asked(tmp_path / "whole", backbone=backbone)), context=RunContext(workers=1))
    stopped = resolve(asked(tmp_path / "stopped", backbone=backbone))
    stop = StopRequest()
    with pytest.raises(PreemptedError):
        train_run(stopped, context=RunContext(workers=1, callback=StopAt(3, stop), stop=stop))
    resumed = train_run(stopped, ResumeRequest(wanted=True), RunContext(workers=1))
    one, other = (copy_tensors(load_model_file(each.directory.best).model) for each in (whole, resumed))
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("backbone", potentials("sevennet-0", "chgnet"))
def test_a_run_is_not_resumed_with_other_weights(backbone, tmp_path, monkeypatch):
    resolved = resolve(asked(tmp_path, backbone=backbone))
    stop = StopRequest()
    with pytest.raises(PreemptedError):
        train_run(resolved, context=RunContext(workers=1, callback=StopAt(3, stop), stop=stop))
    monkeypatch.setattr(featurizer(backbone), "digest", "0" * 64)
    with pytest.raises(ModelFileError, match="made with another data"):
        train_run(resolved, ResumeRequest(wanted=True), RunContext(workers=1))


def test_an_ordinary_run_has_nothing_of_it(tmp_path):
    plain = resolve(replace(asked(tmp_path), backbone=None, settings=())).config
    assert "foundation" not in plain.model_dump(mode="json")


def test_bad_requests_are_refused(tmp_path):
    with pytest.raises(UnknownNameError, match="Did you mean 'sevennet-0'"):
        asked(tmp_path, backbone="sevenet-0")
    with pytest.raises(RequestError, match="--backbone sevennet-0"):
        asked(tmp_path, backbone=None)


@pytest.mark.parametrize(
    ("backbone", "modules", "command"),
    [
        ("sevennet-0", ("sevenn", "sevenn.util"), r"pip install 'phase2\[foundation\]'"),
        ("chgnet", ("chgnet", "chgnet.model"), "pip install --no-deps chgnet==0.4.2"),
    ],
)
def test_without_its_package_what_installs_it_is_named(backbone, modules, command, monkeypatch):
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=command):
        Featurizer(backbone)
