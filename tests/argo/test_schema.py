"""Every manifest has only fields that Argo knows, and values of the right kind."""

import re

import pytest
import yaml
from hera.workflows import models
from pydantic import BaseModel

from .manifests import ARGO, DOCUMENTS, FILES, of_kind

MODELS: dict[str, type[BaseModel]] = {
    "Workflow": models.Workflow,
    "WorkflowTemplate": models.WorkflowTemplate,
    "CronWorkflow": models.CronWorkflow,
}
WORKFLOWS = {
    f"{path.relative_to(ARGO)}": document for path, document in DOCUMENTS if document["kind"] in MODELS
}  # fmt: skip


def strictly_valid(document):
    return MODELS[document["kind"]].model_validate(document, extra="forbid")


@pytest.mark.parametrize("name", WORKFLOWS)
def test_nothing_is_unknown_to_argo(name):
    strictly_valid(WORKFLOWS[name])


def test_the_check_finds_a_misspelt_field_at_any_depth():
    wrong = yaml.safe_load(yaml.safe_dump(WORKFLOWS["templates/phase2-train.yaml"]))
    wrong["spec"]["templateDefaults"]["container"]["securityContext"]["readOnlyRootFileSystem"] = True
    with pytest.raises(ValueError, match="readOnlyRootFileSystem"):
        strictly_valid(wrong)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ARGO)))
def test_no_file_has_anchors_which_make_argo_skip_it(path):
    events = yaml.parse(path.read_text())
    assert not [event for event in events if getattr(event, "anchor", None)]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_every_value_of_a_parameter_is_a_string(name):
    """kubectl refuses ``true`` and ``12`` as values."""

    def values(content):
        if isinstance(content, list):
            for item in content:
                yield from values(item)
        elif isinstance(content, dict):
            for key, item in content.items():
                if key == "parameters":
                    yield from (one["value"] for one in item if "value" in one)
                    yield from (choice for one in item for choice in one.get("enum", []))
                yield from values(item)

    assert [value for value in values(WORKFLOWS[name]) if not isinstance(value, str)] == []


@pytest.mark.parametrize("template", of_kind("WorkflowTemplate").values(), ids=lambda one: one["metadata"]["name"])
def test_what_argo_takes_badly_is_not_there(template):
    """Each of these was found on a real controller to hang, to be ignored or to break retries."""
    spec = template["spec"]
    assert "podDisruptionBudget" not in spec, "it would hold up the drain of a node for as long as the workflow lasts"
    assert spec["templateDefaults"]["container"]["command"] == ["phase2"]
    for one in spec["templates"]:
        assert "dag" not in one
        assert "activeDeadlineSeconds" not in one or "retryStrategy" not in one, "it ends as 143, which is retried"
        assert "maxDuration" not in one.get("retryStrategy", {}).get("backoff", {})
        assert "synchronization" not in one, "quota and Kueue count GPUs, a semaphore pods"
        assert "{{" not in str(one.get("container", {}).get("resources", ""))


def test_nothing_secret_is_written_anywhere():
    for path, document in DOCUMENTS:
        if document["kind"] == "Secret":
            assert not document.get("data"), path
            assert not document.get("stringData"), path
    assert not re.search(r"(secretkey|password|token): *[A-Za-z0-9+/]{12,}", "".join(f.read_text() for f in FILES))
