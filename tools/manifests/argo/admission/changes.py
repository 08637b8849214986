"""What an update changes, as expressions of CEL over maps."""

_NULL = "null"


def changed_keys(new: str, old: str, *, nothing: str = _NULL) -> str:
    """Return the expression of the keys whose values differ between two maps.

    Args:
        new: Expression of a map.
        old: Expression of the map before.
        nothing: A value that counts like a key that is not there: Argo's command line writes every field of its types,
            the empty ones too.
    """
    return (
        f"{new}.filter(key, key in {old} ? {old}[key] != {new}[key] : {new}[key] != {nothing})"
        f" + {old}.filter(key, !(key in {new}) && {old}[key] != {nothing})"
    )


STATUS = {
    "status": "has(object.status) && object.status != null ? object.status : {}",
    "statusBefore": "request.operation == 'UPDATE' && has(oldObject.status) && oldObject.status != null"
    " ? oldObject.status : {}",
    "statusChanges": changed_keys("variables.status", "variables.statusBefore"),
}
"""Variables about the status, which the controller alone writes."""
