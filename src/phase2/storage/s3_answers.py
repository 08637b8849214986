"""Whether an answer came whole: boto3 takes one for whole that was cut off within its head, or within an error."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import IncompleteReadError


def refuse_cut_answers(client: Any) -> None:
    """Make a client raise ``IncompleteReadError`` for answers that end too early."""
    client.meta.events.register("before-parse.s3", _check)


def _check(operation_model: Any, response_dict: dict[str, Any], **_: object) -> None:
    fields, body = response_dict["headers"], response_dict["body"]
    # http.client ends a head where the connection ends. Every server sends the date, and most send it last.
    if not fields.get("date", "").endswith("GMT"):
        raise IncompleteReadError(actual_bytes=0, expected_bytes=0)
    expected = fields.get("content-length", "")
    has_body = operation_model.http["method"] != "HEAD" and isinstance(body, bytes)
    if has_body and expected.isdecimal() and len(body) != int(expected):
        raise IncompleteReadError(actual_bytes=len(body), expected_bytes=int(expected))
