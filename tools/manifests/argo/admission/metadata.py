"""Closed lists of labels, annotations and references of a Workflow or CronWorkflow.

Argo's controller acts on some labels and annotations of its own (``completed``: not looked at any more), and hands all
of them to templates as ``{{workflow.annotations.NAME}}``.
"""

from tools.manifests.cel import cel_literal
from tools.manifests.yaml_text import Manifest

from .changes import changed_keys
from .policies import none_of, validation

_ARGO = "workflows.argoproj.io"
SCHEDULES = ("phase2-nightly", "phase2-clean", "phase2-nightly-page")
"""CronWorkflows of an installation; `argo resubmit` of what one started copies its owner."""

# What Argo's command line, server and UI write when they submit, resubmit, stop or suspend.
_ACTED = ("actor", "actor-email", "actor-preferred-username", "action")
_SUBMITTED = (
    *_ACTED, "creator", "creator-email", "creator-preferred-username", "workflow-template", "submit-from-ui",
    "resubmitted-from-workflow", "cron-workflow", "controller-instanceid",
)  # fmt: skip
_ANNOTATIONS = ("pod-name-format", "last-seen-version", "scheduled-time", "title", "description")
_CANCELLED = "phase2.dev/cancelled"


def variables() -> dict[str, str]:
    """Return what the rules look at, by name."""
    is_new = "request.operation == 'CREATE'"
    labels = f"{is_new} ? {_reserved(_SUBMITTED)} : {_reserved(_ACTED)}"
    annotations = f"{is_new} ? {_reserved(_ANNOTATIONS)} : ['{_CANCELLED}']"
    return {
        "labels": _map("object", "labels"),
        "labelsBefore": f"{is_new} ? {{}} : {_map('oldObject', 'labels')}",
        "labelsAllowed": labels,
        # A label's value has no brace, by the rules of Kubernetes.
        "labelsRefused": _refused("labels"),
        "annotations": _map("object", "annotations"),
        "annotationsBefore": f"{is_new} ? {{}} : {_map('oldObject', 'annotations')}",
        "annotationsAllowed": annotations,
        "annotationsRefused": _refused("annotations"),
        # '}}' alone is what kubectl apply writes into its own annotation, and nothing to Argo.
        "annotationsOfTags": "variables.annotations.filter(key, variables.annotations[key].contains('{{')"
        " && !(key in variables.annotationsBefore && variables.annotationsBefore[key] == variables.annotations[key]))",
        "owners": "object.metadata.?ownerReferences.orValue([])",
        "finalizers": "object.metadata.?finalizers.orValue([])",
    }


def rules() -> list[Manifest]:
    """Return the rules of labels, annotations, owners and finalizers."""
    of_schedules = (
        f"variables.owners.all(o, o.kind == 'CronWorkflow' && o.name in {cel_literal(list(SCHEDULES))})"
        " && size(variables.finalizers) == 0"
    )
    unchanged = (
        "variables.owners == oldObject.metadata.?ownerReferences.orValue([])"
        " && variables.finalizers == oldObject.metadata.?finalizers.orValue([])"
    )
    return [
        none_of("labelsRefused", "labels that Argo or phase2 acts on are theirs to write: leave out {}"),
        none_of("annotationsRefused", "annotations that Argo or phase2 acts on are theirs to write: leave out {}"),
        none_of(
            "annotationsOfTags",
            "Argo would replace what stands in double braces, perhaps by fields of a pod: leave them out of the "
            "annotation {}",
        ),
        validation(
            f"request.operation == 'CREATE' ? {of_schedules} : {unchanged}",
            "owner references and finalizers decide when an object is deleted, and are written by controllers: leave "
            "them out",
        ),
    ]


def _map(place: str, field: str) -> str:
    return f"{place}.metadata.?{field}.orValue({{}})"


def _refused(field: str) -> str:
    """Return the keys of reserved prefixes that a new object has, or that an update changes, and that are not allowed.

    A new object may have what phase2 writes: ``phase2 submit`` writes it with the person's rights.
    """
    changes = changed_keys(f"variables.{field}", f"variables.{field}Before")
    # Not those of Argo CD, which has its own.
    of_argo = " || ".join(f"key.startsWith('{name}/')" for name in (_ARGO, f"cron{_ARGO}"))
    reserved = f"{of_argo} || (request.operation == 'UPDATE' && key.startsWith('phase2.dev/'))"
    return f"({changes}).filter(key, ({reserved}) && !(key in variables.{field}Allowed))"


def _reserved(names: tuple[str, ...]) -> str:
    return cel_literal([f"{_ARGO}/{name}" for name in names])
