"""Laws of the model file: a complete round trip, no other file needed, and no code from it ever run."""

import contextlib
import json
import os
import random
import zipfile

import numpy as np
import pytest
import torch

from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.config.schema import CgcnnConfig, GraphSpec
from phase2.data.batching import collate
from phase2.data.crystals.crystal import Crystal
from phase2.data.graphs.packing import pack
from phase2.data.targets import TargetScaler
from phase2.errors import ModelFileError
from phase2.models.build import build_model
from phase2.models.files.modelfile import TrainedModel, load_model_file, save_model_file
from phase2.properties import select_properties
from phase2.testing.tensor_files import alter_tensor_file

PROPERTIES = select_properties()
TINY = CgcnnConfig(preset="small", width=8, convolutions=1, gaussians=5, trunk=8)


def trained():
    torch.manual_seed(3)
    config = resolve(RunRequest(algorithm="cgcnn", level="smoke")).config.model_copy(update={"model": TINY})
    model = build_model(TINY, len(PROPERTIES), 12.0, 5.0)
    with torch.no_grad():
        for tensor in model.parameters():
            tensor.normal_()
    labels = np.random.default_rng(0).uniform(0, 9, (30, 4))
    return TrainedModel(
        model=model.eval(),
        config=config,
        properties=PROPERTIES,
        scaler=TargetScaler.fit(labels, PROPERTIES),
        species=(11, 17),
        mean_neighbors=12.0,
        run_id="run_1",
        epoch=3,
        score=0.5,
    )


@pytest.fixture
def path(tmp_path):
    save_model_file(tmp_path / "best.pt", trained())
    return tmp_path / "best.pt"


def test_round_trip(path):
    torch.manual_seed(99)  # the weights come from the file, not from the seed
    before, after = trained(), load_model_file(path)
    salt = Crystal.checked("x", ["Na", "Cl"], [[0.0, 0.0, 0.0], [0.5, 0.5, 0.5]], np.eye(3) * 4)
    batch = collate(pack([salt], GraphSpec()), np.arange(1), None, "quotient")
    with torch.no_grad():
        np.testing.assert_array_equal(before.model(batch), after.model(batch))
        physical = [m.scaler.decode(m.model(batch).numpy()) for m in (before, after)]
    np.testing.assert_array_equal(physical[0], physical[1])
    assert not after.model.training
    same = ("config", "properties", "species", "mean_neighbors", "run_id", "epoch", "score", "phase2_version")
    assert all(getattr(before, name) == getattr(after, name) for name in same)


def test_tables_computed_at_construction_travel_with_the_weights(path):
    alter_tensor_file(path, lambda c: c["weights"]["elements.table"].fill_(7))
    assert (load_model_file(path).model.elements.table == 7).all()


def test_holds_plain_values_alone(path):
    content = torch.load(path, weights_only=True)
    weights = content.pop("weights")
    assert all(type(w) is torch.Tensor for w in weights.values())
    assert json.loads(json.dumps(content)) == content
    assert content["units"] == ["eV/atom", "eV", "GPa", "GPa"]


class Payload:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.system, (f"touch {self.target}",)


@pytest.mark.parametrize("legacy", [True, False])
def test_code_in_the_file_never_runs(tmp_path, legacy):
    proof = tmp_path / "proof"
    bad = tmp_path / "best.pt"
    content = {"format": "phase2-model", "version": 1, "weights": Payload(proof)}
    torch.save(content, bad, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(ModelFileError) as caught:
        load_model_file(bad)
    assert legacy or "could run code" in str(caught.value)
    assert not proof.exists()
    torch.load(bad, weights_only=False)
    assert proof.exists(), "the payload works where it is let to"


@pytest.mark.parametrize("content", [b"", b"hello\n", b"\x80\x02}q\x00.", b"PK\x05\x06" + bytes(18)])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "best.pt"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"best\.pt"):
        load_model_file(path)


