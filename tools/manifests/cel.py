"""Literals of CEL, the language of admission policies."""


def cel_literal(content: object) -> str:
    """Return strings, lists and dictionaries as a literal of CEL.

    Raises:
        ValueError: A string has a backslash, a line break or both quotes in it, which nothing here escapes.
    """
    if isinstance(content, dict):
        return "{" + ", ".join(f"{cel_literal(key)}: {cel_literal(item)}" for key, item in content.items()) + "}"
    if isinstance(content, list):
        return "[" + ", ".join(map(cel_literal, content)) + "]"
    text = str(content)
    quote = "'" if "'" not in text else '"'
    if quote in text or "\\" in text or "\n" in text:
        raise ValueError(f"{text!r} would have to be escaped")
    return f"{quote}{text}{quote}"
