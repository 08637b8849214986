"""Digest of what source files mean: equal for sources that compute the same, however they are written down or filed."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

_OWN = "phase2"
# Packages that provide types alone, which no computation reads.
_TYPES = {"__future__", "collections.abc", "types", "typing"}
# What follows from the rest of the tree, or from comments.
_LEFT_OUT = {"ctx", "kind", "type_comment", "type_ignores"}


def code_digest(files: Iterable[Path]) -> str:
    """Hash the definitions in Python files.

    Layout, comments, docstrings, the order of definitions and the files that they are in do not count, nor do imports
    from this package, for they change when a definition moves. Two definitions that share a name both count.

    Args:
        files: Python files, in any order.

    Returns:
        SHA-256, hexadecimal.

    Raises:
        SyntaxError: A file is not Python.
    """
    definitions = {definition for path in files for definition in _definitions(path)}
    return hashlib.sha256("\n".join(sorted(definitions)).encode()).hexdigest()


def _definitions(path: Path) -> Iterator[str]:
    """Each top-level statement of a module in a canonical form, names of foreign packages one by one."""
    for statement in _effective(ast.parse(path.read_bytes()).body):
        if isinstance(statement, ast.Import | ast.ImportFrom):
            yield from _imported(statement)
        elif not _is_export_list(statement):
            parts: list[str] = []
            _append(statement, parts)
            yield " ".join(parts)


def _append(node: ast.AST, parts: list[str]) -> None:
    """Append the canonical form of a tree; empty fields are skipped, for versions of Python differ in them."""
    if isinstance(node, ast.Name):  # every third node: a short way
        parts.append(node.id)
        return
    if isinstance(node, ast.Import | ast.ImportFrom):
        parts.extend(_imported(node))
        return
    parts.append(f"({node.__class__.__name__}")
    for name in node._fields:
        value = getattr(node, name, None)
        if value is None or name in _LEFT_OUT:
            continue
        if isinstance(value, ast.AST):
            parts.append(name)
            _append(value, parts)
        elif isinstance(value, list):
            _append_list(name, value, parts)
        else:
            parts.append(f"{name} {value!r}")
    parts.append(")")


def _append_list(name: str, values: list[Any], parts: list[str]) -> None:
    effective = list(_effective(values))
    if effective:
        parts.append(f"{name} [")
        for value in effective:
            if isinstance(value, ast.AST):
                _append(value, parts)
            else:
                parts.append(repr(value))
        parts.append("]")


def _effective(nodes: Iterable[Any]) -> Iterator[Any]:
    """Drop what computes nothing: docstrings, ``pass``, ``...``, and what only a type checker reads."""
    for node in nodes:
        if isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            continue
        if isinstance(node, ast.If) and _name(node.test) == "TYPE_CHECKING":
            yield from _effective(node.orelse)
        else:
            yield node


def _imported(statement: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """Names that are imported from other packages, and those of this one that get another name."""
    for alias in statement.names:
        if isinstance(statement, ast.Import):
            module, name = alias.name, ""
        else:
            module, name = statement.module or "", alias.name
        is_relative = isinstance(statement, ast.ImportFrom) and statement.level > 0
        if is_relative or module.partition(".")[0] == _OWN:
            if alias.asname:
                yield f"(import {name or module.rpartition('.')[2]} as {alias.asname})"
        elif module not in _TYPES:
            yield f"(import {module} {name} as {alias.asname})"


def _is_export_list(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Assign) and [_name(target) for target in statement.targets] == ["__all__"]


def _name(node: ast.expr) -> str:
    """Last part of a name: ``TYPE_CHECKING`` of ``typing.TYPE_CHECKING``; empty for any other expression."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
