"""The page of runs that define properties: titles, units and kinds of errors are those that the runs recorded."""

import json

import pytest
from tests.runs.catalog.test_own_properties import CV, METAL, errors_of

from phase2.runs.page.collect import collect_runs, shown_runs
from phase2.runs.page.view import data_script


@pytest.fixture
def finish_own(finish, manifest):
    """Put a run of two own properties into the models folder: ``finish_own(1, CV, METAL)``."""

    def made(i, *definitions, unit="J/mol/K"):
        data = manifest.config.data.model_copy(update={"own_properties": definitions})
        config = manifest.config.model_copy(update={"data": data, "properties": ("cv", "metal")})
        found = errors_of(3.0, 0.25, unit=unit)
        return finish(i, config=config, properties=("cv", "metal"), val=found, test=found)

    return made


def shown_by(store):
    found = collect_runs(store, {}, present=())
    script = data_script(store.url, shown_runs(store, found.entries), ()).decode()
    content = json.loads(script[script.index("{") : script.rindex("}") + 1])
    runs = [dict(zip(content["fields"], row, strict=True)) for row in content["runs"]]
    return {one["key"]: one for one in content["properties"]}, runs


def test_binary_properties_show_log_losses_and_others_the_unit_of_their_runs(finish, finish_own, store):
    finish(1)
    finish_own(2, CV.model_copy(update={"title": "Heat capacity"}), METAL)
    properties, runs = shown_by(store)
    assert properties["cv"] == {"key": "cv", "title": "Heat capacity", "unit": "J/mol/K", "error": "MAE"}
    assert properties["metal"] == {"key": "metal", "title": "Metal", "unit": "", "error": "log loss"}
    assert properties["band_gap"]["error"] == "MAE"
    (own,) = [run for run in runs if "metal" in run["properties"]]
    assert own["errors"] == {"cv": [3.0, 3.0, 9.0, None], "metal": [0.25, 0.25, 0.69, None]}


def test_units_that_differ_between_runs_are_not_taken_for_one(finish_own, store):
    finish_own(1, CV, METAL)
    finish_own(2, CV, METAL, unit="cal/mol/K")
    assert shown_by(store)[0]["cv"]["unit"] == "in the units of its runs"
