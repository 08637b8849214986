"""Keys of the properties that are to be predicted."""

from __future__ import annotations

from collections.abc import Sequence

from phase2.errors import RequestError, UnknownNameError


def check_requested(keys: Sequence[str], known: Sequence[str], of: str) -> None:
    """Check keys of properties.

    Args:
        keys: The requested keys.
        known: Keys that can be predicted.
        of: By what: ``this model``.

    Raises:
        UnknownNameError: A key is not known.
        RequestError: The list is empty or names a property twice.
    """
    unknown = [key for key in keys if key not in known]
    if unknown:
        raise UnknownNameError.of(f"property of {of}", unknown[0], known)
    if not keys or len(set(keys)) != len(keys):
        raise RequestError(
            "No property was requested." if not keys else f"A property is named twice in '{','.join(keys)}'.",
            fix=f"Name properties of {of}, each once: {', '.join(known)}.",
        )
