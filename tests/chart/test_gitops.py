"""The examples for Argo CD and Flux: their fields exist, and their values are taken by the chart."""

import json

import pytest
import yaml
from tests.cluster.support.definitions import complaints, read_definitions

from phase2 import __version__

from .rendering import CHART, PROJECT

EXAMPLES = PROJECT / "docs" / "examples" / "gitops"
DEFINITIONS = read_definitions(PROJECT / "tests" / "chart" / "crds")
OBJECTS = [one for path in sorted(EXAMPLES.glob("*.yaml")) for one in yaml.safe_load_all(path.read_text())]


def values(one):
    """The chart's values in an example, or None."""
    spec = one["spec"]
    return spec["source"]["helm"]["valuesObject"] if one["kind"] == "Application" else spec.get("values")


def by_kind(kind):
    (found,) = [one for one in OBJECTS if one["kind"] == kind]
    return found


@pytest.mark.parametrize("one", OBJECTS, ids=[one["kind"] for one in OBJECTS])
def test_fields_are_those_of_the_kind(one):
    assert complaints(one, DEFINITIONS) == []


def test_a_misspelt_field_is_found():
    wrong = json.loads(json.dumps(by_kind("HelmRelease")))
    wrong["spec"]["chartRef"]["nmae"] = "x"
    assert any("nmae" in one for one in complaints(wrong, DEFINITIONS))
    wrong = json.loads(json.dumps(by_kind("Application")))
    wrong["spec"]["source"]["helm"]["skipTest"] = True
    assert any("skipTest" in one for one in complaints(wrong, DEFINITIONS))


@pytest.mark.parametrize("kind", ["Application", "HelmRelease"])
def test_the_chart_takes_their_values(helm, tmp_path, kind):
    path = tmp_path / "values.yaml"
    path.write_text(yaml.safe_dump(values(by_kind(kind))))
    made = helm("template", "phase2", CHART, "--namespace", "phase2", "--values", path).stdout
    assert "kind: WorkflowTemplate" in made
    assert "s3://my-bucket/runs" in made


def test_they_name_this_version_of_the_chart():
    assert by_kind("Application")["spec"]["source"]["targetRevision"] == __version__
    assert by_kind("OCIRepository")["spec"]["ref"]["tag"] == __version__
    assert by_kind("HelmRelease")["spec"]["chartRef"]["name"] == by_kind("OCIRepository")["metadata"]["name"]


def test_no_example_has_a_secret_in_it():
    assert not any("secretAccessKey" in yaml.safe_dump(one) for one in OBJECTS)
