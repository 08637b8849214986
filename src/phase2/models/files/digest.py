"""Digest of the content of a file: a value that was changed later is noticed, whoever wrote the archive again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

import numpy as np
from torch import Tensor

ENTRY = "sha256"
"""Entry that holds the digest of all others; files of phase2 0.1 have none."""


def content_digest(content: Mapping[str, object]) -> str:
    """Return the SHA-256 of tensors and plain values, hexadecimal, without the entry that holds it.

    Types count: 1, 1.0 and True are different values.
    """
    digest = hashlib.sha256()
    for part in _parts({key: value for key, value in content.items() if key != ENTRY}):
        digest.update(part)
    return digest.hexdigest()


def _parts(value: object) -> Iterator[bytes | memoryview]:
    if isinstance(value, Tensor):
        yield f"tensor {value.dtype} {tuple(value.shape)}\0".encode()
        yield np.ascontiguousarray(value.detach().numpy()).data.cast("B") if value.numel() else b""
    elif isinstance(value, Mapping):
        yield f"dict {len(value)}\0".encode()
        for key, each in value.items():
            yield from _parts(key)
            yield from _parts(each)
    elif isinstance(value, list | tuple):
        yield f"{type(value).__name__} {len(value)}\0".encode()
        for each in value:
            yield from _parts(each)
    else:
        text = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else repr(value).encode()
        yield f"{type(value).__name__} {len(text)}\0".encode()
        yield text
