"""What uses the WorkflowTemplates: Workflows for ``argo submit``, and CronWorkflows."""

from hera.workflows import models

from .parameters import PARAMETERS
from .pods import NAMESPACE, labels


def workflow(template: str, generate_name: str) -> models.Workflow:
    """Return a Workflow of a template with all of its parameters at their defaults.

    ``argo submit`` takes no WorkflowTemplate, and sets only parameters that the Workflow lists.
    """
    parameters = [one.argument() for one in PARAMETERS[template]]
    return models.Workflow(
        api_version="argoproj.io/v1alpha1",
        kind="Workflow",
        metadata=models.ObjectMeta(generate_name=generate_name, namespace=NAMESPACE, labels=labels()),
        spec=_use(template, parameters),
    )


def cron_workflow(name: str, template: str, schedule: str, arguments: dict[str, str]) -> models.CronWorkflow:
    """Return a Workflow that starts on a schedule, and never beside the one before.

    Args:
        name: Its name.
        template: The WorkflowTemplate that it uses.
        schedule: When, in the format of cron, UTC.
        arguments: Parameters that differ from the defaults.
    """
    parameters = [models.Parameter(name=key, value=word) for key, word in arguments.items()]
    spec = models.CronWorkflowSpec(
        schedules=[schedule],
        timezone="UTC",
        concurrency_policy="Forbid",
        starting_deadline_seconds=600,
        successful_jobs_history_limit=3,
        failed_jobs_history_limit=7,
        workflow_spec=_use(template, parameters),
    )
    return models.CronWorkflow(
        api_version="argoproj.io/v1alpha1",
        kind="CronWorkflow",
        metadata=models.ObjectMeta(name=name, namespace=NAMESPACE, labels=labels()),
        spec=spec,
    )


def _use(template: str, parameters: list[models.Parameter]) -> models.WorkflowSpec:
    reference = models.WorkflowTemplateRef(name=template)
    return models.WorkflowSpec(workflow_template_ref=reference, arguments=models.Arguments(parameters=parameters))
