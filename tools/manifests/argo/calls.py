"""How the steps of a workflow follow each other, and what one passes to the next."""

from collections.abc import Mapping

from hera.workflows import models


def sequence(
    *steps: models.WorkflowStep, parallelism: int | None = None, outputs: models.Outputs | None = None
) -> models.Template:
    """Return the entry point of a workflow: its steps, one after the other.

    Args:
        steps: The steps; one that has ``with_param`` runs once per item, at the same time.
        parallelism: Pods of the workflow that run at once.
        outputs: Outputs of the workflow.
    """
    groups = [models.ParallelSteps(root=[one]) for one in steps]
    return models.Template(name="main", parallelism=parallelism, steps=groups, outputs=outputs)


def call(name: str, parameters: Mapping[str, str] | None = None, *, when: str | None = None) -> models.WorkflowStep:
    """Return the step that runs the template of its name once.

    Args:
        name: The template.
        parameters: Inputs of the template by name.
        when: Condition without which the step is skipped.
    """
    return models.WorkflowStep(name=name, template=name, when=when, arguments=_arguments(parameters or {}))


def call_each(
    name: str, items: str, parameters: Mapping[str, str], *, accept_failures: bool = False
) -> models.WorkflowStep:
    """Return the step that runs the template of its name for each item of a JSON list.

    Args:
        name: The template.
        items: Tag of the list.
        parameters: Inputs of the template by name.
        accept_failures: Whether the workflow continues without the items that fail.
    """
    return models.WorkflowStep(
        name=name,
        template=name,
        with_param=items,
        continue_on=models.ContinueOn(failed=True, error=True) if accept_failures else None,
        arguments=_arguments(parameters),
    )


def call_times(
    name: str,
    count: str,
    parameters: Mapping[str, str],
    *,
    start: int | None = None,
    accept_failures: bool = False,
) -> models.WorkflowStep:
    """Return the step that runs the template of its name a number of times, at the same time.

    Args:
        name: The template.
        count: Tag of the number.
        parameters: Inputs of the template by name.
        start: First value of the item; None is 0.
        accept_failures: Whether the workflow continues without those that fail.
    """
    return models.WorkflowStep(
        name=name,
        template=name,
        with_sequence=models.Sequence(count=count, start=None if start is None else str(start)),
        continue_on=models.ContinueOn(failed=True, error=True) if accept_failures else None,
        arguments=_arguments(parameters),
    )


def result(step: str, name: str) -> str:
    """Return the tag of an output of another step."""
    return f"{{{{steps.{step}.outputs.parameters.{name}}}}}"


def item(*names: str) -> dict[str, str]:
    """Return the fields of the current item, each as the input of its name."""
    return {name: f"{{{{item.{name}}}}}" for name in names}


def workflow_outputs(step: str, *names: str) -> models.Outputs:
    """Return outputs of a step as those of the whole workflow: without a global name only the node has them."""
    parameters = [
        models.Parameter(name=name, global_name=name, value_from=models.ValueFrom(parameter=result(step, name)))
        for name in names
    ]
    return models.Outputs(parameters=parameters)


def _arguments(parameters: Mapping[str, str]) -> models.Arguments | None:
    given = [models.Parameter(name=name, value=value) for name, value in parameters.items()]
    return models.Arguments(parameters=given) if given else None
