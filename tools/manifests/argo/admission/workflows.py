"""The policy of every Workflow: exactly one of ours, whose status is Argo's and whose request does not change.

What Argo's command line writes with a person's rights (``workflow/util/util.go`` of the tested version): ``stop`` and
``terminate`` patch ``spec.shutdown``; ``suspend`` and ``resume`` update ``spec.suspend``; through a server, each adds
labels of the actor. ``resume`` also ends nodes of templates that suspend, which ours have none of. ``retry`` writes a
status with nodes left out or reset: whoever may do that may also write outputs of steps, which become fields of pods.
"""

from tools.manifests.yaml_text import Manifest

from . import metadata, specification, stored_templates
from .changes import STATUS, changed_keys
from .exempt import asked
from .policies import none_of, on_creation
from .policies import policy as make_policy

NAME = "phase2-workflows"


def policy() -> Manifest:
    """Return the policy."""
    changes = changed_keys("object.spec", "oldObject.spec")
    # Argo's command line writes the arguments also where there are none.
    same = "key == 'arguments' && object.spec.?arguments.orValue({}) == oldObject.spec.?arguments.orValue({})"
    variables = {
        **specification.variables("object.spec"),
        **metadata.variables(),
        **STATUS,
        # A new one has none but what argo submit copies.
        "statusRefused": "variables.statusChanges.filter(key, request.operation == 'UPDATE'"
        " || key != 'storedTemplates')",
        **stored_templates.variables("variables.spec.?workflowTemplateRef.?name.orValue('')"),
        "rewritten": f"request.operation == 'CREATE' ? [] : ({changes})"
        f".filter(key, !(key in ['shutdown', 'suspend'] || {same}))",
    }
    validations = [
        none_of(
            "statusRefused",
            "the status of a Workflow is written by the controller of Argo alone, since it holds the templates and "
            "outputs that pods are made of: {}. To run a Workflow again, use argo resubmit, or submit it with "
            "-p resume=RUN; argo retry needs an administrator",
        ),
        none_of(
            "rewritten",
            "a Workflow keeps what it was submitted with, and only shutdown and suspend may change: not {}. "
            "Submit another one",
        ),
        # What it was submitted with stays: whoever stops a Workflow of an administrator is not asked about it.
        *(on_creation(rule) for rule in specification.rules(specification.FOR_PEOPLE)),
        specification.switches("object.spec"),
        *stored_templates.rules(),
        *metadata.rules(),
    ]
    return make_policy(
        NAME,
        ["workflows", "workflows/*"],
        conditions=asked(),
        variables=variables,
        validations=validations,
    )
