"""Which run an object executes: its id, algorithm and mode, from whatever the object records of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from phase2.cluster.labels import ALGORITHM_LABEL, COMMAND_ANNOTATION, MODE_LABEL, RUN_LABEL
from phase2.cluster.manifests.workflow import TEMPLATE, given_parameters
from phase2.cluster.objects import Object, annotation, name_of
from phase2.config.levels import DEFAULT_LEVEL

# Argo copies all labels of a Workflow to one that is resubmitted from it, and adds this one.
RESUBMITTED_LABEL = "workflows.argoproj.io/resubmitted-from-workflow"
_TEMPLATE_PREFIX = "phase2-"


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """Run that an object executes.

    Attributes:
        run_id: Id of the run; where ``is_given``, what the user wrote for it, which may be a prefix.
        algorithm: ``e3nn`` or ``cgcnn``; None while the object does not record it.
        mode: The level, ``competition``, or another task such as ``sweep``; None while it is not recorded.
        command: Command line of the same request; "" if it is not recorded.
        is_given: Whether the id is the parameter ``resume`` of a Workflow that has not found its run yet.
    """

    run_id: str
    algorithm: str | None
    mode: str | None
    command: str = ""
    is_given: bool = False


def job_identity(job: Object) -> RunIdentity:
    """Read the labels of a Job."""
    labels = job["metadata"].get("labels") or {}
    return RunIdentity(
        run_id=str(labels.get(RUN_LABEL) or name_of(job)),
        algorithm=labels.get(ALGORITHM_LABEL) or None,
        mode=labels.get(MODE_LABEL) or None,
        command=annotation(job, COMMAND_ANNOTATION) or "",
    )


def workflow_identity(workflow: Object) -> RunIdentity:
    """Read the outputs, parameters and labels of a Workflow, whoever created it.

    Outputs are what the step ``validate`` found. Parameters come before labels, which ``argo resubmit`` copies. A
    Workflow that resumes a run by ``resume=RUN`` has the algorithm and level of that run, not those of its parameters.
    """
    outputs, given, labels = _outputs(workflow), given_parameters(workflow), _own_labels(workflow)
    resumed = None if "run-name" in given else _last_part(given.get("resume"))
    run_id = given.get("run-name") or outputs.get("run-id") or resumed or labels.get(RUN_LABEL) or name_of(workflow)
    template = template_of(workflow) or TEMPLATE
    mode = outputs.get("mode")
    algorithm = outputs.get("algorithm")
    if template != TEMPLATE:  # a sweep, an ensemble, predictions
        mode = mode or template.removeprefix(_TEMPLATE_PREFIX)
    if resumed is None:
        defaults = _template_defaults(workflow)
        is_competition = given.get("competition") == "true"
        mode = mode or ("competition" if is_competition else given.get("level")) or labels.get(MODE_LABEL)
        mode = mode or defaults.get("level") or DEFAULT_LEVEL
        algorithm = algorithm or given.get("algorithm") or labels.get(ALGORITHM_LABEL) or defaults.get("algorithm")
    return RunIdentity(
        run_id=str(run_id),
        algorithm=algorithm,
        mode=mode,
        command="" if _is_copy(workflow) else annotation(workflow, COMMAND_ANNOTATION) or "",
        is_given=resumed is not None and "run-id" not in outputs,
    )


def template_of(workflow: Object) -> str | None:
    """Return the name of the WorkflowTemplate that a Workflow refers to; None if it has steps of its own."""
    name = ((workflow.get("spec") or {}).get("workflowTemplateRef") or {}).get("name")
    return None if name is None else str(name)


def shared_identities(identities: Sequence[RunIdentity]) -> list[RunIdentity]:
    """Complete the identities of several objects of a namespace by what the others of the same run record.

    Args:
        identities: Identities of the objects, the newest first.
    """
    exact = {one.run_id for one in identities if not one.is_given}
    named = [replace(one, run_id=_full_id(one, exact)) for one in identities]
    return [_completed(one, [other for other in named if other.run_id == one.run_id]) for one in named]


def _last_part(path: str | None) -> str | None:
    return None if path is None else path.rstrip("/").rpartition("/")[2]


def _full_id(one: RunIdentity, exact: Iterable[str]) -> str:
    """Return the id that a given prefix stands for, if exactly one run begins with it."""
    if not one.is_given or one.run_id in exact:
        return one.run_id
    # What is given may be a prefix of the id, or the name of the run's directory, which ends in the id.
    found = [run_id for run_id in exact if run_id.startswith(one.run_id) or one.run_id.endswith(f"_{run_id}")]
    return found[0] if len(found) == 1 else one.run_id


def _completed(one: RunIdentity, same_run: Sequence[RunIdentity]) -> RunIdentity:
    def first(*values: str | None) -> str | None:
        return next((value for value in values if value), None)

    return replace(
        one,
        algorithm=first(one.algorithm, *(other.algorithm for other in same_run)),
        mode=first(one.mode, *(other.mode for other in same_run)),
        command=first(one.command, *(other.command for other in same_run)) or "",
    )


def _own_labels(workflow: Object) -> dict[str, str]:
    """Return the labels; none of a resubmitted Workflow whose labels Argo's controller has not set again."""
    started = (workflow.get("status") or {}).get("phase")
    return {} if _is_copy(workflow) and not started else dict(workflow["metadata"].get("labels") or {})


def _is_copy(workflow: Object) -> bool:
    return RESUBMITTED_LABEL in (workflow["metadata"].get("labels") or {})


def _outputs(workflow: Object) -> dict[str, str]:
    found = ((workflow.get("status") or {}).get("outputs") or {}).get("parameters") or []
    return {str(each["name"]): str(each["value"]) for each in found if each.get("value")}


def _template_defaults(workflow: Object) -> dict[str, str]:
    """Return the default parameters of the template, which Argo stores when it starts the Workflow."""
    return given_parameters({"spec": (workflow.get("status") or {}).get("storedWorkflowTemplateSpec") or {}})
