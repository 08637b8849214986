"""Every object of every profile has only fields that Kubernetes, or Argo, knows: of each version that is said to do."""

import json

import kubernetes_validate
import pytest
import yaml
from tests.argo.test_schema import MODELS, strictly_valid

from .rendering import CHART, PROFILES, named, of_kind

VERSIONS = [f"1.{minor}" for minor in range(31, 38)]
FOREIGN = ("argoproj.io/", "kueue.x-k8s.io/")


def complaints(things, version):
    for one in things:
        if not one["apiVersion"].startswith(FOREIGN):
            try:
                kubernetes_validate.validate(one, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                yield f"{one['kind']} {one['metadata']['name']}: {'.'.join(map(str, error.path))}: {error.message}"


@pytest.fixture(scope="module")
def different(helm):
    """Every object of every profile, once where profiles have the same."""
    found = {}
    for profile in PROFILES:
        for one in helm.objects(profile):
            found[json.dumps(one | {"metadata": {**one["metadata"], "labels": {}}}, sort_keys=True)] = one
    return list(found.values())


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_knows_every_field(different, version):
    assert len(different) > 60
    assert list(complaints(different, version)) == []


def test_the_check_finds_a_misspelt_field(helm):
    things = helm.objects("kind")
    named(things, "CronJob", "phase2-nightly")["spec"]["jobTemplate"]["spec"]["template"]["spec"]["hostNetwrk"] = True
    assert "hostNetwrk" in " ".join(complaints(things, VERSIONS[-1]))


def test_the_oldest_version_is_the_one_of_the_chart():
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["kubeVersion"] == f">={VERSIONS[0]}.0-0"


@pytest.mark.parametrize("name", ["gpu", "existing-s3", "locked-down"])
def test_argo_knows_every_field(helm, name):
    things = of_kind(helm.objects(name), *MODELS)
    assert len(things) >= 6
    for one in things.values():
        strictly_valid(one)


def test_nothing_but_argo_and_kueue_is_checked_by_nobody(objects):
    others = {one["apiVersion"].partition("/")[0] for one in objects if one["apiVersion"].startswith(FOREIGN)}
    assert others <= {"argoproj.io", "kueue.x-k8s.io"}
