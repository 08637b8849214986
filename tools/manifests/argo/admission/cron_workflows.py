"""The policy of every CronWorkflow: what it starts is exactly one of ours.

The controller starts it, whom no policy asks: what is wrong here would be run by the clock.
"""

from tools.manifests.admission.people import READS_SECRETS
from tools.manifests.argo.parameters import PARAMETERS
from tools.manifests.cel import cel_literal
from tools.manifests.yaml_text import Manifest

from . import metadata, specification
from .changes import STATUS
from .exempt import asked
from .policies import none_of, validation
from .policies import policy as make_policy

NAME = "phase2-cronworkflows"

FIELDS = (
    "schedules", "timezone", "suspend", "concurrencyPolicy", "startingDeadlineSeconds",
    "successfulJobsHistoryLimit", "failedJobsHistoryLimit", "workflowSpec",
)  # fmt: skip
"""Fields that may be set: when, and how many; not ``workflowMetadata``, ``when`` and ``stopStrategy``."""


def policy() -> Manifest:
    """Return the policy."""
    variables = {
        **specification.variables("object.spec.?workflowSpec.orValue({})"),
        **metadata.variables(),
        **STATUS,
        "unknown": f"object.spec.filter(field, !(field in {cel_literal(list(FIELDS))}))",
        "texts": "object.spec.?schedules.orValue([]) + [object.spec.?timezone.orValue('')]",
        "tagged": "variables.texts.filter(text, text.contains('{{'))",
    }
    validations = [
        none_of(
            "statusChanges", "the status of a CronWorkflow is written by the controller of Argo alone: leave out {}"
        ),
        none_of(
            "unknown",
            "a CronWorkflow says when it starts a Workflow of phase2, and nothing else, since the controller starts "
            f"it without being asked: leave out {{}}. What it may set: {', '.join(FIELDS)}",
        ),
        none_of("tagged", "a schedule has no double braces: {}"),
        *specification.rules(tuple(PARAMETERS)),
        specification.switches("variables.spec"),
        validation(
            f"variables.spec.?workflowTemplateRef.?name.orValue('') in {cel_literal(list(specification.FOR_PEOPLE))}"
            f" || {READS_SECRETS}",
            f"{' and '.join(specification.BY_THE_CLOCK)} are scheduled by the administrator: one removes runs, "
            "whosever they are, the other writes the page that everybody opens",
        ),
        *metadata.rules(),
    ]
    return make_policy(
        NAME,
        ["cronworkflows", "cronworkflows/*"],
        conditions=asked(),
        variables=variables,
        validations=validations,
    )
