"""What a report says and draws: verdict, sample of points, groups, settings, attempts."""

import io
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from tests.runs.report.html.conftest import crystals_of, part_of

from phase2.config.data.own_properties import PropertyDefinition
from phase2.config.schema import FoundationConfig
from phase2.data.crystals.elements import ATOMIC_NUMBERS, SYMBOLS
from phase2.output.csv_text import read_csv, write_csv
from phase2.properties import get_property
from phase2.runs.records.attempts import Attempt
from phase2.runs.records.crystals import crystal_system
from phase2.runs.records.results import PropertyMetrics
from phase2.runs.report.html import periodic_table
from phase2.runs.report.html.errors import PropertyErrors, property_errors
from phase2.runs.report.html.files import files_of_folder
from phase2.runs.report.html.groups import ALL, error_groups
from phase2.runs.report.html.inputs import read_run
from phase2.runs.report.html.page import report
from phase2.runs.report.html.points import ALWAYS, part_points, sampled
from phase2.runs.report.html.settings import setting_rows
from phase2.runs.report.html.timeline import attempt_rows
from phase2.runs.report.html.verdict import cautions, judge
from phase2.runs.report.html.worst import drawn_structures, worst_predictions
from phase2.runs.report.tables.metrics import MetricsRow

KEYS = ("formation_energy", "band_gap", "bulk_modulus")


def errors(key, model, boosting, median, margin=0.01):
    times = median / model if model and median else None
    row = MetricsRow(key, "", model, model, median, times, 0.9, 100, boosting, boosting)
    return PropertyErrors(get_property(key), row, margin)


def read(run):
    return read_run(files_of_folder(run.path))


@pytest.mark.parametrize(
    ("measured", "level", "words"),
    [
        ([("band_gap", 0.2, 0.4, 1.0), ("ehull", 0.1, 0.3, 0.4)], "good",
         ["Good", "both properties", "below those of gradient boosting", "4.0 to 5.0 times"]),
        ([("band_gap", 0.2, 0.4, 1.0), ("ehull", 0.3, 0.1, 0.4)], "warn",
         ["Mixed", "better than gradient boosting in band gap", "worse than it in energy above hull"]),
        ([("band_gap", 0.5, 0.4, 1.0)], "bad", ["Weak", "worse than gradient boosting in band gap"]),
        ([("band_gap", 0.4, 0.405, 1.0)], "warn", ["Fair", "level with gradient boosting in band gap"]),
        ([("band_gap", 1.1, 0.4, 1.0)], "bad", ["Not usable", "band gap is not predicted better"]),
        ([("band_gap", 0.995, 0.4, 1.0), ("ehull", 0.1, 0.3, 0.4)], "warn",
         ["better than gradient boosting in energy above hull", "not usable for band gap"]),
        ([("band_gap", 0.2, None, 1.0)], "warn", ["Better than the median", "5.0 times", "was not fitted"]),
        ([("band_gap", None, None, None)], "", ["Nothing is known"]),
    ],
)  # fmt: skip
def test_the_verdict_follows_from_the_errors(full_run, measured, level, words):
    verdict = judge(read(full_run()), [errors(*one) for one in measured])
    assert verdict.level == level
    for word in words:
        assert word in verdict.sentence


def test_a_difference_within_the_margin_is_level(full_run):
    assert errors("band_gap", 0.50, 0.45, 1.0, margin=0.04).against_boosting == "worse"
    assert errors("band_gap", 0.50, 0.45, 1.0, margin=0.06).against_boosting == "level"
    found = property_errors(read(full_run()))
    part = part_of(("formation_energy", "bulk_modulus"), 60)
    sizes = np.abs(part.predicted - part.reference)[:, 0]
    assert found[0].margin == pytest.approx(1.96 * sizes.std(ddof=1) / 60**0.5)
    assert [bar.percent for bar in found[0].bars()][-1] == 100


def test_what_lessens_the_errors_is_said(full_run):
    run = read(full_run())
    assert cautions(run, property_errors(run)) == []
    few = PropertyErrors(get_property("band_gap"), replace(errors("band_gap", 0.2, 0.4, 1.0).row, count=12), 0.1)
    assert "Fewer than 30 test labels of band gap" in cautions(run, [few])[0]
    foundation = FoundationConfig(name="sevennet-0")
    seen = run.manifest.model_copy(update={"config": run.config.model_copy(update={"foundation": foundation})})
    found = cautions(replace(run, manifest=seen), [])
    assert found
    assert found[0].startswith("formation_energy: not a held-out result")


def test_one_epoch_and_one_crystal_are_no_plurals(full_run):
    run = read(full_run())
    data = run.manifest.data.model_copy(update={"train": 1, "test": 1})
    config = run.config.model_copy(update={"training": run.config.training.model_copy(update={"epochs": 1})})
    manifest = run.manifest.model_copy(update={"data": data, "epochs": 1, "config": config})
    (said,) = judge(replace(run, manifest=manifest), []).details
    assert said.startswith("Trained for 1 epoch on 1 crystal of ")
    assert said.endswith("measured on 1 test crystal outside its training part.")
    failed = replace(run, manifest=manifest.model_copy(update={"status": "failed"}), history=run.history[:1])
    assert judge(failed, []).sentence == "This run failed after 1 of 1 epoch."


