"""Whether errors of runs compare: on the same crystals they do, whatever else the runs learn."""

import pytest

from phase2.runs.catalog.same_data import on_same_data


@pytest.fixture
def alone(manifest, data):
    """A run of one property on the crystals of ``manifest``: its data have another fingerprint for that alone."""
    facts = data.model_copy(update={"fingerprint": "99" * 32})
    return manifest.model_copy(
        update={"run_id": "alone", "properties": manifest.properties[:1], "val": manifest.val[:1], "data": facts}
    )


def test_runs_of_other_properties_are_on_the_same_data(manifest, alone):
    assert on_same_data([manifest])
    assert on_same_data([manifest, alone])


def test_other_crystals_another_split_and_other_labels_are_other_data(manifest, alone):
    def altered(**data):
        return alone.model_copy(update={"data": alone.data.model_copy(update=data)})

    divided = alone.config.model_copy(update={"data": alone.config.data.model_copy(update={"split_seed": 7})})
    (errors,) = alone.val
    assert not on_same_data([manifest, altered(read=alone.data.read + 1)])
    assert not on_same_data([manifest, alone.model_copy(update={"config": divided})])
    assert not on_same_data([manifest, alone.model_copy(update={"val": (errors.model_copy(update={"count": 9}),)})])
    assert not on_same_data([manifest, alone.model_copy(update={"data": None})])


def test_crystals_without_twins_of_other_labels_are_other_data(manifest, alone):
    def without_twins(run, parts):
        data = run.config.data.model_copy(update={"drop_twins": True, "max_samples": None})
        facts = run.data.model_copy(update={"split_fingerprint": parts})
        return run.model_copy(update={"config": run.config.model_copy(update={"data": data}), "data": facts})

    together = without_twins(manifest, "11" * 32)
    assert on_same_data([together, without_twins(alone, "11" * 32)])
    assert not on_same_data([together, without_twins(alone, "22" * 32)])  # as many labels, of other crystals
