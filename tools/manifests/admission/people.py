"""Who asks: controllers, the administrator, maintainers, and people, whom the policies are about."""

from tools.manifests.cel import cel_literal

_KUBE_SYSTEM = (
    "job-controller", "cronjob-controller", "ttl-after-finished-controller", "generic-garbage-collector",
    "namespace-controller", "replicaset-controller", "deployment-controller", "statefulset-controller",
    "daemon-set-controller", "replication-controller", "pod-garbage-collector", "node-controller",
)  # fmt: skip

KUBERNETES = ("system:kube-controller-manager", *(f"system:serviceaccount:kube-system:{name}" for name in _KUBE_SYSTEM))
"""Controllers of Kubernetes; the first stands for all of them where they have no accounts of their own."""

ARGO = ("system:serviceaccount:argo:argo", "system:serviceaccount:argo:argo-workflows-workflow-controller")
"""Service account of Argo's controller, as installed by Argo's own manifests and by its chart."""

CONTROLLERS = ("system:serviceaccount:kueue-system:kueue-controller-manager", *ARGO)
"""Controllers that an installation may have, by the names that their own manifests and charts give them."""

CRON = ("system:kube-controller-manager", "system:serviceaccount:kube-system:cronjob-controller")
"""The controller of CronJobs, which are the administrator's: nobody else can make one."""

MAINTAINERS = ("phase2-maintainers",)
"""Groups of those who may stop and delete everybody's runs."""

READS_SECRETS = "authorizer.group('').resource('secrets').namespace(request.namespace).check('get').allowed()"
"""Whether a requester is an administrator, without a list of them: who may read the Secrets of a namespace gains
nothing by a pod of their own."""

NO_CONTROLLER, NO_MAINTAINER = "not-a-controller", "not-a-maintainer"
"""Names of the conditions that an installation may set."""


def is_one_of(names: tuple[str, ...]) -> str:
    """Return the expression that the requester has one of these names."""
    return f"request.userInfo.username in {cel_literal(list(names))}"


def no_controller(controllers: tuple[str, ...] = CONTROLLERS) -> dict[str, str]:
    """Return the condition, by its name, that an installed controller does not ask."""
    return {NO_CONTROLLER: f"!({is_one_of(controllers)})"}


def no_kubernetes(*, but: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the condition, by its name, that no controller of Kubernetes asks.

    Args:
        but: Controllers that are asked all the same.
    """
    names = tuple(name for name in KUBERNETES if name not in but)
    return {"not-kubernetes-itself": f"!({is_one_of(names)})"}


def no_maintainer() -> dict[str, str]:
    """Return the condition, by its name, that no maintainer asks."""
    in_group = f"request.userInfo.?groups.orValue([]).exists(group, group in {cel_literal(list(MAINTAINERS))})"
    return {NO_MAINTAINER: f"!({is_one_of(())} || {in_group})"}
