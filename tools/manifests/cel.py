"""Literals of CEL, the language of admission policies."""

from collections.abc import Iterable

_ESCAPES = str.maketrans({"\\": r"\\", "'": r"\'", "\n": r"\n"})


def cel_literal(content: object) -> str:
    """Return strings, whole numbers, truth values, lists and dictionaries as a literal of CEL.

    Kubernetes wants the items of a literal to be of one type: those of several are made dynamic.
    """
    if isinstance(content, dict):
        items = zip(map(cel_literal, content), _items(content.values()), strict=True)
        return "{" + ", ".join(f"{key}: {item}" for key, item in items) + "}"
    if isinstance(content, list):
        return "[" + ", ".join(_items(content)) + "]"
    if isinstance(content, bool | int):
        return str(content).lower()
    return f"'{str(content).translate(_ESCAPES)}'"


def _items(content: Iterable[object]) -> list[str]:
    items = list(content)
    mixed = len({type(item) for item in items}) > 1 or any(isinstance(item, dict) for item in items)
    return [f"dyn({cel_literal(item)})" if mixed else cel_literal(item) for item in items]
