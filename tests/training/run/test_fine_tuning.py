"""Runs that start from the weights of another: what they take over, what is refused, and that they resume exactly."""

import shutil
from dataclasses import replace

import pytest
import torch

from phase2.config.assignments import Setting, settings_of
from phase2.config.request.resume_request import ResumeRequest
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.errors import ModelFileError, PreemptedError, RequestError
from phase2.models.files.modelfile import copy_tensors, load_model_file, named_tensors, save_model_file
from phase2.runs.ancestry.inherit import inherit_settings
from phase2.runs.ancestry.model_header import read_model_header
from phase2.runs.ancestry.record import lineage_of
from phase2.runs.publish.publish import publish_run
from phase2.runs.records.manifest import read_manifest
from phase2.storage.folder import LocalStore
from phase2.training.callbacks.base import Callback
from phase2.training.fine_tuning.weights import HEADS
from phase2.training.interruption import StopRequest
from phase2.training.run.experiment import RunContext, train_run

KEPT, NEW = "formation_energy", "dielectric"


@pytest.fixture(scope="module")
def source(cache, tmp_path_factory, request_in):
    """The run to start from: it has a head that is kept and one that is not."""
    folder = tmp_path_factory.mktemp("source")
    return train_run(resolve(request_in(folder, properties=("band_gap", KEPT)))).directory


@pytest.fixture
def tune(tmp_path, request_in, source):
    """Resolve the request of a run that starts from the source."""

    def make(output=tmp_path, **settings):
        words = {"from_": str(source.path), "properties": (KEPT, NEW), "epochs": 4, "seed": 1}
        return resolve(inherit_settings(request_in(output, **(words | settings))))

    return make


@pytest.fixture(scope="module")
def tuned(cache, source, tmp_path_factory, request_in):
    request = request_in(
        tmp_path_factory.mktemp("tuned"),
        from_=str(source.path),
        properties=(KEPT, NEW),
        freeze="backbone",
        max_samples=90,
    )
    said: list[str] = []
    return train_run(resolve(inherit_settings(request)), context=RunContext(notify=said.append)), said


def test_the_header_says_what_the_model_file_says(source):
    header, model = read_model_header(source.best), load_model_file(source.best)
    assert (header.run_id, header.epoch, header.config) == (model.run_id, model.epoch, model.config)
    assert header.scaler == model.scaler.to_dict()
    assert (header.species, header.mean_neighbors) == (model.species, model.mean_neighbors)
    assert header.transforms == {p.key: p.transform for p in model.properties}


def test_the_lineage_is_in_every_record(tuned, source):
    run, said = tuned
    manifest = read_manifest(run.directory.manifest)
    lineage = manifest.lineage
    assert (lineage.source.run_id, lineage.source.address) == (source.run_id, str(source.path.resolve()))
    assert lineage.source.sha256 == read_model_header(source.best).sha256 == manifest.config.fine_tuning.sha256
    assert lineage.source.data_fingerprint == read_manifest(source.manifest).data.fingerprint
    assert (lineage.kept, lineage.new) == ((KEPT,), (NEW,))
    assert load_model_file(run.directory.best).lineage == lineage
    for page in (run.directory.handoff, run.directory.model_card):
        assert lineage.sentence() in page.read_text()
        assert "another split" not in page.read_text()
    assert lineage.sentence() in said


def test_a_kept_head_keeps_its_normalisation_and_the_baseline_is_of_the_new_data(tuned, source):
    before, after = load_model_file(source.best).scaler, load_model_file(tuned[0].directory.best).scaler
    own, theirs = ([p.key for p in scaler.properties].index(KEPT) for scaler in (after, before))
    assert (after.mean[own], after.std[own]) == (before.mean[theirs], before.std[theirs])
    assert after.median[own] != before.median[theirs]  # other training crystals


def test_a_frozen_backbone_ends_as_it_began(tuned, source):
    before = named_tensors(load_model_file(source.best).model)
    after = named_tensors(load_model_file(tuned[0].directory.best).model)
    for name, tensor in after.items():
        if not name.startswith(HEADS):
            assert torch.equal(tensor, before[name]), name
    assert not torch.equal(after["heads.trunk.0.weight"], before["heads.trunk.0.weight"])


class StopAt(Callback):
    def __init__(self, step, stop):
        self.step, self.stop = step, stop

    def on_step_end(self, event):
        if event.step == self.step:
            self.stop.request("the test")


@pytest.mark.parametrize("how", [{"freeze": "backbone"}, {"new_heads": True, "unfreeze_epoch": 3, "backbone_lr": 0.3}])
def test_a_run_resumed_without_its_source_ends_where_an_uninterrupted_one_ends(tmp_path, source, tune, how):
    settings = {f"fine_tuning.{name}": how.pop(name) for name in ("unfreeze_epoch", "backbone_lr") if name in how}
    copy = tmp_path / "copy"
    shutil.copytree(source.path, copy)
    words = how | {"from_": str(copy), "settings": settings_of(settings.items()), "batch_size": 16}
    whole = train_run(tune(tmp_path / "whole", **words))
    for step in (1, 7):
        stop = StopRequest()
        resumption = ResumeRequest(wanted=step > 1)
        with pytest.raises(PreemptedError):
            train_run(
                tune(tmp_path / "stopped", **words),
                resumption,
                RunContext(callback=StopAt(step, stop), stop=stop),
            )
    resolved = tune(tmp_path / "stopped", **words)
    shutil.rmtree(copy)
    resumed = train_run(resolved, ResumeRequest(wanted=True))
    one, other = (copy_tensors(load_model_file(run.directory.best).model) for run in (resumed, whole))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert resumed.directory.predictions_test.read_bytes() == whole.directory.predictions_test.read_bytes()
    by_name = ResumeRequest(wanted=True, run=resumed.directory.run_id)
    again = train_run(resolve(RunRequest(output=tmp_path / "stopped")), by_name)
    assert again.directory == resumed.directory