def of_probabilities(key, log_loss, baseline, count=60):
    return PropertyMetrics.from_probabilities(
        key, count, log_loss=log_loss, baseline_log_loss=baseline, accuracy=0.9, baseline_accuracy=0.5
    )


def with_binary(run, *results, alone=False):
    """The run with properties that are true or false, beside its others or alone."""
    manifest = run.manifest
    own = tuple(PropertyDefinition(key=one.key, task="binary") for one in results)
    data = manifest.config.data.model_copy(update={"own_properties": own})
    keys = tuple(one.key for one in results) if alone else (*manifest.properties, *(one.key for one in results))
    test = results if alone else (*manifest.test, *results)
    changes = {
        "config": manifest.config.model_copy(update={"data": data}),
        "properties": keys,
        "val": test,
        "test": test,
    }
    return replace(run, manifest=manifest.model_copy(update=changes), test=None, val=None)


def test_each_number_of_a_binary_property_is_called_what_it_is_where_there_are_no_headings(full_run):
    text = report([with_binary(read(full_run()), of_probabilities("metal", 0.25, 0.75))])
    named = dict(re.findall(r'<td class="number" data-name="([^"]*)">([^<]*)</td>', text.partition('id="binary"')[2]))
    assert (named["test log loss"], named["test accuracy"], named["test labels"]) == ("0.25", "0.9", "60")


@pytest.mark.parametrize(
    ("binary", "level", "words"),
    [
        ([("metal", 0.2, 0.6)], "warn", ["Better than the share of true training labels in metal, by log loss."]),
        ([("metal", 0.7, 0.6), ("stable", 0.1, 0.6)], "warn", ["in stable, by log loss", "Not usable for metal"]),
        ([("metal", 0.7, 0.6)], "bad", ["Not usable for metal"]),
        ([("metal", 0.7, None)], "", ["Nothing to compare metal with"]),
    ],
)
def test_what_is_true_or_false_is_judged_by_its_log_loss(full_run, binary, level, words):
    measured = [of_probabilities(*one) for one in binary]
    alone = with_binary(read(full_run()), *measured, alone=True)
    verdict = judge(alone, property_errors(alone))
    assert verdict.level == level
    both = with_binary(read(full_run(name="run_20261124T093001Z_5f1c2a")), *measured)
    beside = judge(both, property_errors(both))
    assert beside.level == ("warn" if level == "bad" else "good")
    for word in words:
        assert word in verdict.sentence
        assert word in beside.sentence
    few = with_binary(read(full_run(name="run_20261124T093002Z_6f1c2a")), of_probabilities("metal", 0.2, 0.6, count=3))
    assert "Fewer than 30 test labels of metal" in " ".join(cautions(few, property_errors(few)))


def test_a_run_of_one_epoch_was_not_still_improving(full_run):
    sentences = judge(read(full_run(epochs=1, best_epoch=1)), []).details
    assert "Trained for 1 epoch on" in sentences[0]
    assert len(sentences) == 1


def test_an_unfinished_run_gets_no_praise(full_run):
    run = full_run()
    run.manifest.unlink()
    verdict = judge(read(run), [])
    assert verdict.level == ""
    assert "after 4 of 3 epochs" in verdict.sentence


def test_the_sample_of_points_depends_on_ids_alone_and_has_the_largest_errors():
    part = part_of(KEYS, 2000)
    order = np.random.default_rng(5).permutation(2000)
    other = type(part)(part.properties, [part.ids[k] for k in order], [part.formulas[k] for k in order],
                       part.reference[order], part.predicted[order])  # fmt: skip
    one, two = part_points(part, 200), part_points(other, 200)

    def names(found, key):
        return {found["crystals"]["id"][row] for row in found["properties"][key]["row"]}

    for k, key in enumerate(KEYS):
        assert names(one, key) == names(two, key)
        assert one["properties"][key]["of"] == 2000
        worst = np.argsort(-np.abs(part.predicted - part.reference)[:, k])[:ALWAYS]
        assert {part.ids[row] for row in worst} <= names(one, key)
        assert 200 <= len(names(one, key)) <= 200 + ALWAYS
    assert sampled(one)
    assert not sampled(part_points(part, 2000))


def test_a_point_without_a_label_is_not_drawn():
    part = part_of(KEYS, 10)
    part.reference[3, 0] = np.nan
    found = part_points(part, 100)["properties"]["formation_energy"]
    assert found["of"] == 9
    assert 3 not in found["row"]


