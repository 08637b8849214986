"""A study: its definition, the values of its trials, and what the journal keeps of them."""

import pytest

from phase2.config.data.property_texts import parse_property
from phase2.config.resolve import resolve
from phase2.errors import RequestError, UnknownNameError
from phase2.testing.stores.watched_store import Killed, KillingStore
from phase2.tuning.definition import StudyDefinition
from phase2.tuning.study import Study


def test_a_definition_is_shared_by_name(store, define):
    first = define().save(store)
    assert define(trials=99).save(store) == first
    assert StudyDefinition.load(store, "size") == first
    with pytest.raises(RequestError, match=r"space: it has .* asked for is training.lr=1e-05..0.1:log"):
        define(over=("training.lr=1e-5..1e-1:log",)).save(store)
    with pytest.raises(RequestError, match="command: it has"):
        define(seed=3).save(store)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"minimise": "band_gab"}, "Did you mean 'band_gap'?"),
        ({"minimise": "dielectric"}, "The measure is one of score|There is no such measure"),
        ({"pruner": "mediam"}, "Did you mean 'median'?"),
        ({"name": "-no"}, "not a valid name of a study"),
        ({"name": "a" * 56}, "1 to 55 letters"),
        ({"over": ()}, "nothing to search"),
        ({"over": ("training.epochs=2..4",)}, "needs --pruner none|--epochs and --over"),
    ],
)
def test_what_cannot_be_a_study_is_refused(define, words, says):
    with pytest.raises(RequestError, match=says.replace("?", r"\?")):
        define(**words)


@pytest.mark.parametrize(
    ("minimise", "measure"),
    [("score", "val score"), ("band_gap", "val MAE of band_gap"), ("magnetic", "val log loss of magnetic")],
)
def test_the_measure_of_a_binary_property_is_its_log_loss(define, minimise, measure):
    own = parse_property("{key: magnetic, task: binary}")
    definition = define(minimise=minimise, own_properties=own, properties=("band_gap", "magnetic"))
    assert definition.measure == measure


def test_an_unknown_study_is_named_with_the_nearest(store, define):
    with pytest.raises(RequestError, match="No study was started there"):
        StudyDefinition.load(store, "size")
    define().save(store)
    with pytest.raises(UnknownNameError, match=r"Did you mean 'size'\?"):
        StudyDefinition.load(store, "sise")


def test_the_first_trial_is_the_level_as_it_is(study):
    config = resolve(study.definition.request).config
    trial = study.begin(0)
    assert trial.values["training.lr"] == config.training.lr
    assert trial.values["model.width"] in (8, 16, 24)  # the level's is none of the choices


def test_values_follow_from_the_seed_and_the_trials_before(store, tmp_path, define):
    def values(name):
        study = Study(type(store)(tmp_path / name), define())
        for number in range(14):
            study.begin(number)
            study.end(number, "complete", value=float(number % 5))
        return [trial.values for trial in study.trials()]

    one = values("one")
    assert one == values("other")
    assert len({str(each) for each in one}) == len(one)


def test_values_differ_by_seed(store, tmp_path, define):
    one, other = (Study(type(store)(tmp_path / str(seed)), define(seed=seed)).begin(1) for seed in (1, 2))
    assert one.values != other.values


@pytest.mark.parametrize("after", [False, True])
def test_a_trial_begun_by_a_killed_worker_is_there_with_its_values_or_not(store, define, after):
    definition = define()
    Study(store, definition)
    with pytest.raises(Killed):
        Study(KillingStore(store, 1, after=after), definition).begin(0)
    left = Study(store, definition).trials()
    assert len(left) == (1 if after else 0)
    assert all(len(trial.values) == 2 for trial in left)
    assert [trial.number for trial in Study(store, definition).trials()] == [trial.number for trial in left]
    Study(store, definition).begin(0)
    assert len(Study(store, definition).trials()) == 1


def test_two_workers_that_begin_one_trial_agree_on_its_values(store, define):
    one, other = Study(store, define()), Study(store, define())
    first = one.begin(0)
    assert other.begin(0) == first
    assert len(other.trials()) == 1


def test_the_first_end_of_a_trial_counts(store, define):
    one, other = Study(store, define()), Study(store, define())
    one.begin(0)
    one.report(0, 1, 0.5)
    one.end(0, "complete", value=0.4)
    other.end(0, "failed", reason="The training diverged.")
    other.report(0, 2, 0.1)
    (trial,) = other.trials()
    assert (trial.state, trial.score, trial.epochs, trial.reason) == ("complete", 0.4, 1, "")


def test_reports_of_a_continued_trial_are_written_once(store, define):
    study = Study(store, define())
    study.begin(0)
    for _ in range(2):
        study.report(0, 1, 0.5)
        study.report(0, 2, 0.4)
    assert len(list(store.list(".studies/size/journal/"))) == 1 + 1 + 2


def test_a_trial_worse_than_the_median_is_hopeless(store, define):
    study = Study(store, define())
    for number in range(5):
        study.begin(number)
        for epoch in (1, 2, 3):
            study.report(number, epoch, 1.0 if number < 4 else 2.0)
            assert study.is_hopeless(number) == (number == 4)
        if number < 4:
            study.end(number, "complete", value=1.0)


@pytest.mark.parametrize(("pruner", "hopeless"), [("none", False), ("hyperband", True)])
def test_other_pruners(store, define, pruner, hopeless):
    study = Study(store, define(pruner=pruner, epochs=9, over=("training.lr=1e-4..1e-1:log",)))
    stopped = []
    for number in range(12):
        study.begin(number)
        for epoch in range(1, 9):
            study.report(number, epoch, float(number))  # each is worse than all before it
            if study.is_hopeless(number):
                stopped.append(number)
                break
        study.end(number, "pruned" if number in stopped else "complete", value=None if number in stopped else 1.0)
    assert bool(stopped) is hopeless
