"""The declared studies: every row is a valid run, whatever the defaults will be."""

from operator import attrgetter
from pathlib import Path

import pytest
from bench.study.declared import STUDIES
from bench.study.rows import StudyRun
from bench.study.runner import with_sources

from phase2.config.assignments import parse_setting
from phase2.config.paths import settings_of_algorithm
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.errors import UnknownNameError
from phase2.runs.layout import check_run_id

RUNS = [StudyRun(row, 42, study.epochs, "sample") for study in STUDIES.values() for row in study.rows()]


@pytest.fixture(params=STUDIES.values(), ids=list(STUDIES))
def study(request):
    return request.param


def test_every_row_resolves_to_what_it_declares():
    for run in RUNS:
        config = resolve(run.request()).config
        declared = {one.path: one.value for one in run.row.settings}  # a later one wins
        for path, value in declared.items():
            assert attrgetter(path)(config) == value, (run.run_id, path)
        assert (config.properties, config.training.epochs, config.seed) == (run.row.properties, run.epochs, 42)


def test_the_command_of_a_row_makes_its_configuration():
    for run in RUNS:
        made = RunRequest.from_command(run.request().command())
        assert resolve(made).config == resolve(run.request()).config


def test_run_ids_are_valid_and_different():
    ids = [check_run_id(run.run_id) for run in RUNS]
    assert len(set(ids)) == len(ids)


def test_no_two_rows_of_a_study_are_the_same_run(study):
    digests = [resolve(run.request()).config.digest for run in study.runs((), [42], data="sample")]
    assert len(set(digests)) == len(digests)


def test_every_setting_of_network_and_training_is_stated(study):
    """State a new setting with the value that earlier versions computed with, lest its default change the rows."""
    groups = ("model.", "training.")
    known = {path for path in settings_of_algorithm("e3nn") if path.startswith(groups)} - {"training.epochs"}
    stated = {path for text in study.settings if (path := parse_setting(text).path).startswith(groups)}
    assert stated == known


def test_a_variant_is_compared_with_one_that_trains_its_own_runs_alone(study):
    for variant in study.variants:
        if variant.alone is not None:
            assert study.variant(variant.alone).alone is None


def test_runs_alone_of_another_variant_differ_in_weights_between_properties_only(study):
    for variant in study.variants:
        if variant.alone is not None and variant.source is None:
            one, other = (
                {parse_setting(text).text for text in v.changes} for v in (variant, study.variant(variant.alone))
            )
            changed = {text.partition("=")[0] for text in one ^ other}
            assert changed <= {"training.balance", "training.label_exponent"}, variant.name


def test_a_run_that_is_trained_further_has_the_settings_of_its_source_but_for_rate_and_epochs(study):
    for run in RUNS:
        if run.row.study is study and (source := run.source) is not None:
            before, after = (resolve(one.request()).config for one in (source, run))
            assert run.row.properties[0] in before.properties
            assert (source.seed, source.epochs) == (run.seed, study.epochs)
            assert after.fine_tuning.source == source.run_id
            differing = {"properties", "training", "fine_tuning"}
            assert before.model_dump(exclude=differing) == after.model_dump(exclude=differing)
            rate = {"epochs", "lr"}
            assert before.training.model_dump(exclude=rate) == after.training.model_dump(exclude=rate)


def test_a_run_comes_after_the_one_that_it_starts_from():
    sharing = STUDIES["sharing"]
    runs = with_sources(sharing.runs(["fine-tuned-four"], [42], data="sample"))
    assert [run.row.name for run in runs[:2]] == ["per-volume/four", "fine-tuned-four/formation_energy"]
    assert len(runs) == 5
    words, variables = runs[1].words("studies/sharing", Path("models")), runs[1].variables("studies/sharing")
    assert words[words.index("--from") + 1] == runs[0].run_id
    assert variables == {"PHASE2_RUN_ID": runs[1].run_id, "PHASE2_STORE": "studies/sharing"}


def test_rows_are_selected_by_variant_or_by_name():
    sharing = STUDIES["sharing"]
    assert [row.name for row in sharing.rows(["muon-famo"])] == ["muon-famo/four", "muon-famo/seven"]
    assert [row.name for row in sharing.rows(["muon/four"])] == ["muon/four"]
    with pytest.raises(UnknownNameError, match="muon/four"):
        sharing.rows(["muon/for"])
