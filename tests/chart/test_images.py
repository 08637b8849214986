"""Where images come from: registry, repository, secrets of the registry and when a node pulls them."""

import pytest

from .rendering import named, of_kind, pod_specs

PULL = ("--set", "image.pullSecrets={one,two}", "--set", "image.pullPolicy=Always")
SECRETS = [{"name": "one"}, {"name": "two"}]


def images(things):
    return {one["image"] for spec in pod_specs(things).values() for one in spec["containers"]}


def test_the_registry_goes_before_the_repository(helm):
    words = ["--set", "image.repository=science/phase2", "--set", "image.tag=v1"]
    here = [*words, "--set", "image.registry=registry.example.com:5000"]
    assert images(helm.objects("default", *here)) == {"registry.example.com:5000/science/phase2:v1"}
    policy = named(helm.objects("default", *here), "ValidatingAdmissionPolicy", "phase2-jobs")
    assert policy["spec"]["variables"][0]["expression"] == "['registry.example.com:5000/science/phase2']"
    above = [*here, "--set", "global.imageRegistry=mirror.example.com"]
    assert images(helm.objects("default", *above)) == {"mirror.example.com/science/phase2:v1"}
    local = images(helm.objects("kind", *above))
    assert all(one.startswith("mirror.example.com/") for one in local)
    assert any(one.startswith("mirror.example.com/minio/minio") for one in local)


def test_approved_images_have_the_registry_too(helm):
    words = ["--set", "image.registry=registry.example.com", "--set", "image.repository=phase2"]
    assert "(registry.example.com/phase2)" in helm.refusal(*words, "--set", "admission.images={phase2}")
    assert helm.objects("default", *words, "--set", "admission.images={registry.example.com/phase2}")


def test_every_pod_gets_the_secrets_and_the_policy(helm, profile):
    things = helm.objects(profile, *PULL)
    assert named(things, "ServiceAccount", "phase2-runner")["imagePullSecrets"] == SECRETS
    for name, spec in pod_specs(things).items():
        assert spec["imagePullSecrets"] == SECRETS, name
        ours = [one for one in (*spec.get("initContainers", []), *spec["containers"]) if one["name"] != "minio"]
        assert {one["imagePullPolicy"] for one in ours} == {"Always"} or not ours, name
    for name, one in of_kind(things, "WorkflowTemplate").items():
        assert one["spec"]["imagePullSecrets"] == SECRETS, name
        assert one["spec"]["templateDefaults"]["container"]["imagePullPolicy"] == "Always", name


@pytest.mark.parametrize("profile", ["existing-s3", "no-argo", "gpu"])
def test_the_secret_of_the_store_has_any_name(helm, profile):
    things = helm.objects(profile, "--set", "store.existingSecret=bucket-keys")
    sources = [one["envFrom"] for spec in pod_specs(things).values() for one in spec["containers"] if "envFrom" in one]
    templates = of_kind(things, "WorkflowTemplate").values()
    sources += [one["spec"]["templateDefaults"]["container"]["envFrom"] for one in templates]
    assert sources
    for source in sources:
        assert {"secretRef": {"name": "bucket-keys"}} in source
        assert {"secretRef": {"name": "phase2-s3"}} not in source
    if templates:
        repository = named(things, "ConfigMap", "phase2-artifacts")["data"]["phase2"]
        assert repository.count("name: bucket-keys") == 2
    assert "phase2-s3" not in of_kind(things, "Secret")
