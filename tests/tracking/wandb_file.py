"""Reading what Weights & Biases writes offline: records in the log format of LevelDB, behind a header of 7 bytes."""

import json
import struct

from wandb.proto import wandb_internal_pb2

_BLOCK = 32768


def read_records(file):
    """Return the records of a ``.wandb`` file, each a protocol buffer."""
    data, position, part, found = file.read_bytes(), 7, b"", []
    while position + 7 <= len(data):
        left = _BLOCK - position % _BLOCK
        if left < 7:
            position += left
            continue
        _, length, kind = struct.unpack_from("<IHB", data, position)
        if kind == 0:
            break
        part += data[position + 7 : position + 7 + length]
        position += 7 + length
        if kind in (1, 4):  # the whole record, or its last part
            record = wandb_internal_pb2.Record()  # type: ignore[attr-defined]
            record.ParseFromString(part)
            found.append(record)
            part = b""
    return found


def history_of(records):
    """Return the rows that were logged, by step."""
    rows = [_items(record.history.item) for record in records if record.WhichOneof("record_type") == "history"]
    return {row["_step"]: row for row in rows}, [row["_step"] for row in rows]


def _items(items):
    return {"/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in items}


def first(records, kind):
    """Return the first record of a kind."""
    return next(getattr(record, kind) for record in records if record.WhichOneof("record_type") == kind)
