"""The policy of everything else that becomes a pod: made by controllers and by the administrator, never by people.

Roles withhold these kinds from people who submit; this holds where somebody was given a role too many.
"""

from tools.manifests.yaml_text import Manifest

from .people import READS_SECRETS, no_controller, no_kubernetes
from .policies import refusal, resource_rule, validating_binding, validating_policy

NAME = "phase2-workloads"

_WRITES = ("CREATE", "UPDATE")
KINDS = (
    ("", ("pods", "pods/ephemeralcontainers", "pods/resize", "replicationcontrollers", "podtemplates")),
    ("apps", ("deployments", "replicasets", "statefulsets", "daemonsets", "controllerrevisions")),
    ("batch", ("cronjobs", "cronjobs/status", "jobs/status")),
    # Their controllers make Jobs of whatever they say.
    ("jobset.x-k8s.io", ("jobsets", "jobsets/status")),
    ("trainer.kubeflow.org", ("trainjobs", "trainjobs/status", "trainingruntimes")),
)
CONNECTIONS = ("pods/exec", "pods/attach", "pods/portforward", "pods/proxy")


def policy() -> Manifest:
    """Return the policy."""
    message = (
        "'People write no ' + variables.kind + ' in a namespace of runs: what a pod holds reads the keys of the store. "
        "Submit a run, with phase2 submit; everything else is the administrator\\'s.'"
    )
    return validating_policy(
        NAME,
        [
            *(resource_rule(group, kinds, _WRITES) for group, kinds in KINDS),
            resource_rule("", CONNECTIONS, ["CONNECT"]),
        ],
        conditions={
            **no_controller(),
            **no_kubernetes(),
            # A node writes its own pods, and a person cannot be in this group: the API server itself gives it.
            "not-a-node": "!request.userInfo.?groups.orValue([]).exists(group, group == 'system:nodes')",
            "not-the-scheduler": "request.userInfo.username != 'system:kube-scheduler'",
        },
        variables={"kind": "request.resource.resource + request.?subResource.optMap(name, '/' + name).orValue('')"},
        validations=[refusal(READS_SECRETS, message)],
    )


def manifests() -> list[Manifest]:
    """Return the policy and its binding."""
    return [policy(), validating_binding(NAME)]
