"""The hand-off page and the model card, against golden files."""

import re
from pathlib import Path

import pytest

from phase2.config.data.own_properties import PropertyDefinition
from phase2.runs.records.results import PropertyMetrics
from phase2.runs.report.caveats import caveats
from phase2.runs.report.handoff import handoff
from phase2.runs.report.markdown import table
from phase2.runs.report.model_card import model_card

GOLDEN = Path(__file__).parent / "golden"
FOLDER = "models/multitask_cgcnn/run_20261124T093000Z_4f1c2a"


@pytest.mark.parametrize(
    ("name", "render"), [("HANDOFF.md", lambda m: handoff(m, FOLDER)), ("MODEL_CARD.md", model_card)]
)
def test_pages_equal_the_golden_ones(manifest, name, render):
    assert render(manifest) == (GOLDEN / name).read_text()


def test_pages_of_a_run_without_data_or_numbers(manifest):
    bare = manifest.model_copy(update={"data": None, "val": (), "test": (), "score": None})
    for page in (handoff(bare, FOLDER), model_card(bare)):
        assert "None" not in page.replace("best None", "")


def test_the_score_and_the_metrics_of_binary_properties_are_said(manifest):
    definitions = (PropertyDefinition(key="metal", task="binary"),)
    data = manifest.config.data.model_copy(update={"own_properties": definitions})
    metal = PropertyMetrics.from_probabilities("metal", 50, log_loss=0.3, baseline_log_loss=0.6)
    binary = manifest.model_copy(
        update={
            "config": manifest.config.model_copy(update={"data": data, "properties": ("metal",)}),
            "properties": ("metal",),
            "val": (metal,),
            "test": (metal,),
        }
    )
    for page in (handoff(binary, FOLDER), model_card(binary)):
        assert "log loss / log loss of" in page
        assert "the share of true training labels" in page
    assert "better; 1 is as good as these baselines." in handoff(binary, FOLDER)
    assert "area under the ROC" in model_card(binary)


def test_one_crystal_is_no_plural(manifest):
    data = manifest.data.model_copy(update={"train": 1, "test": 1, "read": 1, "rejected": 1})
    page = model_card(manifest.model_copy(update={"data": data}))
    assert "1 crystal of `" in page
    assert "Of its 1 record, 1 was no valid crystal" in page
    assert "and 1 test crystal of `" in page


def result(**changes):
    numbers = {"mae": 0.1, "rmse": 0.2, "r2": 0.9, "baseline_mae": 0.5, "ratio": 0.2}
    return PropertyMetrics(**({"key": "ehull", "unit": "eV/atom", "count": 100} | numbers | changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, []),
        ({"ratio": 1.0, "mae": 0.5}, ["no better than by the median"]),
        ({"count": 29}, ["only 29 test labels"]),
        ({"count": 1}, ["only 1 test label:"]),
        ({"count": 30}, []),
        ({"count": 0, "mae": None, "ratio": None}, ["no test label"]),
        ({"mae": None, "ratio": None}, ["not finite"]),
        ({"count": 5, "ratio": 3.0}, ["no better", "only 5"]),
    ],
)
def test_caveats(changes, words):
    found = caveats([result(**changes)], ())
    assert len(found) == len(words)
    for warning, word in zip(found, words, strict=True):
        assert word in warning
        assert "Energy above hull" in warning


def test_left_out_properties_are_named():
    assert "spillage" in caveats([], ["spillage"])[0]


def test_every_row_of_a_table_has_as_many_cells():
    text = table(("a", "b"), [("x|y", "1\n2"), ("", "3")], numeric=1)
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in text.splitlines()} == {3}
    assert text.splitlines()[1] == "| --- | ---: |"
