"""``-p name=value`` does what ``run_phase2.py --name value`` does: the pod's own environment, given to the program."""

import sys

import pytest

from phase2.cli import main

from .manifests import TEMPLATES
from .rendering import render_pod

SENTENCES = [
    {},
    {"level": "pro"},
    {"algorithm": "cgcnn", "competition": "true"},
    {"algorithm": "cgcnn", "level": "max", "epochs": "3", "lr": "1e-3", "batch-size": "32", "preset": "small"},
    {"all-properties": "true", "seed": "7"},
    {"level": "smoke", "split": "composition", "cutoff": "6", "patience": "9", "balance": "equal", "precision": "bf16"},
    {"algorithm": "cgcnn", "set": "model.width=96"},
    {"algorithm": "cgcnn", "level": "smoke", "backbone": "sevennet-0"},
    {"property": "cv:J/mol/K:heat_capacity", "level": "smoke"},
    {"property": '{"key":"e","unit":"eV","transform":"asinh","lower":0,"per":"cell"}', "properties": "band_gap,e"},
    {"properties": "band_gap,formation_energy", "max-samples": "100", "data": "sample", "level": "smoke"},
]


@pytest.fixture
def run_container(monkeypatch, capfd):
    """Run what a container of the template runs, with its environment alone."""

    def run(step, parameters, *more, template="phase2-train", inputs=None):
        pod = render_pod(TEMPLATES[template], step, parameters, inputs)
        (container,) = (one for one in pod["spec"]["containers"] if one["name"] == "main")
        with monkeypatch.context() as patch:
            for variable in container["env"]:
                if "value" in variable and variable["name"] not in (
                    "HOME",
                    "PHASE2_CACHE_DIR",
                    "PHASE2_TERMINATION_LOG",
                ):
                    patch.setenv(variable["name"], variable["value"])
            code = main([*container["args"], *more])
        printed = capfd.readouterr()
        return code, printed.out, printed.err

    return run


def words(sentence):
    for name, value in sentence.items():
        yield f"--{name}"
        if value != "true":
            yield value


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda one: " ".join(words(one)) or "nothing")
def test_parameters_are_the_same_words(sentence, run_container, capfd):
    assert main(["train", "--dry-run", *words(sentence)]) == 0
    expected = capfd.readouterr().out
    code, printed, _ = run_container("validate", sentence)
    assert (code, printed) == (0, expected)


def test_several_settings_are_one_parameter(run_container, capfd):
    settings = ["data.fractions=[0.7,0.2,0.1]", "training.patience=null", "training.lr=1e-5"]
    assert main(["train", "--dry-run", *(word for text in settings for word in ("--set", text))]) == 0
    expected = capfd.readouterr().out
    assert run_container("validate", {"set": "; ".join(settings)})[:2] == (0, expected)


@pytest.mark.parametrize(
    ("sentence", "what"),
    [
        ({"set": "training.patiance=3"}, "Did you mean 'training.patience'"),
        ({"level": "huge"}, "Unknown level 'huge'"),
        ({"level": "pro", "competition": "true"}, "exclude each other"),
        ({"algorithm": "e3nn", "preset": "small"}, "does not go with"),
        ({"epochs": "many"}, "--epochs"),
        ({"level": "lite", "epochs": "9"}, "cannot be combined"),
        ({"data": "nowhere"}, "Unknown data set 'nowhere'"),
        ({"resume": "nothing"}, "There is no run 'nothing'"),
    ],
)
def test_the_first_step_refuses_with_exit_code_2(sentence, what, run_container, tmp_path, monkeypatch):
    monkeypatch.setenv("PHASE2_STORE", str(tmp_path))
    code, _, said = run_container("validate", sentence)
    assert code == 2
    assert what in said


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Folder of a small run."""
    folder = tmp_path_factory.mktemp("models")
    small = ("--algorithm", "cgcnn", "--level", "smoke", "--max-samples", "60", "--epochs", "1", "--no-baselines")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PHASE2_STORE", raising=False)
        assert main(["train", *small, "--output", str(folder)]) == 0
    return next(folder.glob("*/run_*"))


@pytest.mark.slow
def test_a_run_starts_from_the_model_that_is_named(run_container, model, capfd):
    """By its address in a bucket, which the policy demands; here by its path."""
    sentence = {"algorithm": "cgcnn", "level": "smoke", "from": str(model), "freeze": "backbone", "new-heads": "true"}
    assert main(["train", "--dry-run", *words(sentence)]) == 0
    expected = capfd.readouterr().out
    assert "fine_tuning" in expected
    assert run_container("validate", sentence)[:2] == (0, expected)


@pytest.mark.parametrize(
    ("backbone", "package", "command"),
    [
        ("sevennet-0", "sevenn", "pip install 'phase2[foundation]'"),
        ("chgnet", "chgnet", "pip install --no-deps chgnet==0.4.2"),
    ],
)
def test_an_image_without_the_potential_is_refused_by_the_first_step(
    backbone, package, command, run_container, monkeypatch
):
    monkeypatch.setitem(sys.modules, package, None)
    code, _, said = run_container("validate", {"algorithm": "cgcnn", "level": "smoke", "backbone": backbone})
    assert (code, command in said) == (2, True)


def test_a_refusal_is_left_where_kubernetes_reads_it(run_container, tmp_path, monkeypatch):
    log = tmp_path / "termination-log"
    monkeypatch.setenv("PHASE2_TERMINATION_LOG", str(log))
    assert run_container("validate", {"level": "hgue"})[0] == 2
    assert log.read_text().count("\n") == 1
    assert "Unknown level 'hgue'" in log.read_text()


def test_the_run_has_the_name_of_the_workflow_or_the_one_that_was_given(monkeypatch):
    from phase2.config.settings import run_id_of_process

    for parameters, expected in (
        ({}, "phase2-abcde"),
        ({"run-name": "mine"}, "mine"),
        ({"resume": "other"}, None),
    ):
        pod = render_pod(TEMPLATES["phase2-train"], "report", parameters)
        with monkeypatch.context() as patch:
            for variable in pod["spec"]["containers"][1]["env"]:
                if variable["name"] in ("PHASE2_RUN_ID", "PHASE2_RESUME", "PHASE2_WORKFLOW_NAME"):
                    patch.setenv(variable["name"], variable["value"])
            assert run_id_of_process() == expected