def test_missing_file_and_folder(tmp_path):
    for path in (tmp_path / "nowhere.pt", tmp_path):
        with pytest.raises(ModelFileError, match="There is no model file"):
            load_model_file(path)


def test_another_zip_is_refused(tmp_path):
    path = tmp_path / "best.pt"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.txt", "b")
    with pytest.raises(ModelFileError):
        load_model_file(path)


def test_cut_anywhere_is_refused(path):
    whole = path.read_bytes()
    for part in range(0, 100, 7):
        path.write_bytes(whole[: len(whole) * part // 100])
        with pytest.raises(ModelFileError):
            load_model_file(path)


def test_a_flipped_bit_in_a_weight_is_noticed(path):
    weight = load_model_file(path).model.get_parameter("heads.trunk.0.weight").detach().numpy().tobytes()
    damaged = bytearray(path.read_bytes())
    damaged[damaged.index(weight)] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(ModelFileError, match="checksum"):
        load_model_file(path)


def test_flipped_bytes_raise_no_other_error(path):
    whole = path.read_bytes()
    draw = random.Random(5)
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(draw.choice((1, 3, 200))):
            damaged[draw.randrange(len(whole))] = draw.randrange(256)
        path.write_bytes(damaged)
        with contextlib.suppress(ModelFileError):  # or the flip did no harm
            load_model_file(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c.update(format="other"), "not marked 'phase2-model'"),
        (lambda c: c.update(version=2), "newer phase2"),
        (lambda c: c.update(version="1"), "no version"),
        (lambda c: c.pop("weights"), "'weights' is missing"),
        (lambda c: c.pop("config"), "'config' is missing"),
        (lambda c: c.update(config="{}"), "configuration or lineage is invalid"),
        (lambda c: c.update(properties=[]), "'properties' is wrong"),
        (lambda c: c.update(properties=[{"key": "colour"}]), "'properties.0"),
        (lambda c: c["scaler"].pop("std"), "'scaler.std' is missing"),
        (lambda c: c.update(species=[11, 119]), "'species.1'"),
        (lambda c: c.update(species=["Na"]), "'species.0'"),
        (lambda c: c["weights"].popitem(), "differ in: "),
        (lambda c: c["weights"].update({"heads.bias": torch.zeros(5)}), "'heads.bias' is torch.float32 (5,)"),
        (lambda c: c["weights"].update({"heads.bias": 1.0}), "'weights.heads.bias' is wrong"),
        (lambda c: c["weights"]["heads.bias"].fill_(torch.nan), "not finite"),
    ],
)
def test_every_defect_is_named(path, change, said):
    with pytest.raises(ModelFileError) as caught:
        load_model_file(alter_tensor_file(path, change))
    assert said in str(caught.value)
    assert "best.pt" in str(caught.value)


def test_a_value_that_was_changed_later_is_noticed(path):
    alter_tensor_file(path, lambda c: c["scaler"]["mean"].__setitem__(0, 0.5), sign=False)
    with pytest.raises(ModelFileError, match="changed after it was written"):
        load_model_file(path)


def test_files_without_a_digest_are_read(path):
    assert load_model_file(alter_tensor_file(path, lambda c: c.pop("sha256"))).run_id == "run_1"


def test_a_network_that_the_file_does_not_hold_takes_no_memory(path):
    """The largest network within the bounds would take 4 TB."""
    wide = TINY.model_copy(update={"width": 8192, "convolutions": 64, "trunk": 8192})
    config = trained().config.model_copy(update={"model": wide})
    alter_tensor_file(path, lambda c: c.update(config=config.model_dump_json()))
    with pytest.raises(ModelFileError, match="weights do not fit"):
        load_model_file(path)


def test_weights_of_another_size_are_refused(path):
    wide = trained().config.model_copy(update={"model": TINY.model_copy(update={"width": 16})})
    alter_tensor_file(path, lambda c: c.update(config=wide.model_dump_json()))
    with pytest.raises(ModelFileError, match="weights do not fit"):
        load_model_file(path)
