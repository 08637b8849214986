"""``--also-alone`` and ``--also-fine-tuned``: several properties together and each by itself, and the best for each."""

import gzip
import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from phase2.cli import main
from phase2.config.assignments import parse_setting
from phase2.config.data.property_texts import parse_property
from phase2.config.multirun.each_property import alone, fine_tuned, together
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
TUNED = tuple(f"{key}-fine-tuned" for key in TRAINED)
EACH = ("--also-alone", "--also-fine-tuned")


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
    ways = () if set(EACH) & set(options) else EACH
    return main(["train", *request.command()[2:], *ways, "--no-baselines", *options])


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


def test_each_property_is_also_trained_in_ordinary_runs_of_its_own(whole, request_for, tmp_path):
    assert {path.name.partition("_pair-")[2] for path in whole.glob("*/run_*")} == {"together", *TRAINED, *TUNED}
    manifests = {key: read_manifest(run_of(whole, f"pair-{key}").manifest) for key in ("together", *TRAINED)}
    assert manifests["together"].properties == TRAINED
    assert {key: manifests[key].properties for key in TRAINED} == {key: (key,) for key in TRAINED}
    by_hand = train_run(resolve(replace(request_for(tmp_path), properties=("band_gap",)))).directory
    assert_same_result(run_of(whole, "pair-band_gap"), by_hand)


def test_a_fine_tuned_run_is_that_of_the_same_command_with_from(whole, request_for, tmp_path):
    shared = run_of(whole, "pair-together").path
    request = request_for(tmp_path)
    rate = 0.2 * resolve(request).config.training.lr
    alone = replace(request, properties=("band_gap",), from_=str(shared), epochs=1, lr=rate)
    assert main([*alone.command()[1:], "--no-baselines"]) == 0
    (by_hand,) = tmp_path.glob("*/run_*")
    assert_same_result(run_of(whole, "pair-band_gap-fine-tuned"), RunDirectory(by_hand))


def test_the_last_line_predicts_each_property_by_the_best_run(whole, request_for, tmp_path, capfd):
    assert train(request_for(whole), "--resume", "pair") == 0  # all are finished
    shown = capfd.readouterr().out
    command = shown.splitlines()[-1].partition(": ")[2]
    best = set()
    for key in TRAINED:
        names = ("together", key, f"{key}-fine-tuned")
        manifests = [read_manifest(run_of(whole, f"pair-{name}").manifest) for name in names]
        errors = {
            one.mae: name
            for name, found in zip(names, manifests, strict=True)
            for one in found.val
            if one.key == key and one.mae is not None
        }
        best.add(errors[min(errors)])
    _, predict, *words = shlex.split(command)
    models = [word.partition("_pair-")[2] for word in words if "_pair-" in word]
    assert sorted(models) == sorted(best)
    output = tmp_path / "out.csv"
    assert main([predict, *words[:-2], "--dir", str(EXAMPLES), "--output", str(output)]) == 0
    for key in TRAINED:
        assert key in output.read_text().splitlines()[0]


@pytest.mark.parametrize("stopped_in", ["pair-band_gap", "pair-band_gap-fine-tuned"])
def test_runs_killed_in_the_middle_end_where_they_would_have_ended(
    whole, request_for, tmp_path, stopped_run, stopped_in
):
    """On another machine, too, which has the store alone."""
    here, there, store = tmp_path / "here", tmp_path / "there", ("--store", str(tmp_path / "store"))
    pattern = f"multitask_cgcnn/run_*_{stopped_in}/checkpoint.pt"
    options = (*EACH, "--no-baselines", *store)
    stopped_run(request_for(here), pattern, root=here, options=options, PHASE2_RUN_ID="pair")
    assert not list(here.glob(f"*/run_*_{stopped_in.replace('band_gap', 'bulk_modulus')}"))
    assert train(request_for(there), "--resume", "pair", *store) == 0
    for name in ("together", *TRAINED, *TUNED):
        assert_same_result(run_of(there, f"pair-{name}"), run_of(whole, f"pair-{name}"))


