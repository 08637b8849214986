"""values.yaml, its schema and its page say the same, and nothing is left open."""

import json
import subprocess
import sys

import pytest
import yaml

from phase2 import __version__
from phase2.cluster.request.defaults import ALL, FIELDS
from phase2.config.levels import ALGORITHMS, LEVELS, MODES

from .rendering import CHART, PROJECT

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
MAPS = {
    "serviceAccount.annotations", "network.nameServerLabels", "network.storeLabels", "quota.hard", "pods.nodeSelector",
    "argo.steps.nodeSelector",
    "commonLabels", "commonAnnotations", "monitoring.podLabels", "tracking.podLabels", "monitoring.podMonitor.labels",
    "monitoring.rules.labels", "monitoring.dashboard.labels",
}  # fmt: skip
TABLE = ("runs", "defaults")
DESCRIBED_TOGETHER = {TABLE, ("runs", "communication"), ("runs", "prices")}
"""Closed fields that the description of their whole explains."""
AS_IN_A_POD = {
    "pods.affinity.nodeAffinity", "pods.affinity.podAffinity", "pods.affinity.podAntiAffinity",
    "pods.topologySpreadConstraints.[]",
    "argo.steps.affinity.nodeAffinity", "argo.steps.affinity.podAffinity", "argo.steps.affinity.podAntiAffinity",
}  # fmt: skip


def parts(schema, path=()):
    """Every part of a schema with its place."""
    yield ".".join(path), schema
    if path in DESCRIBED_TOGETHER:
        return
    for key, item in schema.get("properties", {}).items():
        yield from parts(item, (*path, key))
    if "items" in schema:
        yield from parts(schema["items"], (*path, "[]"))


def test_an_unknown_key_is_refused_at_every_depth():
    open_ones = {place for place, one in parts(SCHEMA) if one.get("type") == "object" and not closed(one)}
    assert open_ones == MAPS | AS_IN_A_POD | {"global"}


def test_the_table_of_defaults_has_the_fields_that_the_program_reads():
    (table,) = [one for place, one in parts(SCHEMA) if place == ".".join(TABLE)]
    assert closed(table)
    assert table["properties"].keys() == {ALL, *ALGORITHMS}
    for row in table["properties"].values():
        assert closed(row)
        assert row["properties"].keys() == {ALL, *MODES}
        assert all(closed(one) and one["properties"].keys() == set(FIELDS) for one in row["properties"].values())


def closed(schema):
    return schema.get("additionalProperties") is False


@pytest.mark.parametrize("name", sorted(MAPS))
def test_what_is_named_freely_has_values_of_one_shape(name):
    (one,) = [one for place, one in parts(SCHEMA) if place == name]
    quantities = ["string", "number"] if name == "quota.hard" else "string"
    assert one["additionalProperties"]["type"] == quantities
    assert one["propertyNames"]["pattern"]


def test_every_value_has_a_type_and_says_what_it_is():
    for place, one in parts(SCHEMA):
        assert one.get("type") or one.get("enum"), place
        if one.get("type") != "object" and "[]" not in place:
            assert one["description"].endswith((".", ")")), place


def test_names_are_those_of_the_levels_table():
    enums = {place: one["enum"] for place, one in parts(SCHEMA) if "enum" in one}
    assert enums["nightly.algorithm"] == enums["test.algorithm"] == list(ALGORITHMS)
    assert enums["nightly.level"] == list(LEVELS)


def test_every_value_is_in_the_page():
    page = (CHART / "README.md").read_text()
    for place, one in parts(SCHEMA):
        if (one.get("type") != "object" and "[]" not in place) or place in map(".".join, DESCRIBED_TOGETHER):
            assert f"| `{place}` |" in page


def generated(changed):
    """What generating says when values.yaml were this."""
    program = (
        "import pathlib, sys, tempfile, yaml\n"
        "from tools.manifests.chart.schema import schema; from tools.manifests.chart.values import read_values\n"
        "path = pathlib.Path(tempfile.mkdtemp()) / 'values.yaml'; path.write_text(sys.argv[1])\n"
        "schema(yaml.safe_load(path.read_text()), read_values(path))"
    )
    words = [sys.executable, "-c", program, changed]
    return subprocess.run(words, capture_output=True, text=True, check=False, cwd=PROJECT)


def test_a_value_without_a_comment_or_without_a_rule_is_no_value():
    text = (CHART / "values.yaml").read_text()
    assert generated(text).returncode == 0
    undocumented = text.replace("  # -- Region that requests are signed for.\n", "")
    assert "store.region" in generated(undocumented).stderr
    new = text.replace("store:\n", "store:\n  # -- New.\n  colour: red\n")
    assert "store.colour" in generated(new).stderr
    gone = text.replace("  # -- Region that requests are signed for.\n  region: us-east-1\n", "")
    assert "store.region" in generated(gone).stderr


def test_there_is_one_version():
    about = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert about["version"] == about["appVersion"] == __version__


def test_there_is_no_default_password_outside_the_local_test_profile():
    assert VALUES["store"]["secretAccessKey"] == VALUES["minio"]["secretAccessKey"] == ""
    assert VALUES["store"]["existingSecret"]
    assert VALUES["minio"]["enabled"] is False
    for path in (CHART / "ci").iterdir():
        content = yaml.safe_load(path.read_text())
        assert "secretAccessKey" not in content.get("store", {})
        assert "minio" not in content or path.name == "kind-values.yaml"
