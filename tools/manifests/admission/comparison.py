"""Comparison of an object with what it may be: expressions of CEL that list the paths where it differs.

The lists are closed: a field that a later version of Kubernetes adds is refused until it is here.
"""

from collections.abc import Iterable

from tools.manifests.cel import cel_literal


def joined(expressions: Iterable[str]) -> str:
    """Return the expression of all paths that several expressions list."""
    return "\n+ ".join(expressions)


def only(fields: Iterable[str], place: str, path: str) -> str:
    """Return the expression of the fields of a map that are not in a closed list."""
    return f"{place}.filter(key, !(key in {cel_literal(list(fields))})).map(key, '{path}' + key)"


def only_or_common(keys: Iterable[str], place: str, kind: str, path: str) -> str:
    """Return the expression of the keys of labels or annotations that are not in a closed list nor the installation's.

    Args:
        keys: The closed list.
        place: The labels or annotations.
        kind: ``Labels`` or ``Annotations``: those of the variable ``common...`` pass with their values.
        path: Path of them, for the message.
    """
    common = f"variables.common{kind}"
    listed = f"key in {cel_literal(list(keys))} || key in {common} && {common}[key] == {place}[key]"
    return f"{place}.filter(key, !({listed})).map(key, '{path}' + key)"


def must(condition: str, path: str) -> str:
    """Return the expression of a path where a condition does not hold."""
    return f"({condition} ? [] : ['{path}'])"


def equal(place: str, field: str, value: object, path: str) -> str:
    """Return the expression of a field's path where it has another value, or none."""
    return must(f"{place}.?{field} == optional.of({cel_literal(value)})", path + field)


def whole(place: str, field: str, least: int, most: int, path: str) -> str:
    """Return the expression of a field's path where it is no whole number of a range."""
    return must(f"has({place}.{field}) && {place}.{field} >= {least} && {place}.{field} <= {most}", path + field)


def text_in(word: str, patterns: Iterable[str]) -> str:
    """Return the condition that a text is one of several regular expressions from its beginning to its end."""
    return f"{word}.matches({cel_literal('^(' + '|'.join(patterns) + ')$')})"
