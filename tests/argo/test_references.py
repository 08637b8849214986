"""Everything that a manifest names exists: templates, parameters, outputs, volumes, accounts, maps, commands."""

import re
from typing import Any, cast

import pytest
import typer

from phase2.cli.app import app
from phase2.cluster import plan
from phase2.cluster.request.resources import STORE_SECRET

from .manifests import ARGO, DOCUMENTS, FILES, ROOT, TEMPLATES, container_templates, documents, of_kind, parameters_of
from .rendering import tags

# What the namespace has before Argo's manifests come: k8s/base, and what the administrator makes by hand.
BASE = [one for path in (ROOT / "k8s" / "base").glob("*.yaml") for one in documents(path)]
THERE = {(one["kind"], one["metadata"]["name"]) for one in BASE if "metadata" in one} | {
    ("ConfigMap", plan.CA_CONFIG_MAP),
    ("Secret", STORE_SECRET),
}
OURS = {(document["kind"], document["metadata"].get("name")) for _, document in DOCUMENTS if "metadata" in document}
KNOWN = THERE | OURS

each_template = pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)


def steps_of(one):
    return [step for group in one.get("steps", []) for step in group]


@each_template
def test_templates_and_entrypoints_exist(template):
    spec = template["spec"]
    names = [one["name"] for one in spec["templates"]]
    assert len(set(names)) == len(names)
    assert {spec["entrypoint"], spec["onExit"]} <= set(names)
    called = {step["template"] for one in spec["templates"] for step in steps_of(one)}
    assert called <= set(names)
    assert set(names) == called | {spec["entrypoint"], spec["onExit"]}, "a template that nothing calls"


@each_template
def test_every_tag_names_something(template):
    spec = template["spec"]
    given = {f"workflow.parameters.{name}" for name in parameters_of(template)}
    always = {"workflow.name", "workflow.status", "workflow.failures"}
    used = tags({key: value for key, value in spec.items() if key != "templates"})
    for one in spec["templates"]:
        inputs = {f"inputs.parameters.{item['name']}" for item in one.get("inputs", {}).get("parameters", [])}
        found = tags(one)
        used |= found
        outputs = {
            f"steps.{step['name']}.outputs.parameters.{item['name']}"
            for step in steps_of(one)
            for item in by_name(spec, step["template"]).get("outputs", {}).get("parameters", [])
        }
        attempts = {"retries"} if "retryStrategy" in one else set()
        items = {tag for tag in found if tag == "item" or tag.startswith("item.")} if "steps" in one else set()
        assert found <= given | always | inputs | outputs | items | attempts
    assert given <= used, "a parameter that nothing reads"


@each_template
def test_workflow_failures_are_read_by_the_exit_handler_alone(template):
    spec = template["spec"]
    readers = {one["name"] for one in spec["templates"] if tags(one) & {"workflow.failures", "workflow.status"}}
    assert readers == {spec["onExit"]}


@each_template
def test_steps_give_exactly_the_inputs_that_are_asked_for(template):
    spec = template["spec"]
    for one in spec["templates"]:
        for step in steps_of(one):
            asked = {item["name"] for item in by_name(spec, step["template"]).get("inputs", {}).get("parameters", [])}
            given = {item["name"] for item in step.get("arguments", {}).get("parameters", [])}
            assert given == asked, step["name"]


@each_template
def test_volumes_accounts_maps_and_secrets_exist(template):
    spec = template["spec"]
    volumes = {one["name"] for one in spec["volumes"]}
    container = spec["templateDefaults"]["container"]
    own = [
        mount for one in container_templates(template).values() for mount in one["container"].get("volumeMounts", [])
    ]
    assert {mount["name"] for mount in [*container["volumeMounts"], *own]} | {"cache"} == volumes
    named = {
        ("ServiceAccount", spec["serviceAccountName"]),
        ("ServiceAccount", spec["executor"]["serviceAccountName"]),
        ("Secret", f"{spec['executor']['serviceAccountName']}.service-account-token"),
        ("ConfigMap", spec["artifactRepositoryRef"]["configMap"]),
        *(("ConfigMap", one["configMap"]["name"]) for one in spec["volumes"] if "configMap" in one),
        *(
            ("PersistentVolumeClaim", one["persistentVolumeClaim"]["claimName"])
            for one in spec["volumes"]
            if "persistentVolumeClaim" in one
        ),
        *(("ConfigMap", one["configMapRef"]["name"]) for one in container["envFrom"] if "configMapRef" in one),
        *(("Secret", one["secretRef"]["name"]) for one in container["envFrom"] if "secretRef" in one),
    }
    assert named <= KNOWN
    assert spec["artifactRepositoryRef"]["key"] in of_kind("ConfigMap")["phase2-artifacts"]["data"]


