"""What an update changes, as expressions of CEL over maps."""


def changed_keys(new: str, old: str) -> str:
    """Return the expression of the keys whose values differ between two maps.

    A null counts like a key that is not there: Argo's command line writes times that it does not know as null.

    Args:
        new: Expression of a map.
        old: Expression of the map before.
    """
    return (
        f"{new}.filter(key, key in {old} ? {old}[key] != {new}[key] : {new}[key] != null)"
        f" + {old}.filter(key, !(key in {new}) && {old}[key] != null)"
    )


STATUS = {
    "status": "has(object.status) && object.status != null ? object.status : {}",
    "statusBefore": "request.operation == 'UPDATE' && has(oldObject.status) && oldObject.status != null"
    " ? oldObject.status : {}",
    "statusChanges": changed_keys("variables.status", "variables.statusBefore"),
}
"""Variables about the status, which the controller alone writes."""