def test_the_digest_is_of_the_content_and_an_ordinary_run_has_none(tmp_path, tune, source, request_in):
    plain = resolve(request_in(tmp_path, properties=(KEPT, NEW), epochs=4, seed=1)).config
    assert "fine_tuning" not in plain.model_dump(mode="json")
    assert tune().config.digest != plain.digest
    assert tune(freeze="backbone").config.digest != tune().config.digest
    assert tune(from_=str(source.best)).config.digest == tune().config.digest  # the folder and its file are one source


def test_the_recorded_command_makes_the_same_run(tune):
    resolved = tune(freeze="backbone")
    again = RunRequest.from_command(resolved.request.command())
    assert resolve(inherit_settings(again)).config == resolved.config


def test_the_network_of_the_source_is_taken_over(tmp_path, tune, request_in):
    small = {"preset": "small", "properties": (KEPT,)}
    wide = train_run(resolve(request_in(tmp_path / "a", **small))).directory
    resolved = tune(tmp_path / "b", from_=str(wide.path), level="std")
    assert (resolved.config.model.preset, resolved.config.model.width) == ("small", 64)
    assert resolved.origins["model.width"] == f"run {wide.run_id}"
    with pytest.raises(RequestError, match=r"model\.preset is large by --preset, and small in run"):
        tune(from_=str(wide.path), preset="large")


def test_properties_are_learned_as_the_source_learned_them(tmp_path, tune, request_in):
    product = {"properties": ("bulk_modulus",), "settings": (Setting("data.per_volume", ("bulk_modulus",)),)}
    source = train_run(resolve(request_in(tmp_path / "a", **product))).directory
    words = {"from_": str(source.path), "properties": ("bulk_modulus",)}
    resolved = tune(tmp_path / "b", **words)
    assert resolved.config.data.per_volume == ("bulk_modulus",)
    assert resolved.origins["data.per_volume"] == f"run {source.run_id}"
    assert lineage_of(resolved.config).kept == ("bulk_modulus",)
    with pytest.raises(RequestError, match=r"data\.per_volume is \[\] by .*, and \['bulk_modulus'\] in run"):
        tune(tmp_path / "b", **words, settings=(Setting("data.per_volume", ()),))


def test_a_source_of_an_earlier_version_keeps_its_logarithms(tmp_path, request_in):
    """Its configuration has no such setting, and the default of e3nn is another."""
    earlier = {
        "algorithm": "e3nn",
        "properties": ("bulk_modulus",),
        "epochs": 1,
        "settings": (Setting("data.per_volume", ()),),
    }
    source = train_run(resolve(request_in(tmp_path / "a", **earlier))).directory
    further = request_in(tmp_path / "b", from_=str(source.path), algorithm="e3nn", properties=("bulk_modulus",))
    assert resolve(request_in(tmp_path, algorithm="e3nn")).config.data.per_volume
    config = resolve(inherit_settings(further)).config
    assert config.data.per_volume == ()
    assert lineage_of(config).kept == ("bulk_modulus",)


def test_other_graphs_and_networks_are_refused(tune):
    with pytest.raises(RequestError, match=r"data\.graph\.cutoff is 6.* by --cutoff, and 5\.0 in run"):
        tune(cutoff=6.0)
    with pytest.raises(RequestError, match="Add --algorithm cgcnn"):
        tune(algorithm="e3nn")
    with pytest.raises(RequestError, match=r"--freeze cannot be given without --from"):
        tune(from_=None, freeze="backbone")


def test_a_source_that_changed_is_refused(tmp_path, tune, source):
    copy = tmp_path / "copy"
    shutil.copytree(source.path, copy)
    resolved = tune(from_=str(copy))
    content = load_model_file(copy / "best.pt")
    save_model_file(copy / "best.pt", replace(content, epoch=content.epoch + 1))
    with pytest.raises(ModelFileError, match="is not the one that this run starts from"):
        train_run(resolved)
    (copy / "best.pt").unlink()
    with pytest.raises(ModelFileError, match="is not there"):
        train_run(resolved)
    assert not (tmp_path / "multitask_cgcnn").exists()


def test_another_split_is_a_caveat(tune, tmp_path):
    run = train_run(tune(split="composition", epochs=1))
    assert not run.manifest.lineage.source.same_split
    assert "may have been training crystals there" in run.directory.handoff.read_text()


def test_a_chain_names_every_ancestor(tuned, tune, source, tmp_path):
    store = LocalStore(tmp_path / "store")
    publish_run(store, tuned[0].directory)
    address = f"{store.url}/{tuned[0].directory.family}/{tuned[0].directory.name}"
    run = train_run(tune(tmp_path / "third", from_=address, epochs=1))
    lineage = run.manifest.lineage
    assert [one.run_id for one in (lineage.source, *lineage.ancestors)] == [
        tuned[0].directory.run_id,
        source.run_id,
    ]
    assert all(one.same_split for one in (lineage.source, *lineage.ancestors))
    assert f"which had started from run {source.run_id}" in run.directory.model_card.read_text()
