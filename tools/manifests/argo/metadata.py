"""Labels of the Workflows themselves, however they are submitted: by their labels ``phase2 status`` knows them.

The controller sets them when it first sees a Workflow, also one of the UI, of ``--from`` or of ``argo resubmit``, whose
copy has the labels of its original.
"""

from hera.workflows import models

from phase2.cluster.labels import ALGORITHM_LABEL, MODE_LABEL, RUN_LABEL
from phase2.config.levels import DEFAULT_LEVEL

from .parameters import ALGORITHM, COMPETITION, LEVEL, PARAMETERS, RESUME, RUN_NAME, Parameter
from .pods import labels

_SHOWN = ("app.kubernetes.io/name", "app.kubernetes.io/component", "app.kubernetes.io/part-of")


def _parameter(one: Parameter) -> str:
    return f"workflow.parameters['{one.name}']"


_GIVEN_NAME, _RESUMED = f"{_parameter(RUN_NAME)} != ''", f"{_parameter(RESUME)} != ''"
_RUN = {
    RUN_LABEL: f"{_GIVEN_NAME} ? {_parameter(RUN_NAME)} : "
    f"{_RESUMED} ? last(split({_parameter(RESUME)}, '/')) : workflow.name",
    # A run that is resumed by its id has its own, which no parameter tells: the first step publishes them as outputs.
    ALGORITHM_LABEL: f"{_RESUMED} ? '' : {_parameter(ALGORITHM)}",
    MODE_LABEL: f"{_parameter(COMPETITION)} == 'true' ? 'competition' : {_parameter(LEVEL)} != '' ? "
    f"{_parameter(LEVEL)} : {_RESUMED} ? '' : '{DEFAULT_LEVEL}'",
}


def workflow_metadata(template: str) -> models.WorkflowMetadata:
    """Return the labels of the Workflows of a template."""
    expressions = dict(_RUN)
    if template != "phase2-train":
        expressions = {MODE_LABEL: f"'{template.removeprefix('phase2-')}'"}
        if ALGORITHM in PARAMETERS[template]:
            expressions[ALGORITHM_LABEL] = _parameter(ALGORITHM)
    return models.WorkflowMetadata(
        labels={name: value for name, value in labels().items() if name in _SHOWN},
        labels_from={name: models.LabelValueFrom(expression=text) for name, text in expressions.items()},
    )
