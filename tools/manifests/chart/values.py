"""values.yaml with its comments: every value, its default and its description."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_COMMENT, _MORE = "# -- ", "# "

Keys = tuple[str, ...]


@dataclass(frozen=True)
class Value:
    """Value of the chart.

    Attributes:
        path: Its keys, from the outermost.
        default: Its default.
        description: Its description.
    """

    path: Keys
    default: Any
    description: str

    @property
    def name(self) -> str:
        """Name as it is written after ``--set``."""
        return ".".join(self.path)


def read_values(path: Path) -> list[Value]:
    """Return every value that has a comment of its own, in the order of the file."""
    text = path.read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    comment: list[str] = []
    keys: list[str] = []
    found = []
    for line in text.splitlines():
        body = line.strip()
        if body.startswith(_COMMENT):
            comment = [body.removeprefix(_COMMENT)]
        elif body.startswith(_MORE) and comment:
            comment.append(body.removeprefix(_MORE))
        elif body and not body.startswith("#"):
            depth = (len(line) - len(body)) // 2
            keys = [*keys[:depth], body.partition(":")[0]]
            if comment:
                found.append(Value(tuple(keys), _at(content, keys), " ".join(comment)))
            comment = []
        else:
            comment = []
    return found


def leaves(content: dict[str, Any], described: set[Keys], path: Keys = ()) -> list[Keys]:
    """Return the paths of all values; a mapping that is described as a whole is one value."""
    found = []
    for key, item in content.items():
        here = (*path, key)
        inside = isinstance(item, dict) and here not in described
        found += leaves(item, described, here) if inside else [here]
    return found


def _at(content: Any, keys: list[str]) -> Any:
    for key in keys:
        content = content[key]
    return content