def test_properties_without_labels_have_no_run_of_their_own(request_for, tmp_path, monkeypatch):
    monkeypatch.setenv("PHASE2_RUN_ID", "every")
    assert train(request_for(tmp_path, all_properties=True)) == 0
    assert {path.name.partition("_every-")[2] for path in tmp_path.glob("*/run_*")} == {"together", *TRAINED, *TUNED}


def test_a_dry_run_names_the_runs_and_trains_none(request_for, tmp_path, capfd):
    assert train(request_for(tmp_path), "--dry-run") == 0
    members = [line for line in capfd.readouterr().out.splitlines() if line.startswith("member: ")]
    assert len(members) == 7
    assert members[0].endswith("-together, formation_energy, band_gap, bulk_modulus")
    assert members[3].endswith("-bulk_modulus, bulk_modulus")
    assert "-bulk_modulus-fine-tuned, bulk_modulus from " in members[-1]
    assert members[-1].endswith("-together")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("settings", "options", "message"),
    [
        ({"max_samples": 50}, [], "All crystals are needed for --also-alone and --also-fine-tuned"),
        ({"drop_twins": True}, [], "--also-alone and --also-fine-tuned and --drop-twins exclude"),
        ({}, ["--resume"], "which comparison to continue"),
        ({}, ["--resume", "nobody"], "no comparison 'nobody'"),
        ({}, ["--report-to", "x"], "--report-to and --also-alone and --also-fine-tuned"),
        ({}, ["--ensemble", "2", "--also-alone"], "--ensemble and --also-alone exclude"),
        ({}, ["--ensemble", "2", "--also-fine-tuned"], "--ensemble and --also-fine-tuned exclude"),
        ({}, ["--processes", "2", "--also-alone"], "--also-alone and several processes"),
        ({}, ["--properties", "band_gap"], "nothing to compare"),
    ],
)
def test_what_cannot_be_compared_is_refused(request_for, tmp_path, capfd, settings, options, message):
    assert train(request_for(tmp_path, **settings), *options) == 2
    assert message in " ".join(capfd.readouterr().err.split())
    assert not list(tmp_path.iterdir())


def test_all_crystals_can_be_asked_for_at_a_level_that_takes_a_part():
    request = RunRequest(algorithm="cgcnn", level="smoke")
    with pytest.raises(RequestError, match="All crystals are needed") as caught:
        together(request, "x", "--also-alone")
    assert "--set data.max_samples=null" in caught.value.fix
    every = replace(request, settings=(parse_setting("data.max_samples=null"),))
    assert together(every, "x", "--also-alone").run_id == "x-together"


def test_all_else_is_as_in_the_run_of_all():
    own = parse_property("heat_capacity:J/mol/K:cv")
    request = RunRequest(algorithm="cgcnn", all_properties=True, own_properties=own, seed=7)
    one, other = (resolve(member.request).config for member in alone(request, "x", ["band_gap", "heat_capacity"]))
    assert one.properties == ("band_gap",)
    assert one.model_copy(update={"properties": other.properties}) == other
    assert one.data == resolve(request).config.data


def test_a_fine_tuned_run_starts_from_the_run_of_all_alone():
    """Whatever that has started from: its source and what was frozen are its own."""
    digest = parse_setting(f"fine_tuning.sha256={'a' * 64}")
    request = RunRequest(
        algorithm="cgcnn", epochs=5, lr=0.01, from_="models/older", freeze="backbone", settings=(digest,)
    )
    (one,) = fine_tuned(request, "x", ["ehull"], "models/shared")
    assert (one.request.from_, one.request.freeze, one.request.settings) == ("models/shared", None, ())
    assert one.request.epochs == 2
    assert one.request.lr == pytest.approx(0.002)


def test_a_fine_tuned_run_has_an_epoch_at_least():
    (one,) = fine_tuned(RunRequest(algorithm="cgcnn", epochs=1), "x", ["ehull"], "models/shared")
    assert one.request.epochs == 1
