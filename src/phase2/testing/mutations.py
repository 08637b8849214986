"""Seeded mutations of files: of their bytes, of the members of an archive, and of the values in them."""

from __future__ import annotations

import copy
import io
import json
import random
import zipfile
from typing import Any

import torch

from phase2.models.files.digest import ENTRY, content_digest

LONG = 10**6

_HOSTILE: tuple[Any, ...] = (
    None, True, 0, -1, 1, 2, 10**9, -(10**9), 2**63, 10**30, 0.0, -0.5, 1e308, float("nan"), float("inf"), "", "x",
    "\x1b]0;pwned\x07", "x" * LONG, [], [1, 2], {}, {"a": 1}, (), "1", "\ud800",
)  # fmt: skip


def mutate_bytes(content: bytes, draw: random.Random) -> bytes:
    """Flip, cut, repeat, overwrite or insert bytes."""
    damaged, at = bytearray(content), draw.randrange(max(1, len(content)))
    match draw.choice(("flip", "flips", "cut", "zero", "repeat", "insert", "begin")):
        case "flip":
            damaged[at] ^= 1 << draw.randrange(8)
        case "flips":
            for _ in range(draw.choice((2, 20, 200))):
                damaged[draw.randrange(len(damaged))] = draw.randrange(256)
        case "cut":
            del damaged[at:]
        case "zero":
            damaged[at : at + 64] = bytes(len(damaged[at : at + 64]))
        case "repeat":
            damaged[at:at] = damaged[at : at + 512]
        case "insert":
            damaged[at:at] = draw.randbytes(draw.choice((1, 16)))
        case _:
            damaged[:0] = draw.randbytes(8)
    return bytes(damaged)


def mutate_members(content: bytes, draw: random.Random) -> bytes:
    """Remove, repeat, rename, cut, compress or exchange members of an archive, with right checksums."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    at, other = draw.randrange(len(members)), draw.randrange(len(members))
    name, held = members[at]
    method = zipfile.ZIP_STORED
    match draw.choice(("remove", "repeat", "rename", "cut", "compress", "exchange", "bomb", "bytes")):
        case "remove":
            del members[at]
        case "repeat":
            members.append((name, held))
        case "rename":
            members[at] = (draw.choice((name + "x", "/etc/x", "../x", name[1:] or "x", "\x1b[31m", "x" * 5000)), held)
        case "cut":
            members[at] = (name, held[: len(held) // 2])
        case "compress":
            method = draw.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
        case "exchange":
            members[at], members[other] = (name, members[other][1]), (members[other][0], held)
        case "bomb":
            members[at], method = (name, bytes(20 * LONG)), zipfile.ZIP_DEFLATED
        case _:
            members[at] = (name, mutate_bytes(held, draw) if held else b"x")
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as archive:
        for each, data in members:
            archive.writestr(each, data)
    return written.getvalue()


def mutate_values(content: bytes, draw: random.Random) -> bytes:
    """Change one value of an archive of tensors; half of the time the digest of the content is made right again."""
    tree = torch.load(io.BytesIO(content), weights_only=True)
    _mutate_tree(tree, draw)
    if draw.random() < 0.5 and isinstance(tree.get(ENTRY), str) and not _is_huge(tree):
        tree[ENTRY] = content_digest(tree)
    written = io.BytesIO()
    torch.save(tree, written)
    return written.getvalue()


def mutate_json(content: bytes, draw: random.Random) -> bytes:
    """Change one value of a JSON file."""
    tree = json.loads(content)
    _mutate_tree(tree, draw)
    return json.dumps(tree, default=str).encode("utf-8", "surrogatepass")


def nest_json(content: bytes, draw: random.Random) -> bytes:
    """Replace a JSON file by one that is nested deep, or holds a number of many digits."""
    depth = draw.choice((1000, 100_000))
    return draw.choice(
        (b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth, content.replace(b"1", b"1" * 5000, 1))
    )


def _mutate_tree(tree: Any, draw: random.Random) -> None:
    places = list(_places(tree))
    node, key = draw.choice(places)
    value = node[key]
    what = draw.choice(("replace", "replace", "replace", "remove", "add", "like", "like", "nest"))
    if what == "replace":
        node[key] = copy.deepcopy(draw.choice(_HOSTILE))
    elif what == "remove":
        del node[key]
    elif what == "add":
        _add(node, draw)
    elif what == "nest":
        node[key] = _nested(draw.choice((3, 200)))
    else:
        node[key] = _like(value, draw)


def _add(node: Any, draw: random.Random) -> None:
    value = copy.deepcopy(draw.choice(_HOSTILE))
    if isinstance(node, dict):
        node[draw.choice(("extra", "\x1b[2J", "x" * 1000))] = value
    else:
        node.insert(draw.randrange(len(node) + 1), value)


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def _like(value: Any, draw: random.Random) -> Any:  # noqa: PLR0911
    """Return a value of the same kind."""
    if isinstance(value, torch.Tensor):
        return _tensor_like(value, draw)
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int):
        return draw.choice((value + 1, -value - 1, value * 1000, 2**62, float(value)))
    if isinstance(value, float):
        return draw.choice((value * 2 + 1, -value - 1, 1e300, float("nan"), float("-inf"), str(value)))
    if isinstance(value, str):
        return draw.choice((value + "x", value[:-1], value.upper(), "é" * 1000))
    if isinstance(value, list):
        return draw.choice((value[:-1], value * 2, value[::-1], dict.fromkeys(map(str, range(len(value))))))
    if isinstance(value, tuple):
        return draw.choice((value[:-1], value * 2, list(value)))
    return dict(list(value.items())[::-1]) if draw.random() < 0.5 else list(value)


def _tensor_like(value: torch.Tensor, draw: random.Random) -> Any:  # noqa: PLR0911
    match draw.choice(("dtype", "shape", "value", "nan", "list", "strided", "huge")):
        case "dtype":
            return value.to(draw.choice((torch.float64, torch.int64, torch.float16, torch.bool, torch.complex64)))
        case "shape":
            return torch.cat([value.reshape(-1), torch.zeros(1, dtype=value.dtype)])
        case "value":
            return value + 1
        case "nan":
            return torch.full_like(value, float("nan")) if value.is_floating_point() else torch.full_like(value, 255)
        case "list":
            return value.reshape(-1)[:10].tolist()
        case "strided":
            return torch.zeros(1, dtype=value.dtype).expand(10**9)
        case _:
            return torch.zeros(0, 10**12)


def _is_huge(tree: Any) -> bool:
    return any(isinstance(node[key], torch.Tensor) and node[key].numel() > LONG for node, key in _places(tree))


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """List the places of a tree of dictionaries and lists: each a container and a key."""
    found: list[tuple[Any, Any]] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node))
        found += [(node, key) for key in keys]
        waiting += [node[key] for key in keys if isinstance(node[key], dict | list)]
    return found
