"""What people may change of a Job: they stop it, as ``phase2 cancel`` does, and nothing else."""

from phase2.cluster.labels import CANCELLED_ANNOTATION
from tools.manifests.cel import cel_literal

from .comparison import joined, must

_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_KEPT = ("labels", "ownerReferences", "finalizers")
_DEADLINE = "activeDeadlineSeconds"


def changes() -> str:
    """Return the expression of the paths that an update changes beyond that."""
    kept = [must(f"object.metadata.?{name} == oldObject.metadata.?{name}", f"metadata.{name}") for name in _KEPT]
    shorter = (
        f"!has(oldObject.spec.{_DEADLINE}) && object.spec.?{_DEADLINE} != optional.none()"
        f" || object.spec.?{_DEADLINE} == oldObject.spec.?{_DEADLINE}"
        f" || has(object.spec.{_DEADLINE}) && object.spec.{_DEADLINE} < oldObject.spec.{_DEADLINE}"
    )
    return joined(
        [
            *kept,
            _changed(_map("object"), _map("oldObject"), "metadata.annotations.", (CANCELLED_ANNOTATION, _APPLIED)),
            _changed("dyn(object.spec)", "dyn(oldObject.spec)", "spec.", (_DEADLINE,)),
            must(shorter, f"spec.{_DEADLINE}"),
        ]
    )


def _map(place: str) -> str:
    return f"{place}.metadata.?annotations.orValue({{}})"


def _changed(new: str, old: str, path: str, allowed: tuple[str, ...]) -> str:
    keys = f"{new}.filter(key, !(key in {old}) || {new}[key] != {old}[key]) + {old}.filter(key, !(key in {new}))"
    return f"({keys}).filter(key, !(key in {cel_literal(list(allowed))})).map(key, '{path}' + key)"
