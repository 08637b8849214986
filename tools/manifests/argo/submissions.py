"""What uses the WorkflowTemplates: Workflows for ``argo submit``, and CronWorkflows."""

from hera.workflows import models

from .pods import NAMESPACE, labels


def workflow(template: str, generate_name: str) -> models.Workflow:
    """Return a Workflow of a template, for ``argo submit``, which takes no WorkflowTemplate.

    It names no namespace and no parameters: what a person does not give with ``-p`` is what the template of the
    installation says, in whatever namespace it is.
    """
    return models.Workflow(
        api_version="argoproj.io/v1alpha1",
        kind="Workflow",
        metadata=models.ObjectMeta(generate_name=generate_name, labels=labels()),
        spec=models.WorkflowSpec(workflow_template_ref=models.WorkflowTemplateRef(name=template)),
    )


def cron_workflow(
    name: str, template: str, schedule: str, arguments: dict[str, str], *, hours: int, suspend: bool = False
) -> models.CronWorkflow:
    """Return a Workflow that starts on a schedule; one that still runs then is ended, so that none blocks the next.

    Args:
        name: Its name.
        template: The WorkflowTemplate that it uses.
        schedule: When, in the format of cron, UTC.
        arguments: Parameters that differ from the defaults.
        hours: Time after which it is ended.
        suspend: Whether it starts nothing until somebody resumes it.
    """
    parameters = [models.Parameter(name=key, value=word) for key, word in arguments.items()]
    spec = models.CronWorkflowSpec(
        schedules=[schedule],
        timezone="UTC",
        suspend=suspend or None,
        concurrency_policy="Replace",
        starting_deadline_seconds=600,
        successful_jobs_history_limit=3,
        failed_jobs_history_limit=7,
        workflow_spec=models.WorkflowSpec(
            workflow_template_ref=models.WorkflowTemplateRef(name=template),
            active_deadline_seconds=hours * 3600,
            arguments=models.Arguments(parameters=parameters) if parameters else None,
        ),
    )
    return models.CronWorkflow(
        api_version="argoproj.io/v1alpha1",
        kind="CronWorkflow",
        metadata=models.ObjectMeta(name=name, namespace=NAMESPACE, labels=labels()),
        spec=spec,
    )
