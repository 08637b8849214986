"""Docstrings for the pages of the Python interface: roles of reStructuredText become code."""

from __future__ import annotations

import re
from typing import Any

import griffe

_ROLE = re.compile(r":\w+:`~?([^`]+)`")


class RolesAsCode(griffe.Extension):
    """Extension of Griffe that shows ``:class:`phase2.Run``` as ``phase2.Run``."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Change the docstring of a module, class, function or attribute."""
        if obj.docstring:
            obj.docstring.value = _ROLE.sub(r"`\1`", obj.docstring.value)
