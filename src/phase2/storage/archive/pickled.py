"""The pickle of an archive, read to plain values and descriptions of tensors without running anything of it."""

from __future__ import annotations

import io
import math
import pickle
import pickletools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from phase2.storage.archive.errors import ArchiveError, UnsafeArchiveError

_OPCODES = {
    "PROTO", "STOP", "MARK", "EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE", "SETITEM", "SETITEMS", "APPEND", "APPENDS",
    "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "BINGET", "LONG_BINGET", "BINPUT", "LONG_BINPUT", "BINUNICODE", "BININT",
    "BININT1", "BININT2", "LONG1", "BINFLOAT", "NONE", "NEWTRUE", "NEWFALSE", "GLOBAL", "REDUCE", "BINPERSID", "BUILD",
}  # fmt: skip
"""What torch.save writes for tensors, text, numbers, and lists and dictionaries of these."""

_MAX_LONG_BYTES = 9  # 64 bits and a sign
_MAX_ITEMS = 6_000_000
_MAX_TEXT = 1_000_000
_ITEM_BYTES = {"torch.float32": 4, "torch.float16": 2, "torch.float64": 8, "torch.int64": 8, "torch.uint8": 1}
_STORAGES = {
    "FloatStorage": "torch.float32",
    "HalfStorage": "torch.float16",
    "DoubleStorage": "torch.float64",
    "LongStorage": "torch.int64",
    "ByteStorage": "torch.uint8",
}


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """What an archive says about a tensor.

    Attributes:
        dtype: Its type: ``torch.float32``.
        shape: Its shape.
    """

    dtype: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.dtype} {self.shape}"

    def __setstate__(self, _: object) -> None:
        raise ArchiveError("a tensor is damaged")


class _StorageType(NamedTuple):
    dtype: str


class _Storage(NamedTuple):
    dtype: str
    items: int


class _Ordered(dict[object, object]):
    """OrderedDict of an archive; the attributes that version 1 of the checkpoints gave some are dropped."""

    def __setstate__(self, _: object) -> None:
        return


def read_pickle(content: bytes, storages: Mapping[str, int]) -> object:
    """Read the pickle of an archive.

    Args:
        content: The pickle.
        storages: Sizes of the storages of the archive, bytes, by name.

    Returns:
        Its plain values, with a :class:`TensorInfo` for every tensor; each fits into its storage.

    Raises:
        ArchiveError: It is damaged, or a tensor is larger than its storage.
        UnsafeArchiveError: It holds more than tensors and plain values.
    """
    try:
        _check_opcodes(content)
        return _StructureUnpickler(content, storages).load()
    except ArchiveError:
        raise
    except (
        pickle.UnpicklingError, ValueError, TypeError, LookupError, AttributeError, EOFError, OverflowError,
        RecursionError, UnicodeError,
    ) as error:  # fmt: skip
        raise ArchiveError("its part 'data.pkl' is damaged") from error


def _check_opcodes(content: bytes) -> None:
    """Refuse what torch.save does not write, before an unpickler follows it: memory is taken for what it claims."""
    for count, (opcode, argument, _) in enumerate(pickletools.genops(content)):
        if opcode.name not in _OPCODES:
            raise UnsafeArchiveError(f"its part 'data.pkl' holds a {opcode.name}")
        if count >= _MAX_ITEMS:
            raise ArchiveError(f"its part 'data.pkl' has more than {_MAX_ITEMS:,} values")
        if opcode.name in {"BINPUT", "LONG_BINPUT"} and isinstance(argument, int) and argument > count:
            raise ArchiveError("its part 'data.pkl' is damaged")
        if isinstance(argument, str) and len(argument) > _MAX_TEXT:
            raise ArchiveError(f"a text in it has more than {_MAX_TEXT:,} characters")
        if opcode.name == "LONG1" and argument is not None and argument.bit_length() > 8 * _MAX_LONG_BYTES - 8:
            raise ArchiveError("a number in it has more than 64 bits")


class _StructureUnpickler(pickle.Unpickler):
    """Unpickler that makes plain values only, and a description of every tensor."""

    def __init__(self, content: bytes, storages: Mapping[str, int]) -> None:
        super().__init__(io.BytesIO(content))
        self._storages = storages

    def find_class(self, module: str, name: str) -> object:
        if (module, name) == ("collections", "OrderedDict"):
            return _ordered
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return _parameter
        if module == "torch" and name in _STORAGES:
            return _StorageType(_STORAGES[name])
        raise UnsafeArchiveError(f"its part 'data.pkl' names {module}.{name}"[:200])

    def persistent_load(self, pid: object) -> _Storage:
        match pid:
            case ("storage", _StorageType(dtype), str(key), str(), int(items)):
                if self._storages.get(key) != items * _ITEM_BYTES[dtype]:
                    raise ArchiveError("a tensor is larger or smaller than its part")
                return _Storage(dtype, items)
        raise ArchiveError("a reference to a part is damaged")


def _ordered() -> dict[object, object]:
    return _Ordered()


def _tensor(storage: object, offset: object, shape: object, strides: object, *_: object) -> TensorInfo:
    """Describe a tensor; refuse one that overlaps itself or leaves its storage."""
    if not (isinstance(storage, _Storage) and isinstance(shape, tuple) and isinstance(strides, tuple)):
        raise ArchiveError("a tensor is damaged")
    numbers = (offset, *shape, *strides)
    if len(shape) != len(strides) or not all(type(n) is int and n >= 0 for n in numbers):
        raise ArchiveError("a tensor is damaged")
    last = sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True))
    items = math.prod(shape)
    assert isinstance(offset, int)  # noqa: S101 - checked with the others
    if items > storage.items or (items and offset + last >= storage.items):
        raise ArchiveError("a tensor is larger than its part")
    return TensorInfo(storage.dtype, shape)


def _parameter(tensor: object, *_: object) -> TensorInfo:
    if not isinstance(tensor, TensorInfo):
        raise ArchiveError("a tensor is damaged")
    return tensor
