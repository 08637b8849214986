"""The policy of the kinds that become pods without being asked about again: people write none of them.

A WorkflowTemplate is what policies trust; a WorkflowTaskResult is the output of a step, which becomes a field of the
next pod; a WorkflowEventBinding or a Sensor submits with the rights of another account. Roles withhold them from
people who submit; this holds where somebody was given a role too many.
"""

from tools.manifests.admission.people import READS_SECRETS
from tools.manifests.argo.cluster import EXECUTOR
from tools.manifests.yaml_text import Manifest

from .exempt import asked
from .policies import policy as make_policy

NAME = "phase2-argo-internals"

KINDS = (
    "workflowtemplates", "workfloweventbindings", "workflowtasksets", "workflowtaskresults", "workflowartifactgctasks",
    "eventbus", "eventsources", "sensors",
)  # fmt: skip


def policy() -> Manifest:
    """Return the policy."""
    executor = (
        "!(request.resource.resource == 'workflowtaskresults'"
        f" && request.userInfo.username == 'system:serviceaccount:' + request.namespace + ':{EXECUTOR}')"
    )
    message = (
        "request.resource.resource + ' are written by the administrator and by Argo, since pods are made of what they "
        "hold, with the keys of the store: submit a Workflow instead, by argo submit argo/phase2.yaml or phase2 submit'"
    )
    return make_policy(
        NAME,
        [name for kind in KINDS for name in (kind, f"{kind}/*")],
        conditions={**asked(), "not-the-executor": executor},
        variables={},
        validations=[{"expression": READS_SECRETS, "messageExpression": message, "reason": "Forbidden"}],
        operations=("CREATE", "UPDATE", "DELETE"),
    )
