"""``phase2 train --also-alone``: several properties together and each alone, and the better of both for each."""

import gzip
import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from phase2.cli import main
from phase2.config.assignments import parse_setting
from phase2.config.data.property_texts import parse_property
from phase2.config.multirun.alone import alone, together
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.data.crystals.elements import SYMBOLS
from phase2.data.sources.registry import open_source
from phase2.errors import RequestError
from phase2.runs.layout import RunDirectory
from phase2.runs.records.manifest import read_manifest
from phase2.testing.same_result import assert_same_result
from phase2.training.run.experiment import train_run

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
TRAINED = ("formation_energy", "band_gap", "bulk_modulus")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Ninety crystals of the sample with made-up labels, of the bulk modulus for every second one."""
    source = open_source("sample")
    rows = []
    for k, raw in zip(range(90), source.records(), strict=False):
        crystal = source.parse(raw).crystal
        atoms = {
            "lattice_mat": crystal.lattice.tolist(),
            "coords": crystal.frac.tolist(),
            "elements": [SYMBOLS[z - 1] for z in crystal.species],
            "cartesian": False,
        }
        labels = {"formation_energy_peratom": -k / 90, "optb88vdw_bandgap": k % 7, "bulk_modulus_kv": 40.0 + k}
        rows.append({"jid": f"c-{k}", "atoms": atoms} | (labels if k % 2 else dict(list(labels.items())[:2])))
    path = tmp_path_factory.mktemp("data") / "crystals.json.gz"
    path.write_bytes(gzip.compress(json.dumps(rows).encode()))
    return path


@pytest.fixture(scope="module")
def request_for(data):
    def make(output, **settings):
        properties = None if settings.get("all_properties") else TRAINED
        return RunRequest(
            algorithm="cgcnn", level="std", epochs=3, data=str(data), output=output, properties=properties, **settings
        )

    return make


def train(request, *options):
    return main(["train", *request.command()[2:], "--also-alone", "--no-baselines", *options])


def run_of(output, run_id):
    (folder,) = output.glob(f"*/run_*_{run_id}")
    return RunDirectory(folder)


@pytest.fixture(scope="module")
def whole(cache, tmp_path_factory, request_for):
    """Folder of runs that were never interrupted."""
    output = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHASE2_RUN_ID", "pair")
        assert train(request_for(output)) == 0
    return output


def test_each_property_is_also_trained_in_an_ordinary_run_of_its_own(whole, request_for, tmp_path):
    assert {path.name.rpartition("_pair-")[2] for path in whole.glob("*/run_*")} == {"together", *TRAINED}
    manifests = {key: read_manifest(run_of(whole, f"pair-{key}").manifest) for key in ("together", *TRAINED)}
    assert manifests["together"].properties == TRAINED
    assert {key: manifests[key].properties for key in TRAINED} == {key: (key,) for key in TRAINED}
    by_hand = train_run(resolve(replace(request_for(tmp_path), properties=("band_gap",)))).directory
    assert_same_result(run_of(whole, "pair-band_gap"), by_hand)


def test_the_last_line_predicts_each_property_by_the_better_run(whole, request_for, tmp_path, capfd):
    assert train(request_for(whole), "--resume", "pair") == 0  # all are finished
    shown = capfd.readouterr().out
    command = shown.splitlines()[-1].partition(": ")[2]
    val = {name: read_manifest(run_of(whole, f"pair-{name}").manifest).val for name in ("together", *TRAINED)}
    errors = {name: {one.key: one.mae for one in found if one.mae is not None} for name, found in val.items()}
    better = [key for key in TRAINED if errors[key][key] < errors["together"][key]]
    for key in TRAINED:
        assert (f"pair-{key}" in command) == (key in better)
    assert ("pair-together" in command) == (len(better) < len(TRAINED))
    _, predict, *words = shlex.split(command)
    output = tmp_path / "out.csv"
    assert main([predict, *words[:-2], "--dir", str(EXAMPLES), "--output", str(output)]) == 0
    for key in TRAINED:
        assert key in output.read_text().splitlines()[0]


def test_runs_killed_in_the_middle_end_where_they_would_have_ended(whole, request_for, tmp_path, stopped_run):
    request = request_for(tmp_path)
    pattern = "multitask_cgcnn/run_*_pair-band_gap/checkpoint.pt"
    options = ("--also-alone", "--no-baselines")
    stopped_run(request, pattern, root=tmp_path, options=options, PHASE2_RUN_ID="pair")
    assert not list(tmp_path.glob("*/run_*_pair-bulk_modulus"))
    assert train(request, "--resume", "pair") == 0
    for name in ("together", *TRAINED):
        assert_same_result(run_of(tmp_path, f"pair-{name}"), run_of(whole, f"pair-{name}"))


def test_properties_without_labels_have_no_run_of_their_own(request_for, tmp_path, monkeypatch):
    monkeypatch.setenv("PHASE2_RUN_ID", "every")
    assert train(request_for(tmp_path, all_properties=True)) == 0
    assert {path.name.rpartition("_every-")[2] for path in tmp_path.glob("*/run_*")} == {"together", *TRAINED}


def test_a_dry_run_names_the_runs_and_trains_none(request_for, tmp_path, capfd):
    assert train(request_for(tmp_path), "--dry-run") == 0
    members = [line for line in capfd.readouterr().out.splitlines() if line.startswith("member: ")]
    assert len(members) == 4
    assert members[0].endswith("-together, formation_energy, band_gap, bulk_modulus")
    assert members[-1].endswith("-bulk_modulus, bulk_modulus")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("settings", "options", "message"),
    [
        ({"max_samples": 50}, [], "needs all crystals"),
        ({}, ["--resume"], "which comparison to continue"),
        ({}, ["--resume", "nobody"], "no comparison 'nobody'"),
        ({}, ["--report-to", "x"], "--report-to and --also-alone"),
        ({}, ["--ensemble", "2"], "--ensemble and --also-alone"),
        ({}, ["--processes", "2"], "--also-alone and several processes"),
        ({}, ["--properties", "band_gap"], "nothing to compare"),
    ],
)
def test_what_cannot_be_compared_is_refused(request_for, tmp_path, capfd, settings, options, message):
    assert train(request_for(tmp_path, **settings), *options) == 2
    assert message in " ".join(capfd.readouterr().err.split())
    assert not list(tmp_path.iterdir())


def test_all_crystals_can_be_asked_for_at_a_level_that_takes_a_part():
    request = RunRequest(algorithm="cgcnn", level="smoke")
    with pytest.raises(RequestError, match="needs all crystals") as caught:
        together(request, "x")
    assert "--set data.max_samples=null" in caught.value.fix
    every = replace(request, settings=(parse_setting("data.max_samples=null"),))
    assert together(every, "x").run_id == "x-together"


def test_all_else_is_as_in_the_run_of_all():
    own = parse_property("heat_capacity:J/mol/K:cv")
    request = RunRequest(algorithm="cgcnn", all_properties=True, own_properties=own, seed=7)
    one, other = (resolve(member.request).config for member in alone(request, "x", ["band_gap", "heat_capacity"]))
    assert one.properties == ("band_gap",)
    assert one.model_copy(update={"properties": other.properties}) == other
    assert one.data == resolve(request).config.data
