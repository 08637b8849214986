"""Admission policies: what the API server takes of Argo's kinds in a namespace of runs.

The modules, from the inside out: ``policies`` (policies and rules as objects), ``exempt`` (who is not asked),
``changes`` (what an update changes), ``metadata`` and ``specification`` (the closed lists), ``parameters`` (the values
of a template's parameters), ``workflows``, ``cron_workflows`` and ``internals`` (the kinds).
"""

from tools.manifests.admission.policies import validating_binding
from tools.manifests.argo.parameters import PARAMETERS
from tools.manifests.yaml_text import Manifest

from . import cron_workflows, internals, parameters, workflows


def admission_policies() -> list[Manifest]:
    """Return every policy, each followed by its binding."""
    policies = [
        workflows.policy(),
        cron_workflows.policy(),
        internals.policy(),
        *(parameters.policy(template, known) for template, known in PARAMETERS.items()),
    ]
    return [document for policy in policies for document in (policy, validating_binding(policy["metadata"]["name"]))]
