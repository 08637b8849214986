"""Requesters whom a policy is not asked about: Argo's controller, a group of administrators, and Kubernetes itself.

Each is a match condition of its own, so that an overlay or a value of the chart replaces it by its name.
"""

from tools.manifests.admission.people import ARGO
from tools.manifests.cel import cel_literal

EXEMPT = ("phase2-administrators",)
"""Groups that may write what is none of ours."""

# They remove owner references and finalizers while something is deleted.
_KUBERNETES = (
    "system:kube-controller-manager",
    "system:serviceaccount:kube-system:generic-garbage-collector",
    "system:serviceaccount:kube-system:namespace-controller",
)

NOT_ARGO, NOT_EXEMPT = "not-the-controller-of-argo", "not-exempt"
"""Names of the conditions that an installation may set."""


def asked() -> dict[str, str]:
    """Return the conditions, by name, under which a requester is asked."""
    exempt = cel_literal(list(EXEMPT))
    return {
        NOT_ARGO: f"!(request.userInfo.username in {cel_literal(list(ARGO))})",
        NOT_EXEMPT: f"!request.userInfo.?groups.orValue([]).exists(group, group in {exempt})",
        "not-kubernetes-itself": f"!(request.userInfo.username in {cel_literal(list(_KUBERNETES))})",
    }