@each_template
def test_files_of_outputs_lie_in_a_volume(template):
    mounts = [mount["mountPath"] for mount in template["spec"]["templateDefaults"]["container"]["volumeMounts"]]
    for one in container_templates(template).values():
        outputs = one.get("outputs", {})
        paths = [item["path"] for item in outputs.get("artifacts", [])]
        paths += [item["valueFrom"]["path"] for item in outputs.get("parameters", [])]
        for path in paths:
            assert any(path.startswith(f"{mount}/") for mount in mounts), path
        keys = [item["s3"]["key"] for item in outputs.get("artifacts", [])]
        assert all("{{workflow.name}}" in key for key in keys), "a workflow would overwrite what another one left"


@each_template
def test_every_container_runs_a_command_that_exists(template):
    root = typer.main.get_command(app)
    for name, one in container_templates(template).items():
        words, command = list(one["container"]["args"]), cast("Any", root)
        while hasattr(command, "commands"):
            if command.invoke_without_command and words[0].startswith("--"):
                break  # a command of its own, with further ones below
            assert words[0] in command.commands, f"{name}: {words}"
            command = command.commands[words.pop(0)]
        options = {option: parameter for parameter in command.params for option in parameter.opts}
        for word in words:
            assert not word.startswith("--") or word in options, f"{name}: {word}"


@pytest.mark.parametrize("name", [*of_kind("Workflow"), *of_kind("CronWorkflow")])
def test_what_is_submitted_names_a_template_and_its_parameters(name):
    document = of_kind("Workflow", "CronWorkflow")[name]
    spec = document["spec"].get("workflowSpec", document["spec"])
    template = TEMPLATES[spec["workflowTemplateRef"]["name"]]
    given = {one["name"]: one["value"] for one in spec.get("arguments", {}).get("parameters", [])}
    assert given.keys() <= parameters_of(template).keys()
    if document["kind"] == "Workflow":
        assert not given, "a Workflow would override the defaults of its template"
        assert "namespace" not in document["metadata"], "it goes where the user says"


def test_kustomization_lists_every_file():
    (kustomization,) = (document for _, document in DOCUMENTS if document["kind"] == "Kustomization")
    there = {str(path.relative_to(ARGO)) for path in FILES if path.parent != ARGO}
    assert set(kustomization["resources"]) == there


def test_the_executor_may_do_nothing_but_report():
    role = of_kind("Role")["phase2-executor"]
    assert role["rules"] == [
        {"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]}
    ]
    binding = of_kind("RoleBinding")["phase2-executor"]
    assert binding["roleRef"]["name"] == "phase2-executor"
    assert [one["name"] for one in binding["subjects"]] == ["phase2-executor"]


def test_network_policies_find_the_pods_and_quotas_find_their_requests():
    """k8s/base closes the namespace: what it opens for training pods, it opens by these labels."""
    (store,) = (one for one in BASE if one["kind"] == "NetworkPolicy" and one["metadata"]["name"] == "phase2-store")
    wanted = store["spec"]["podSelector"]["matchLabels"]
    for template in TEMPLATES.values():
        assert wanted.items() <= template["spec"]["podMetadata"]["labels"].items()
    people = {subject["name"] for one in BASE if one["kind"] == "RoleBinding" for subject in one["subjects"]}
    assert {one["name"] for one in of_kind("RoleBinding")["phase2-workflow-submitter"]["subjects"]} <= people


def test_every_command_line_of_the_files_names_an_existing_file():
    for path in FILES:
        for found in re.findall(r"argo submit (\S+)", path.read_text()):
            assert (ARGO.parent / found).is_file(), path


def by_name(spec, name):
    return next(one for one in spec["templates"] if one["name"] == name)
