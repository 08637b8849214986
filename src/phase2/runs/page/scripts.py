"""Data as scripts: a page that is opened from a disk may load scripts beside it, and nothing else.

A script is named after its content, so that one that is there is right, and a new one replaces none that is in use.
"""

from __future__ import annotations

import hashlib
import json
import re

_NAME = re.compile(r"[a-z]+/([a-z0-9]+-)?[0-9a-f]{20}\.(js|css)")
_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def content_name(folder: str, content: bytes, *, suffix: str = "js", title: str = "") -> str:
    """Return the name of a file after its content: ``curves/0123...cdef.js``."""
    digest = hashlib.sha256(content).hexdigest()[:20]
    return f"{folder}/{title}{'-' if title else ''}{digest}.{suffix}"


def is_content_name(name: str) -> bool:
    """Return whether a name is one of :func:`content_name`."""
    return _NAME.fullmatch(name) is not None


def script(function: str, *arguments: object) -> bytes:
    r"""Return a script that calls a function of the page with JSON.

    Characters that could end a script or a line of it are escaped, so that text of a run is never anything else.

    Example:
        >>> script("runsPage.runs", {"name": "</script>"})
        b'runsPage.runs({"name":"\\u003c/script\\u003e"});\n'
    """
    texts = (json.dumps(one, ensure_ascii=False, allow_nan=False, separators=(",", ":")) for one in arguments)
    return f"{function}({','.join(map(_escape, texts))});\n".encode("utf-8", "surrogatepass")


def _escape(text: str) -> str:
    return text.translate({ord(character): escaped for character, escaped in _ESCAPED.items()})
