"""Data inside a page: JSON that no text in it can end."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from phase2.output.secrets import without_secrets
from phase2.output.visible import visible_lines

_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def as_json(value: Any) -> str:
    r"""Return a value as JSON for a ``<script type="application/json">``.

    Hidden characters of texts are made visible, secrets are removed, numbers that are not finite become null, and
    nothing in it can end the element or begin a comment.

    Example:
        >>> as_json({"id": "</script><script>", "mae": float("nan")})
        '{"id":"\\u003c/script\\u003e\\u003cscript\\u003e","mae":null}'
    """
    text = json.dumps(_plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate(_ESCAPES)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return visible_lines(without_secrets(value))
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {_plain(str(key)): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