def test_groups_are_means_of_the_right_crystals():
    part = part_of(KEYS, 200)
    part.reference[::7, 1] = np.nan
    crystals = crystals_of(part)
    found = error_groups(part, crystals, dict.fromkeys(KEYS, 2.0))
    sizes = np.abs(part.predicted - part.reference)
    oxides = np.array(["O" in formula for formula in part.formulas])
    mae, count = found["band_gap"]["elements"]["O"]
    assert count == np.isfinite(sizes[oxides, 1]).sum()
    assert mae == pytest.approx(np.nanmean(sizes[oxides, 1]), rel=1e-3)
    cubic = {name: rest for name, *rest in found["formation_energy"]["system"]}["cubic"]
    inside = np.array(crystals.space_groups) == 225
    assert cubic == [pytest.approx(sizes[inside, 0].mean(), rel=1e-3), inside.sum()]
    for group in ("atoms", "distance", "seen"):
        assert sum(count for *_, count in found["formation_energy"][group]) == 200
    assert found[ALL]["elements"]["Si"][0] == pytest.approx(np.nanmean(sizes[3::4] / 2, axis=1).mean(), rel=1e-3)
    assert sum(found["bulk_modulus"]["distribution"]["counts"]) == sum(found[ALL]["distribution"]["counts"]) == 200
    assert min(found["bulk_modulus"]["distribution"]["centers"]) < 0 < min(found[ALL]["distribution"]["centers"])


def test_groups_of_a_run_that_recorded_no_crystals_are_its_elements():
    found = error_groups(part_of(KEYS, 20), None, {})
    assert set(found["band_gap"]) == {"elements", "distribution"}


def test_the_worst_come_first_with_their_structures():
    part = part_of(KEYS, 100)
    crystals = crystals_of(part, structures=100)
    found = worst_predictions(part, crystals, dict.fromkeys(KEYS, 2.0))
    structures = drawn_structures(found, crystals)
    assert len(found) == 60
    assert [one["times"] for one in found] == sorted((one["times"] for one in found), reverse=True)
    sizes = np.abs(part.predicted - part.reference)
    assert found[0]["times"] == pytest.approx(sizes.max() / 2, rel=1e-2)
    assert all(structures[one["structure"]]["id"] == one["id"] for one in found)
    assert structures[0]["symbols"] == ["Na", "Cl"]


@pytest.mark.parametrize("name", ["a" * 300, "line\u2028", "=1+1 "])
def test_crystals_whose_ids_are_written_alike_have_structures_of_their_own(name):
    part = part_of(KEYS, 12, ids=[f"{name}{k:02}" for k in range(12)])
    crystals = crystals_of(part, structures=12)
    own = [
        one.model_copy(update={"positions": ((float(k), 0.0, 0.0), (2.0, 2.0, 2.0))})
        for k, one in enumerate(crystals.structures)
    ]
    text = io.StringIO()
    write_csv(text, [["id"], *([each] for each in part.ids)])
    part.ids[:] = [row[0] for row in read_csv(io.StringIO(text.getvalue()))][1:]
    found = worst_predictions(part, crystals, dict.fromkeys(KEYS, 2.0))
    rows = [part.ids.index(one["name"]) for one in found]
    structures = drawn_structures(found, crystals.model_copy(update={"structures": tuple(own)}))
    assert [structures[one["structure"]]["positions"][0][0] for one in found] == rows
    assert not any("name" in one for one in found)


def test_the_periodic_table_has_every_element_once():
    assert periodic_table.SYMBOLS == SYMBOLS
    assert all(periodic_table.NUMBERS[symbol] == ATOMIC_NUMBERS[symbol] for symbol in SYMBOLS)


@pytest.mark.parametrize(
    ("group", "system"),
    [(0, "unknown"), (1, "triclinic"), (15, "monoclinic"), (62, "orthorhombic"), (139, "tetragonal"),
     (166, "trigonal"), (194, "hexagonal"), (195, "cubic"), (230, "cubic")],
)  # fmt: skip
def test_crystal_systems(group, system):
    assert crystal_system(group) == system


def test_settings_have_origins_and_differences(full_run, tmp_path):
    one = full_run()
    config = read(one).config
    other = full_run(
        name="run_20261124T093100Z_5f1c2a", config=config.model_copy(update={"seed": 7}), output=tmp_path / "others"
    )
    rows = {row.path: row for row in setting_rows([read(one), read(other)])}
    assert [path for path, row in rows.items() if row.differs] == ["seed"]
    assert rows["seed"].values[1] == "7"
    assert rows["training.epochs"].origins[0] == "--epochs"
    assert rows["data.graph.cutoff"].is_default


def test_attempts_lie_one_after_the_other():
    start = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    hour = timedelta(hours=1)
    rows = attempt_rows(
        [
            Attempt(start=start, outcome="killed", host="pod-a"),
            Attempt(start=start + hour, end=start + 4 * hour, outcome="finished", resumed_from="epoch 3, step 9"),
        ]
    )
    assert [(row.left, row.width) for row in rows] == [(0.0, 25.0), (25.0, 75.0)]
    assert [row.took for row in rows] == ["", "3 h 0 min"]
    assert [row.resumed_from for row in rows] == ["the first step", "epoch 3, step 9"]
