"""A cross-validation is a sweep over folds that keeps all else of the request."""

import pytest

from phase2.config.assignments import parse_setting
from phase2.config.combine import combine
from phase2.config.data.own_properties import PropertyDefinition
from phase2.config.multirun.cross_validation import cross_validation
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.errors import RequestError


def test_every_fold_is_tested_on_once_and_everything_else_is_kept():
    words = {
        "algorithm": "cgcnn", "level": "smoke", "epochs": 3, "lr": 0.01, "cutoff": 4.0, "patience": 2, "seed": 7,
        "properties": ("band_gap", "metal"), "drop_twins": True, "split": "composition",
        "own_properties": (PropertyDefinition(key="metal", task="binary"),),
    }  # fmt: skip
    request = combine(words, settings=[parse_setting("data.split_seed=5")])
    runs = cross_validation(request, folds=4).runs("cv")
    assert [run.request.split for run in runs] == [f"kfold:4/{k}:composition" for k in (1, 2, 3, 4)]
    alone = resolve(request).config
    for run in runs:
        config = resolve(run.request).config
        kept = config.data.model_copy(update={"split": None, "group_by": "composition"})
        assert config.model_copy(update={"data": kept}) == alone


def test_the_folds_of_matbench_are_five():
    runs = cross_validation(RunRequest(algorithm="cgcnn", level="smoke"), matbench=True).runs("cv")
    assert [run.request.split for run in runs] == [f"matbench:fold_{k}" for k in range(5)]


@pytest.mark.parametrize(
    ("words", "options", "message"),
    [
        ({"split": "element:Li"}, {}, "cannot be cross-validated"),
        ({"competition": True}, {}, "--competition cannot be cross-validated"),
        ({"level": "smoke"}, {"folds": 1}, "--folds 1"),
        ({"level": "smoke"}, {"folds": 4, "matbench": True}, "--matbench excludes"),
    ],
)
def test_what_has_no_folds_is_refused(words, options, message):
    with pytest.raises(RequestError, match=message):
        cross_validation(RunRequest(algorithm="cgcnn", **words), **options)


def test_a_fixed_level_is_refused():
    with pytest.raises(RequestError, match="e3nn lite cannot be cross-validated"):
        cross_validation(RunRequest(level="lite"))
