"""Blocks of commands in a Markdown page, and what the page says about running them.

A block fenced as ``console`` has a command in each line that begins with ``$ ``, continued by a backslash; other lines
are what is typed into it or what it prints. A block fenced as ``python`` is one program. Both run, unless a comment
above the block gives one of ``REASONS``::

    <!-- not run: needs a cluster -->

``<!-- run before: COMMAND -->`` stands for what a reader has done already: it runs, and is not shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

REASONS = (
    "an excerpt",  # it names what is not defined here
    "asks for an answer",
    "changes the environment",
    "needs a bucket",
    "needs a cluster",
    "needs a container engine",
    "needs a GPU",
    "needs a registry",
    "needs the network",
    "needs your data",
    "runs elsewhere in CI",
    "takes hours",
)

PROGRAMS = (
    *("argo", "aws", "cosign", "ctr", "curl", "docker", "export", "helm", "hf", "kubectl", "make", "mc", "phase2"),
    *("pip", "podman", "python", "python3", "sha256sum", "skopeo"),
)
"""What a line begins with that is taken for a command, whatever fence it stands in."""

_COMMENT = re.compile(r"\s*<!-- (not run|run before): (.*?) -->\s*")
_FENCE = re.compile(r"(\s*)```(\w*).*")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        line: Number of its first line in the page, from 1.
        language: What the fence names; empty where it names nothing.
        text: What is in it, without its indentation.
        reason: Why it is not run; None where it runs.
        before: Commands that run before it.
    """

    line: int
    language: str
    text: str
    reason: str | None
    before: tuple[str, ...]

    @property
    def commands(self) -> list[str]:
        """The commands of a ``console`` block, each in one line."""
        joined = self.text.replace("\\\n", " ")
        return [re.sub(r"\s+", " ", line[2:]).strip() for line in joined.splitlines() if line.startswith("$ ")]

    @property
    def is_run(self) -> bool:
        """Whether it has commands, or a program, and no reason against running them."""
        return self.language in {"console", "python"} and self.reason is None


def blocks(page: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page in their order."""
    said: list[tuple[str, str]] = []
    lines = iter(enumerate(page.splitlines(), 1))
    for number, line in lines:
        if comment := _COMMENT.fullmatch(line):
            said.append((comment[1], comment[2]))
        elif fence := _FENCE.fullmatch(line):
            inside = _until_closed(lines, fence[1])
            reason = next((text for kind, text in said if kind == "not run"), None)
            before = tuple(text for kind, text in said if kind == "run before")
            yield Block(number + 1, fence[2], inside, reason, before)
            said = []
        elif line.strip():
            said = []


def _until_closed(lines: Iterator[tuple[int, str]], indent: str) -> str:
    inside = []
    for _, line in lines:
        if line.strip() == "```":
            break
        inside.append(line.removeprefix(indent))
    return "\n".join(inside)


def problems(page: str) -> Iterator[str]:
    """Yield a sentence for each block that is not written as the module says."""
    for block in blocks(page):
        if block.reason is not None and block.reason not in REASONS:
            yield f"line {block.line}: '{block.reason}' is no reason; take one of {', '.join(REASONS)}."
        if block.language == "console":
            if not block.commands:
                yield f"line {block.line}: no command; put '$ ' before each."
        elif block.language in {"", "bash", "sh", "shell", "text"} and _has_command(block.text):
            yield f"line {block.line}: commands in a '{block.language or 'plain'}' block; fence it as console."


def _has_command(text: str) -> bool:
    return any(re.match(rf"(\$ )?({'|'.join(PROGRAMS)}) \S", line) for line in text.splitlines())
