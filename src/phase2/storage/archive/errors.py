"""Errors of archives; whoever knows the file turns them into one that names it."""

from __future__ import annotations


class ArchiveError(ValueError):
    """Archive that is damaged, or larger than it may be; the message says in what."""


class UnsafeArchiveError(ArchiveError):
    """Archive that holds more than tensors and plain values."""
